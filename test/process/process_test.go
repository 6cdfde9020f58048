package process

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bound is how long a test waits for what takes no time.
const bound = 10 * time.Second

// run starts a shell script that is killed when the test ends.
func run(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start(Program{
		Name: "the script", Path: "sh", Args: []string{"-c", script}, Env: []string{"GREETING=hello"},
		Log: filepath.Join(t.TempDir(), "logs", "script.log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// says is true of a program whose last line is the text.
func says(p *Process, text string) Probe {
	return func(context.Context) bool { return p.Tail(1) == text }
}

func await(t *testing.T, p *Process, probe Probe) {
	t.Helper()
	if err := p.Await(t.Context(), bound, probe); err != nil {
		t.Fatal(err)
	}
}

func TestAProgramHasALogAndAnEnvironment(t *testing.T) {
	p := run(t, `echo "$GREETING"; echo and good-bye >&2; exec sleep 600`)
	await(t, p, says(p, "and good-bye"))
	if diff := cmp.Diff("hello\nand good-bye", p.Tail(5)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

func TestAProgramIsCalledAnotherName(t *testing.T) {
	p := StartTest(t, Program{Name: "multi", Path: "sh", As: "another", Args: []string{"-c", `echo $0; exec sleep 600`}})
	await(t, p, says(p, "another"))
}

func TestAProgramThatIsNotThere(t *testing.T) {
	_, err := Start(Program{Name: "nobody", Path: "/no/such/program", Log: filepath.Join(t.TempDir(), "log")})
	if err == nil || !strings.HasPrefix(err.Error(), "starting nobody: ") {
		t.Errorf("got %v, want an error that names the program", err)
	}
}

func TestStopEndsTheWholeGroup(t *testing.T) {
	p := run(t, `sleep 600 & echo $!; wait`)
	var child int
	await(t, p, func(context.Context) bool {
		child, _ = strconv.Atoi(p.Tail(1))
		return child > 0
	})
	for range 2 {
		if err := p.Stop(); err != nil {
			t.Errorf("stopping: %v", err)
		}
	}
	for deadline := time.Now().Add(bound); runs(child); {
		if time.Now().After(deadline) {
			t.Fatal("what the program started is still running")
		}
		<-time.After(pace)
	}
}

// runs says whether a process exists and is not a zombie, waiting for its new parent to reap it.
func runs(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(text), ") Z ")
}

func TestAStubbornProgramIsKilled(t *testing.T) {
	p := run(t, `trap "" TERM; echo ready; while :; do sleep 0.1; done`)
	await(t, p, says(p, "ready"))
	err := p.stop(100 * time.Millisecond)
	if want := "the script did not end within 100ms of SIGTERM and was killed; its last lines:\nready"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAProgramThatEndsUnasked(t *testing.T) {
	p := run(t, `echo no such luck; exit 3`)
	<-p.Done()
	const want = "the script ended: exit status 3; its last lines:\nno such luck"
	never := func(context.Context) bool { return false }
	for name, err := range map[string]error{"ended": p.Ended(), "awaited": p.Await(t.Context(), bound, never), "stopped": p.Stop()} {
		var ended *EndedError
		if !errors.As(err, &ended) || ended.Error() != want {
			t.Errorf("%s: got %v, want an EndedError: %s", name, err, want)
		}
	}
}

func TestAKilledProgramMayBeStopped(t *testing.T) {
	p := run(t, `exec sleep 600`)
	p.Kill()
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
}

func TestSignal(t *testing.T) {
	p := run(t, `trap "echo caught" USR1; echo ready; while :; do sleep 0.01; done`)
	await(t, p, says(p, "ready"))
	if err := p.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	await(t, p, says(p, "caught"))
	p.Kill()
	if err := p.Signal(syscall.SIGUSR1); err == nil {
		t.Error("no error for a program that has ended")
	}
}

func TestAwaitGivesUp(t *testing.T) {
	p := run(t, `echo busy; exec sleep 600`)
	await(t, p, says(p, "busy"))
	never := func(context.Context) bool { return false }
	err := p.Await(t.Context(), time.Millisecond, never)
	if want := "the script does not answer after 1ms; its last lines:\nbusy"; err == nil || err.Error() != want {
		t.Errorf("out of time: got %v, want %s", err, want)
	}
	over, end := context.WithCancelCause(t.Context())
	cause := errors.New("the test is over")
	end(cause)
	if err := p.Await(over, bound, never); !errors.Is(err, cause) {
		t.Errorf("the context ended: got %v, want %v", err, cause)
	}
}

func TestProbes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ready" {
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	free, err := FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		probe Probe
		want  bool
	}{
		"listening":      {Listening(server.Listener.Addr().String()), true},
		"nobody listens": {Listening(free), false},
		"serving":        {Serving(server.URL + "/ready"), true},
		"not found":      {Serving(server.URL + "/other"), false},
		"nobody serves":  {Serving("http://" + free), false},
		"no address":     {Serving("://"), false},
	} {
		if got := c.probe(t.Context()); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestFreeAddressesDiffer(t *testing.T) {
	addresses, err := FreeAddresses(20)
	if err != nil {
		t.Fatal(err)
	}
	different := map[string]bool{}
	for _, address := range addresses {
		different[address] = true
	}
	if len(different) != 20 {
		t.Errorf("got %v, want 20 different ones", addresses)
	}
}
