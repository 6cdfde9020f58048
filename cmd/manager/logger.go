package main

import (
	"io"

	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// setLogger makes everything log as the flags say: us, controller-runtime and client-go.
func setLogger(c *config, w io.Writer) {
	readable := func(encoder *zapcore.EncoderConfig) { encoder.EncodeTime = zapcore.RFC3339TimeEncoder }
	encoder := zap.JSONEncoder(readable)
	if c.logFormat == "console" {
		encoder = zap.ConsoleEncoder(readable)
	}
	level := map[string]zapcore.Level{"debug": zapcore.DebugLevel, "info": zapcore.InfoLevel, "error": zapcore.ErrorLevel}[c.logLevel]
	// A stack says nothing to who runs this; a panic still has one.
	logger := zap.New(zap.WriteTo(w), encoder, zap.Level(level), zap.StacktraceLevel(zapcore.PanicLevel))
	ctrl.SetLogger(logger)
	klog.SetLogger(logger.WithName("client-go"))
}
