package main

import (
	"testing"
	"time"
)

func TestBound(t *testing.T) {
	for name, tc := range map[string]struct {
		calls tally
		least time.Duration
		by    string
	}{
		"nothing":               {nil, 0, ""},
		"what nobody limits":    {tally{"storage buckets.getIamPolicy": 1000}, 0, ""},
		"accounts":              {tally{"iam IAM.CreateServiceAccount": 800, "iam IAM.SetIamPolicy": 160}, 120 * time.Second, "iam writes"},
		"the slower of two":     {tally{"iam IAM.CreateServiceAccount": 80, "iam IAM.ListServiceAccounts": 8000}, 100 * time.Second, "iam reads"},
		"buckets, by project":   {tally{"storage buckets.insert": 41}, 12500 * time.Millisecond, "storage creates"},
		"topics, by project":    {tally{"pubsub Publisher.CreateTopic": 8000, "pubsub IAMPolicy.GetIamPolicy": 1}, 10012500 * time.Microsecond, "pubsub"},
		"policies and projects": {tally{"resourcemanager Projects.GetProject": 10, "resourcemanager Projects.GetIamPolicy": 70}, 10 * time.Second, "resourcemanager reads"},
	} {
		t.Run(name, func(t *testing.T) {
			if least, by := bound(tc.calls, 10, 0.8); least != tc.least || by != tc.by {
				t.Errorf("%s by %q, want %s by %q", least, by, tc.least, tc.by)
			}
		})
	}
}

// TestSweepShare: two sweeps of 30 projects, each with a list of accounts, and a policy that is read in every other sweep.
func TestSweepShare(t *testing.T) {
	calls := tally{"iam IAM.ListServiceAccounts": 60, "pubsub Publisher.ListTopics": 60, "storage buckets.list": 60, "resourcemanager Projects.GetIamPolicy": 30}
	for name, tc := range map[string]struct {
		interval time.Duration
		part     float64
	}{
		"as shipped":              {shippedSweep, 0.3125}, // 1,500 reads at 8 a second
		"too often for the quota": {time.Minute, 3.125},
	} {
		t.Run(name, func(t *testing.T) {
			if part, by := sweepShare(calls, 2, 30, 0.8, tc.interval); part != tc.part || by != "resourcemanager reads" {
				t.Errorf("%g by %q, want %g", part, by, tc.part)
			}
		})
	}
}
