package main

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	found := newReport(settings{model: model{300, 20}, quotas: true, latency: 50 * time.Millisecond, sweep: time.Second}, newProgress(io.Discard))
	found.Version, found.Cores = "v1", 2
	found.add(duration, "create", "from apply to all Ready", 1234.5, "s")
	found.most(count, "create", "calls per resource", 1.234, 1.3, "", "1 lists")
	found.most(count, "steady", "writes", 3, 0, "")
	found.most(count, "create", "calls per resource", 1.345, 1.3, "", "2 lists") // a later run of the phase
	want := `300 resources in 20 projects; 50ms a call; quotas on, of which the operator uses 0.8; a sweep every 1s, of policies every 6s; 2 cores; v1.

| phase | figure | value | target | |
|---|---|---:|---:|---|
| | **counts** | | | |
| steady | writes | 3 | ≤ 0 | not met |
| create | calls per resource (2 lists) | 1.34 | ≤ 1.30 | not met |
| | **times** | | | |
| create | from apply to all Ready | 1,234 s |  |  |
`
	check := func(r *report) {
		t.Helper()
		var table bytes.Buffer
		if err := r.table(&table); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, table.String()); d != "" {
			t.Errorf("table (-want +got):\n%s", d)
		}
		if missed := r.missed(count); len(missed) != 2 {
			t.Errorf("%d counts are missed, want 2", len(missed))
		}
	}
	check(found)
	file := filepath.Join(t.TempDir(), "figures.json")
	if err := found.save(file); err != nil {
		t.Fatal(err)
	}
	later := &report{Version: "v1", Cores: 2, Settings: found.Settings, show: newProgress(io.Discard)}
	if err := later.load(file); err != nil {
		t.Fatal(err)
	}
	check(later)
	other := &report{Settings: "another size"}
	if err := other.load(file); err == nil || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("figures of another size were taken: %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"an argument":         {[]string{"now"}, `unexpected argument "now": everything is said by flags`},
		"an unknown phase":    {[]string{"--phases=create,rest"}, `--phases: "rest" is none; the phases are floor, create, upgrade, steady, edit, change, drift, restart`},
		"neither on nor off":  {[]string{"--quotas=yes"}, "--quotas yes: want on or off"},
		"one project":         {[]string{"--projects=1"}, "--projects 1: want 2 to 9999"},
		"too few resources":   {[]string{"--resources=30", "--projects=10"}, "--resources 30: want at least four for each of the 10 projects"},
		"nothing to count":    {[]string{"--sweeps=1"}, "--sweeps 1: want at least 2, of which the first is not counted"},
		"a flag nobody knows": {[]string{"--fast"}, "flag provided but not defined: -fast"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(tc.args, io.Discard); err == nil || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}
