package main

import (
	"math"
	"slices"
	"time"
)

// quota is one of Google's default quotas.
type quota struct {
	name      string
	perSecond float64
	// perProject says that it is one for each project of a resource; else it is one for all that the operator calls.
	perProject bool
	// methods are those that count against it, as the emulator names them.
	methods []string
}

// quotas are those that a fleet can come up against; internal/gcp/quotas.go says where Google documents them.
var quotas = []quota{
	{"writes of IAM", 10, false, []string{"iam IAM.CreateServiceAccount", "iam IAM.PatchServiceAccount", "iam IAM.SetIamPolicy"}},
	{"reads of IAM", 100, false, []string{"iam IAM.GetServiceAccount", "iam IAM.ListServiceAccounts", "iam IAM.GetIamPolicy"}},
	{"reads of Resource Manager", 10, false, []string{"resourcemanager Projects.GetProject", "resourcemanager Projects.GetIamPolicy"}},
	{"writes of Resource Manager", 10, false, []string{"resourcemanager Projects.SetIamPolicy"}},
	{"creations of buckets in a project", 0.5, true, []string{"storage buckets.insert"}},
	{"operations of Pub/Sub in a project", 100, true, []string{
		"pubsub Publisher.CreateTopic", "pubsub Publisher.UpdateTopic", "pubsub Publisher.GetTopic", "pubsub Publisher.ListTopics",
		"pubsub IAMPolicy.GetIamPolicy", "pubsub IAMPolicy.SetIamPolicy",
	}},
}

// bound is the least time that calls take within a share of the quotas, and the quota that says so. Calls that count per project are
// taken to be spread evenly.
func bound(calls tally, projects int, share float64) (least time.Duration, by string) {
	for _, q := range quotas {
		n := float64(calls.sum(func(name string) bool { return slices.Contains(q.methods, name) }))
		if q.perProject {
			n = math.Ceil(n / float64(projects))
		}
		if takes := time.Duration(n / (q.perSecond * share) * float64(time.Second)); takes > least {
			least, by = takes, q.name
		}
	}
	return least, by
}

// serviceQuota is a quota as the emulator takes it.
type serviceQuota struct {
	Service   string `json:"service"`
	PerMinute int    `json:"perMinute"`
}

// emulated are the quotas that the emulator enforces: it counts all calls to a service together.
var emulated = []serviceQuota{{"iam", 6600}, {"resourcemanager", 1440}, {"pubsub", 6000}}
