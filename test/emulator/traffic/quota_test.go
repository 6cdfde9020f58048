package traffic

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestQuota(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.SetQuota("storage", "", 2)
	s.SetQuota("storage", "rich", 3)
	got := map[string][]int{}
	for range 4 {
		for _, project := range []string{"poor", "other", "rich"} {
			got[project] = append(got[project], s.status(t, "/buckets.get/"+project+"/a"))
		}
	}
	want := map[string][]int{"poor": {201, 201, 429, 429}, "other": {201, 201, 429, 429}, "rich": {201, 201, 201, 429}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	s.now = s.now.Add(time.Minute)
	if got := s.status(t, "/buckets.get/poor/a"); got != http.StatusCreated {
		t.Errorf("a minute later: %d", got)
	}
	if diff := cmp.Diff(map[string]map[string]int{"storage": {"": 2, "rich": 3}}, s.Quotas()); diff != "" {
		t.Errorf("quotas (-want +got):\n%s", diff)
	}
	s.SetQuota("storage", "rich", 0)
	s.SetQuota("storage", "", 0)
	for range 5 {
		if got := s.status(t, "/buckets.get/poor/a"); got != http.StatusCreated {
			t.Errorf("without a quota: %d", got)
		}
	}
}
