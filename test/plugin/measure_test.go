package plugin

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/process"
)

// The tests of fleets are small unless the environment says otherwise, as make bench-plugin does. What they count and how much memory the plugin
// takes has a bound in each size. How long something takes depends on the machine and is only told.

// sizeOf is a number that the environment sets.
func sizeOf(t *testing.T, name string, otherwise int) int {
	t.Helper()
	set := os.Getenv(name)
	if set == "" {
		return otherwise
	}
	size, err := strconv.Atoi(set)
	if err != nil {
		t.Fatalf("reading $%s: %v", name, err)
	}
	return size
}

// slow has each call to Google Cloud take as long as the environment says.
func (w *world) slow() {
	w.t.Helper()
	set := os.Getenv("HOLDFAST_LATENCY")
	if set == "" {
		return
	}
	latency, err := time.ParseDuration(set)
	w.must(err)
	w.cloud.Traffic.Inject(traffic.Fault{Latency: latency})
}

// measured is how the plugin ended, and what it took.
type measured struct {
	result

	took, processor time.Duration
	// memory is the most resident memory, in MiB.
	memory float64
}

func (m measured) String() string {
	return fmt.Sprintf("%.2f s (%.2f s of processor time), %.0f MiB", m.took.Seconds(), m.processor.Seconds(), m.memory)
}

// measure runs a command to its end.
func (w *world) measure(cmd *exec.Cmd) measured {
	w.t.Helper()
	began := time.Now()
	end := w.begin(cmd)
	memory := process.WatchMemory(cmd.Process.Pid)
	m := measured{result: end(), took: time.Since(began), memory: memory()}
	m.processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return m
}

// mostMemory is what the plugin may take of it, in MiB, whatever the size of a fleet.
const mostMemory = 256

// within says that the plugin took no more memory than it may.
func (w *world) within(what string, m measured) {
	w.t.Helper()
	if m.memory > mostMemory {
		w.t.Errorf("%s took %.0f MiB, want %d at most", what, m.memory, mostMemory)
	}
}

// calls are the calls to Google Cloud since a mark.
func (w *world) calls(mark int64) []traffic.Call {
	var out []traffic.Call
	for _, entry := range w.cloud.Traffic.Since(mark) {
		out = append(out, entry.Call)
	}
	return out
}

// counts that exactly these calls were made, by method.
func (w *world) counts(what string, want map[string]int, calls []traffic.Call) {
	w.t.Helper()
	got := map[string]int{}
	for _, call := range calls {
		got[call.String()]++
	}
	for _, method := range slices.Sorted(maps.Keys(got)) {
		w.t.Logf("%s: %6d %s", what, got[method], method)
	}
	if d := cmp.Diff(want, got); d != "" {
		w.t.Errorf("calls of %s (-want +got):\n%s", what, d)
	}
}
