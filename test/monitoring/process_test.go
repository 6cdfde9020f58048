package monitoring

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait, and how long a program may take to end.
const patience = 90 * time.Second

// process is a program that runs for as long as a test, or until it is killed.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// start runs a program. Where the test fails, it shows what that wrote.
func start(t *testing.T, path string, args ...string) *process {
	t.Helper()
	name := filepath.Base(path)
	log, err := os.CreateTemp(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // whoever ends it knows how
	}()
	t.Cleanup(func() {
		p.end(t, syscall.SIGTERM)
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("%s said at last:\n%s", name, text[max(0, len(text)-8192):])
		}
	})
	return p
}

// end ends the program, by force if it does not listen.
func (p *process) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	_ = p.cmd.Process.Signal(signal) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Errorf("%s does not end", p.cmd.Path)
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// freeAddress is a port of the loopback interface that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// eventually polls until something holds; what it returns last says why it did not.
func eventually(t *testing.T, what string, holds func() (bool, string)) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(200*time.Millisecond)
	defer tick.Stop()
	for {
		ok, saw := holds()
		if ok {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("waited %s for %s; last saw %s", patience, what, saw)
		case <-tick.C:
		}
	}
}
