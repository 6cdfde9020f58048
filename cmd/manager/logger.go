package main

import (
	"io"

	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// setLogger configures the logs of Holdfast, controller-runtime and client-go according to the flags.
func setLogger(c *config, w io.Writer) {
	readable := func(encoder *zapcore.EncoderConfig) { encoder.EncodeTime = zapcore.RFC3339TimeEncoder }
	encoder := zap.JSONEncoder(readable)
	if c.logFormat == "console" {
		encoder = zap.ConsoleEncoder(readable)
	}
	level := map[string]zapcore.Level{"debug": zapcore.DebugLevel, "info": zapcore.InfoLevel, "error": zapcore.ErrorLevel}[c.logLevel]
	// Stack traces do not help those who run the manager; only a panic keeps its own.
	logger := zap.New(zap.WriteTo(w), encoder, zap.Level(level), zap.StacktraceLevel(zapcore.PanicLevel))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger.WithName("client-go"))
}
