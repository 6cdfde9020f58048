// Package monitoring tests config/prometheus and config/grafana with the real Prometheus: the rules, the queries of the
// dashboard, and an incident in which the alerts fire and resolve.
package monitoring

import (
	"os"
	"os/exec"
	"testing"
)

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
