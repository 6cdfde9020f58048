package main

import (
	"math"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// bound is the least time that calls take within a share of Google's default quotas, as the emulator has them, and the quota that says so. Calls
// that count per project of a resource are taken to be spread evenly.
func bound(calls tally, projects int, share float64) (least time.Duration, by string) {
	for name, n := range counted(calls, projects) {
		takes := time.Duration(n / (float64(traffic.GoogleQuotas[name]) * share) * float64(time.Minute))
		if takes > least || takes == least && takes > 0 && name < by {
			least, by = takes, name
		}
	}
	return least, by
}

// counted is how many of the calls count against each quota that there is; of those that each project of a resource has, against one of them.
func counted(calls tally, projects int) map[string]float64 {
	all, shared := map[string]float64{}, map[string]bool{}
	for method, n := range calls {
		service, name, _ := strings.Cut(method, " ")
		call := traffic.Call{Service: service, Method: name}
		for _, quota := range call.Quotas() {
			if traffic.GoogleQuotas[quota] > 0 {
				all[quota] += float64(n)
				shared[quota] = call.ByCredentials()
			}
		}
	}
	for quota, n := range all {
		if !shared[quota] {
			all[quota] = math.Ceil(n / float64(projects))
		}
	}
	return all
}

// modelProjects are those of the model fleet.
const modelProjects = 3_000

// sweepShare is how much of an interval the calls of one sweep take, if they were those of as many projects as the model fleet has, and the quota
// that says so. It only counts: each quota may be used at the operator's share of it, and is there for the sweep alone.
func sweepShare(calls tally, sweeps float64, projects int, share float64, interval time.Duration) (part float64, by string) {
	modelled := tally{}
	for method, n := range calls {
		modelled[method] = int(math.Ceil(float64(n) * modelProjects / float64(projects) / sweeps))
	}
	least, by := bound(modelled, modelProjects, share)
	return least.Seconds() / interval.Seconds(), by
}
