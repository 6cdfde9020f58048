package planserver

import (
	stdlog "log"
	"strings"

	"github.com/go-logr/logr"
)

// quiet takes what http.Server says of connections, which anybody can make it say.
func quiet(log logr.Logger) *stdlog.Logger { return stdlog.New(lines{log.V(1)}, "", 0) }

type lines struct{ logr.Logger }

// Write implements io.Writer.
func (l lines) Write(text []byte) (int, error) {
	l.Info(strings.TrimSpace(string(text)))
	return len(text), nil
}
