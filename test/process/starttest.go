package process

import (
	"path/filepath"
	"testing"
)

// shownLines are how many lines of its log a program shows when its test fails.
const shownLines = 50

// StartTest runs a program until the test ends, unless it is stopped or killed before. Name and Log may be empty: the name is
// then that of the file, and the log is removed with the test. If the test fails, it shows the log's last lines.
func StartTest(t testing.TB, p Program) *Process {
	t.Helper()
	if p.Name == "" {
		p.Name = filepath.Base(p.Path)
	}
	if p.Log == "" {
		p.Log = filepath.Join(t.TempDir(), p.Name+".log")
	}
	started, err := Start(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := started.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the last lines of %s:\n%s", p.Name, started.Tail(shownLines))
		}
	})
	return started
}
