package traffic

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFaultsFollowEachOther(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.Inject(Fault{Times: 2, Status: http.StatusServiceUnavailable})
	s.Inject(Fault{Times: 1, Status: http.StatusTooManyRequests})
	var got []int
	for range 4 {
		got = append(got, s.status(t, "/buckets.get/p/a"))
	}
	if diff := cmp.Diff([]int{503, 503, 429, 201}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if len(s.executed) != 1 || s.Total() != 4 {
		t.Errorf("%d carried out and %d counted, want 1 and 4", len(s.executed), s.Total())
	}
	if faults := s.Faults(); len(faults) != 0 {
		t.Errorf("used up, but still there: %v", faults)
	}
}

func TestFaultsUntilRemoved(t *testing.T) {
	s := newServer(t, StorageErrors)
	id := s.Inject(Fault{Match: Call{Resource: "a"}, Status: http.StatusForbidden})
	for range 3 {
		if got := s.status(t, "/buckets.get/p/a"); got != http.StatusForbidden {
			t.Errorf("status %d", got)
		}
	}
	if got := s.status(t, "/buckets.get/p/b"); got != http.StatusCreated {
		t.Errorf("another resource: %d", got)
	}
	if faults := s.Faults(); len(faults) != 1 || faults[0].ID != id || faults[0].Status != http.StatusForbidden {
		t.Errorf("faults: %v", faults)
	}
	s.Remove(id)
	if got := s.status(t, "/buckets.get/p/a"); got != http.StatusCreated {
		t.Errorf("after removing: %d", got)
	}
}

func TestLatenciesAddUp(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.Inject(Fault{Latency: 30 * time.Millisecond})
	s.Inject(Fault{Latency: 20 * time.Millisecond, Times: 1, Status: http.StatusServiceUnavailable})
	start := time.Now()
	if got := s.status(t, "/buckets.get/p/a"); got != http.StatusServiceUnavailable {
		t.Errorf("status %d", got)
	}
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("took %v, want 50ms or more", took)
	}
}

func TestLostReply(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.Record(true)
	s.Inject(Fault{Times: 1, LoseReply: true})
	if _, err := s.post(t, "/buckets.patch/p/a", "x"); err == nil {
		t.Error("the reply came")
	}
	if got := <-s.executed; got != "x" {
		t.Errorf("carried out with %q", got)
	}
	if entry := s.Journal()[0]; !entry.Lost || !entry.Executed || entry.Status != http.StatusCreated {
		t.Errorf("entry: %+v", entry)
	}
}

func TestOutage(t *testing.T) {
	s := newServer(t, StorageErrors)
	id := s.Inject(Fault{Outage: true})
	if _, err := s.post(t, "/buckets.patch/p/a", ""); err == nil {
		t.Error("an answer came")
	}
	if len(s.executed) != 0 || s.Total() != 0 {
		t.Errorf("%d carried out, %d counted", len(s.executed), s.Total())
	}
	s.Remove(id)
	if got := s.status(t, "/buckets.patch/p/a"); got != http.StatusCreated {
		t.Errorf("after the outage: %d", got)
	}
}
