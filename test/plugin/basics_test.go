package plugin

import (
	"strings"
	"testing"
)

// TestWhatIsNotUnderstood: a fault is one line on stderr, and nothing on stdout.
func TestWhatIsNotUnderstood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "basics")
	got := w.run("no-such-command")
	if got.code != 1 || got.stdout != "" || !strings.HasPrefix(got.stderr, `error: unknown command "no-such-command"`) || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("got %+v", got)
	}
	got = w.run("--version")
	if got.code != 0 || !strings.HasPrefix(got.stdout, "holdfast ") || got.stderr != "" {
		t.Errorf("got %+v", got)
	}
}
