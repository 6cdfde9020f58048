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
		"accounts":              {tally{"iam IAM.CreateServiceAccount": 800, "iam IAM.SetIamPolicy": 160}, 120 * time.Second, "writes of IAM"},
		"the slower of two":     {tally{"iam IAM.CreateServiceAccount": 80, "iam IAM.ListServiceAccounts": 8000}, 100 * time.Second, "reads of IAM"},
		"buckets, by project":   {tally{"storage buckets.insert": 41}, 12500 * time.Millisecond, "creations of buckets in a project"},
		"policies and projects": {tally{"resourcemanager Projects.GetProject": 10, "resourcemanager Projects.GetIamPolicy": 70}, 10 * time.Second, "reads of Resource Manager"},
	} {
		t.Run(name, func(t *testing.T) {
			if least, by := bound(tc.calls, 10, 0.8); least != tc.least || by != tc.by {
				t.Errorf("%s by %q, want %s by %q", least, by, tc.least, tc.by)
			}
		})
	}
}
