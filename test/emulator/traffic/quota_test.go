package traffic

import (
	"fmt"
	"net/http"
	"strings"
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

// TestQuotasOfWhatGoogleCountsTogether: each sort of calls has its own, and creating and deleting buckets is counted in spans of two seconds.
func TestQuotasOfWhatGoogleCountsTogether(t *testing.T) {
	now := time.Now()
	control := New(WithClock(func() time.Time { return now }))
	for name := range GoogleQuotas {
		control.SetQuota(name, "", 2)
	}
	control.SetQuota("storage creates", "", 30)
	refused := func(method string, times int) (n int) {
		service, method, _ := strings.Cut(method, " ")
		for range times {
			if control.arrive(arrival{Call: Call{Service: service, Method: method, Project: "p"}}).refusal != nil {
				n++
			}
		}
		return n
	}
	for _, tc := range []struct {
		method        string
		times, refuse int
	}{
		{"iam IAM.GetServiceAccount", 1, 0}, {"iam IAM.ListServiceAccounts", 2, 1}, {"iam IAM.CreateServiceAccount", 3, 1},
		{"resourcemanager Projects.GetProject", 3, 1}, {"resourcemanager Projects.ListProjects", 3, 1}, {"resourcemanager Projects.SetIamPolicy", 3, 1},
		{"pubsub Publisher.GetTopic", 1, 0}, {"pubsub Publisher.CreateTopic", 2, 1},
		{"storage buckets.insert", 1, 0}, {"storage buckets.delete", 1, 1}, {"storage buckets.get", 100, 0}, {"storage buckets.patch", 100, 0},
	} {
		if n := refused(tc.method, tc.times); n != tc.refuse {
			t.Errorf("of %d calls of %s %d are refused, want %d", tc.times, tc.method, n, tc.refuse)
		}
	}
	now = now.Add(2 * time.Second)
	if n := refused("storage buckets.delete", 2); n != 1 {
		t.Errorf("two seconds later %d of 2 deletions are refused, want 1", n)
	}
}
