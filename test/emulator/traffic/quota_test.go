package traffic

import (
	"fmt"
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

// TestQuotaOfTheCredentials: whatever project a call to IAM or Resource
// Manager is about, it uses the quota of the caller's own project, or of the
// one that it names.
func TestQuotaOfTheCredentials(t *testing.T) {
	for service, want := range map[string]map[string]int{
		"iam":             {"": 2, "named": 2},
		"resourcemanager": {"": 2, "named": 2},
		"pubsub":          {"": 6, "named": 6}, // two for each of three projects
	} {
		control := New(WithCallerProject("own"))
		control.Record(true)
		control.SetQuota(service, "", 2)
		passed := map[string]int{}
		for _, named := range []string{"", "named"} {
			for i := range 9 {
				call := Call{Service: service, Method: "X.Get", Project: fmt.Sprintf("%s-%d", named, i%3)}
				if control.arrive(arrival{Call: call, userProject: named}).refusal == nil {
					passed[named]++
				}
			}
		}
		if diff := cmp.Diff(want, passed); diff != "" {
			t.Errorf("%s: calls let through (-want +got):\n%s", service, diff)
		}
		journal := control.Journal()
		whose := map[string]bool{journal[0].QuotaProject: true, journal[len(journal)-1].QuotaProject: true}
		if service != "pubsub" && (!whose["own"] || !whose["named"]) || service == "pubsub" && !whose[""] {
			t.Errorf("%s: quota projects in the journal: %v", service, whose)
		}
	}
}
