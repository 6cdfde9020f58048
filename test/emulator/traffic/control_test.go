package traffic

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCounts(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.status(t, "/buckets.get/p/a")
	s.status(t, "/buckets.get/q/b")
	s.status(t, "/buckets.patch/p/a")
	s.status(t, "/unnamed")
	want := map[string]int{"storage buckets.get": 2, "storage buckets.patch": 1}
	if diff := cmp.Diff(want, s.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	got := []int{s.Total(), s.Total("storage"), s.Total("pubsub"), s.Count(Call{Project: "p"}), s.Count(Call{Resource: "b"})}
	if diff := cmp.Diff([]int{3, 3, 0, 2, 1}, got); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	s.ResetCounts()
	if s.Total() != 0 {
		t.Errorf("after the reset: %d", s.Total())
	}
}
