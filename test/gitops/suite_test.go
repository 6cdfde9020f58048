package gitops

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// patience bounds every wait for one thing where a world has no other.
const patience = 2 * time.Minute

// The world that all scenarios but the fleet's share; each has namespaces, a project and a repository of its own.
var shared = sync.OnceValues(func() (*world, error) {
	return startWorld("shared", worldOptions{sweep: 10 * time.Second, argo: true})
})

// started are the worlds that have to be ended.
var (
	startedLock sync.Mutex
	started     []*world
)

func TestMain(m *testing.M) {
	// Scenarios mostly wait.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	ctrl.SetLogger(logr.Discard()) // what fails is returned, too
	// What another world's kustomize-controller would be at, as ours starts.
	others, err := os.MkdirTemp("", "kustomization-")
	if err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.Remove(others); err != nil {
		fmt.Fprintln(os.Stderr, "a program of a world removed what is another's:", err)
		code = 1
	}
	for _, w := range started {
		if err := w.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "ending the world:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// wanted skips a test unless the suite was asked for.
func wanted(t *testing.T) {
	t.Helper()
	if os.Getenv("HOLDFAST_KUSTOMIZE_CONTROLLER") == "" {
		t.Skip("left out: run `make e2e`, which finds or builds Flux and Argo CD first")
	}
}

// sharedWorld is the world of most scenarios.
func sharedWorld(t *testing.T) *world {
	t.Helper()
	wanted(t)
	w, err := shared()
	if err != nil {
		t.Fatalf("starting the world: %v", err)
	}
	return w
}

// begin makes a folder for what runs, and has all that is started ended.
func begin(w *world) error {
	startedLock.Lock()
	defer startedLock.Unlock()
	started = append(started, w)
	var err error
	if w.folder, err = os.MkdirTemp("", "holdfast-gitops-"); err != nil {
		return err
	}
	w.later(func() error { return os.RemoveAll(w.folder) })
	if w.logs = os.Getenv("HOLDFAST_GITOPS_LOGS"); w.logs == "" {
		w.logs = filepath.Join(w.folder, "logs")
	}
	w.logs = filepath.Join(w.logs, w.name)
	return os.MkdirAll(w.logs, 0o755)
}
