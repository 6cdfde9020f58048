package emulator

import "testing"

// StartTest runs an emulator for the time of a test, with the journal on.
// With no options it has the default ones.
func StartTest(t testing.TB, options ...Options) *Emulator {
	t.Helper()
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	o.Journal = true
	e, err := New(o)
	if err != nil {
		t.Fatalf("setting up the emulator: %v", err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatalf("starting the emulator: %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("closing the emulator: %v", err)
		}
	})
	return e
}
