package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-logr/logr"
	uberzap "go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/holdfast-dev/holdfast/internal/text"
)

// setLogger configures the logs of Holdfast, controller-runtime and client-go according to the flags.
func setLogger(c *config, w io.Writer) {
	logger := newLogger(c, w)
	ctrl.SetLogger(logger)
	klog.SetLogger(logger.WithName("client-go"))
}

func newLogger(c *config, w io.Writer) logr.Logger {
	readable := func(encoder *zapcore.EncoderConfig) { encoder.EncodeTime = zapcore.RFC3339TimeEncoder }
	encoder := zap.JSONEncoder(readable)
	if c.logFormat == "console" {
		encoder = zap.ConsoleEncoder(readable)
	}
	level := map[string]zapcore.Level{"debug": zapcore.DebugLevel, "info": zapcore.InfoLevel, "error": zapcore.ErrorLevel}[c.logLevel]
	// Stack traces do not help those who run the manager; only a panic keeps its own.
	return zap.New(zap.WriteTo(w), encoder, zap.Level(level), zap.StacktraceLevel(zapcore.PanicLevel), zap.RawZapOpts(uberzap.WrapCore(oneLine)))
}

// oneLine makes a core log what people, and Google, have written so that none of it can pass for another line, or for less than there is.
func oneLine(core zapcore.Core) zapcore.Core { return visibleCore{core} }

type visibleCore struct{ zapcore.Core }

func (c visibleCore) With(fields []zapcore.Field) zapcore.Core {
	return visibleCore{c.Core.With(visible(fields))}
}

func (c visibleCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

func (c visibleCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	entry.Message, entry.LoggerName = text.Visible(entry.Message), text.Visible(entry.LoggerName)
	return c.Core.Write(entry, visible(fields))
}

// visible are fields whose texts can be seen. One that is neither text nor a number, such as an object, is written as encoders write it, which
// escapes control characters but not all that cannot be seen; so it is written as text if that differs.
func visible(fields []zapcore.Field) []zapcore.Field {
	out := make([]zapcore.Field, len(fields))
	for i, field := range fields {
		out[i] = field
		switch value := field.Interface.(type) {
		case error:
			out[i] = uberzap.String(field.Key, text.Visible(value.Error()))
		case nil:
			out[i].String = text.Visible(field.String)
		default:
			if plain := strings.ReplaceAll(fmt.Sprint(value), "\n", " "); text.Visible(plain) != plain {
				out[i] = uberzap.String(field.Key, text.Visible(plain))
			}
		}
		out[i].Key = text.Visible(field.Key)
	}
	return out
}
