// Package monitoring tests config/prometheus and config/grafana with the real Prometheus: the rules, the queries of the
// dashboard, and an incident in which the alerts fire and resolve.
package monitoring

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/test/process"
)

// patience bounds every wait.
const patience = 90 * time.Second

// programs skips a test unless the suite was asked for, and fails it if a program is missing that was not.
func programs(t *testing.T, names ...string) []string {
	t.Helper()
	if os.Getenv("HOLDFAST_MONITORING") == "" {
		t.Skip("runs in `make monitoring`, which needs Debian's package prometheus")
	}
	paths := make([]string, 0, len(names))
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("%v: install Debian's package prometheus", err)
		}
		paths = append(paths, path)
	}
	return paths
}

// freeAddress is an address of the loopback interface that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := process.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
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
