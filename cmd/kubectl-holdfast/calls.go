package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/importer"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// requests is the metric that counts calls to Google Cloud.
const requests = "holdfast_gcp_requests_total"

// callsIn are the calls to Google Cloud that a registry counted, by service and method. A method that nobody has declared counts as a write.
func callsIn(registry *prometheus.Registry) ([]importer.Call, error) {
	families, err := registry.Gather()
	if err != nil {
		return nil, err
	}
	counts := map[importer.Call]int{}
	for _, family := range families {
		if family.GetName() != requests {
			continue
		}
		for _, metric := range family.GetMetric() {
			of := map[string]string{}
			for _, label := range metric.GetLabel() {
				of[label.GetName()] = label.GetValue()
			}
			call := importer.Call{Service: of["service"], Method: of["method"], Writes: !reads(of["service"], of["method"])}
			counts[call] += int(metric.GetCounter().GetValue())
		}
	}
	calls := []importer.Call{}
	for call, n := range counts {
		call.Count = n
		calls = append(calls, call)
	}
	slices.SortFunc(calls, func(a, b importer.Call) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Method, b.Method))
	})
	return calls, nil
}

// reads says whether a method is known to change nothing.
func reads(service, method string) bool {
	return slices.ContainsFunc(slices.Concat(kinds.Methods(), gcp.Methods(), gcp.OrganizationMethods()), func(m kind.Method) bool {
		quota := m.Step.Quota()
		return string(m.Service) == service && m.Name == method && (quota == kind.QuotaReads || quota == kind.QuotaLists)
	})
}
