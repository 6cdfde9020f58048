package plugin

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// mostCalls is more than any script of these tests calls programs.
const mostCalls = 100

// move is a handover under way.
type move struct {
	*shell

	// namespace is where Holdfast's objects are, and want how many there are at the end.
	namespace string
	want      int
	// left says what the former holder still has, sorted, and does not let go.
	left func() []string
	// mark is where in the traffic the handover begins.
	mark int64
}

// begin says that the handover begins.
func (m *move) begin() { m.mark = m.cloud.Traffic.Mark() }

// ready says whether all of Holdfast's objects are there, and Ready.
func (m *move) ready() bool {
	m.t.Helper()
	n := 0
	for _, k := range kinds.All(nil) {
		list, err := scheme.New(v1alpha1.GroupVersion.WithKind(k.Kind + "List"))
		m.must(err)
		m.must(m.kube.List(m.t.Context(), list.(client.ObjectList), client.InNamespace(m.namespace)))
		m.must(meta.EachListItem(list, func(item runtime.Object) error {
			status := item.(v1alpha1.Object).GetCommonStatus()
			if meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) {
				n++
			}
			return nil
		}))
	}
	return n == m.want
}

// keeps checks what holds at any time: nothing is written, and the former holder lets go of nothing before Holdfast holds all of it.
func (m *move) keeps(all []string) {
	m.t.Helper()
	if writes := m.cloud.Traffic.WritesSince(m.mark); len(writes) > 0 {
		m.t.Fatalf("handing over wrote: %+v", writes)
	}
	if left := m.left(); !slices.Equal(left, all) && !m.ready() {
		m.t.Fatalf("of %q only %q are left, and Holdfast does not hold them", all, left)
	}
}

// interruptsEverywhere runs the script again and again, and has it killed after its first call, after its second, and so on, until it comes to its end.
func (m *move) interruptsEverywhere() {
	m.t.Helper()
	all := m.left()
	for calls := 1; ; calls++ {
		m.interruptedAfter(calls)
		got := m.sh("sh handover.sh")
		m.keeps(all)
		switch {
		case got.code == 0:
			m.uninterrupted()
			return
		case got.code > 0, calls == mostCalls:
			m.t.Fatalf("interrupted after %d calls it ended with %d\n%s%s", calls, got.code, got.stdout, got.stderr)
		}
	}
}
