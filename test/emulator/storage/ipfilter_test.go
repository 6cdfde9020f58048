package storage

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestIPFilter: what a filter may be, and how it shows.
func TestIPFilter(t *testing.T) {
	many := func(n int) string {
		var ranges []string
		for i := range n {
			ranges = append(ranges, fmt.Sprintf(`"10.0.%d.0/24"`, i))
		}
		return strings.Join(ranges, ",")
	}
	network := func(n int) string {
		return fmt.Sprintf(`{"network": "projects/p/global/networks/n%d", "allowedIpCidrRanges": ["10.0.0.0/8"]}`, n)
	}
	var networks []string
	for i := range 26 {
		networks = append(networks, network(i))
	}
	const off = `{"mode": "Disabled", "allowCrossOrgVpcs": false, "allowAllServiceAgentAccess": false}`
	for name, c := range map[string]struct {
		before, patch string
		// shown is the filter after the patch; empty for none.
		shown string
		want  refusal
	}{
		"none":     {patch: `{"labels": {"a": "b"}}`},
		"enabled":  {patch: `{"ipFilter": {"mode": "Enabled", "allowAllServiceAgentAccess": true}}`, shown: `{"mode": "Enabled", "allowCrossOrgVpcs": false, "allowAllServiceAgentAccess": true}`},
		"disabled": {patch: `{"ipFilter": {"mode": "Disabled"}}`, shown: off},
		"a list is replaced, the rest is kept": {
			before: `{"mode": "Disabled", "publicNetworkSource": {"allowedIpCidrRanges": ["192.0.2.0/24", "2001:db8::/32"]}, "vpcNetworkSources": [` + network(1) + `]}`,
			patch:  `{"ipFilter": {"publicNetworkSource": {"allowedIpCidrRanges": ["203.0.113.0/24"]}}}`,
			shown: `{"mode": "Disabled", "publicNetworkSource": {"allowedIpCidrRanges": ["203.0.113.0/24"]}, "vpcNetworkSources": [` + network(1) + `],
				"allowCrossOrgVpcs": false, "allowAllServiceAgentAccess": false}`,
		},
		"one that goes stays, disabled":     {before: `{"mode": "Disabled", "publicNetworkSource": {"allowedIpCidrRanges": ["192.0.2.0/24"]}}`, patch: `{"ipFilter": null}`, shown: off},
		"no mode":                           {patch: `{"ipFilter": {"allowCrossOrgVpcs": true}}`, want: refusal{400, "required", "IP filter mode is required."}},
		"another mode":                      {patch: `{"ipFilter": {"mode": "enabled"}}`, want: invalid("Invalid value for: enabled is not a valid value")},
		"nothing said about service agents": {patch: `{"ipFilter": {"mode": "Enabled"}}`, want: refusal{400, "required", "The IP filter must say whether to allow all service agents access."}},
		"an address":                        {patch: `{"ipFilter": {"mode": "Disabled", "publicNetworkSource": {"allowedIpCidrRanges": ["192.0.2.1"]}}}`, want: invalid("Invalid CIDR range: '192.0.2.1'.")},
		"bits beyond the prefix":            {patch: `{"ipFilter": {"mode": "Disabled", "publicNetworkSource": {"allowedIpCidrRanges": ["192.0.2.1/24"]}}}`, want: invalid("Invalid CIDR range: '192.0.2.1/24'.")},
		"a network that is none":            {patch: `{"ipFilter": {"mode": "Disabled", "vpcNetworkSources": [{"network": "default"}]}}`, want: invalid("Invalid VPC network: 'default'.")},
		"too many ranges":                   {patch: `{"ipFilter": {"mode": "Disabled", "publicNetworkSource": {"allowedIpCidrRanges": [` + many(200) + `]}, "vpcNetworkSources": [` + network(1) + `]}}`, want: invalid("The IP filter has 201 IP CIDR ranges. At most 200 are allowed.")},
		"too many networks":                 {patch: `{"ipFilter": {"mode": "Disabled", "vpcNetworkSources": [` + strings.Join(networks, ",") + `]}}`, want: invalid("The IP filter has 26 VPC networks. At most 25 are allowed.")},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			before := ""
			if c.before != "" {
				before = `"ipFilter": ` + c.before
			}
			h.create(t, "fenced", before)
			a := h.do(t, "PATCH", "/b/fenced", c.patch)
			if c.want != (refusal{}) {
				if diff := cmp.Diff(c.want, refusal{a.status, a.reason(), a.message()}); diff != "" {
					t.Errorf("refusal (-want +got):\n%s", diff)
				}
				return
			}
			var want any
			if c.shown != "" {
				var err error
				if want, err = decode([]byte(c.shown)); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want, a.doc["ipFilter"]); diff != "" {
				t.Errorf("filter (-want +got):\n%s", diff)
			}
		})
	}
}

// TestIPFilterApplies: who is let in, and who gets to see or change the filter.
func TestIPFilterApplies(t *testing.T) {
	const elsewhere, here = `{"mode": "Enabled", "allowAllServiceAgentAccess": false, "publicNetworkSource": {"allowedIpCidrRanges": ["203.0.113.0/24"]}}`,
		`{"mode": "Enabled", "allowAllServiceAgentAccess": false, "publicNetworkSource": {"allowedIpCidrRanges": ["192.0.2.0/24"]}}`
	filtered := refusal{403, "forbidden", "There is an IP filtering condition that is preventing access to the resource."}
	lacks := func(permission string) refusal {
		return refusal{403, "forbidden", "caller@emulator.iam.gserviceaccount.com does not have " + permission +
			" access to the Google Cloud Storage bucket. Permission '" + permission + "' denied on resource (or it may not exist)."}
	}
	ok := refusal{Status: 200}
	for name, c := range map[string]struct {
		filter, withheld, verb, path, body string
		want                               refusal
		// shown are the fields of the filter in the answer.
		shown []string
	}{
		"let in":                       {here, exemptIPFilter, "GET", "/b/fenced/o", "", ok, nil},
		"exempt, for the bucket":       {elsewhere, "", "GET", "/b/fenced", "", ok, []string{"allowAllServiceAgentAccess", "allowCrossOrgVpcs", "mode", "publicNetworkSource"}},
		"exempt, to change it":         {elsewhere, "", "PATCH", "/b/fenced", `{"ipFilter": {"mode": "Disabled"}}`, ok, []string{"allowAllServiceAgentAccess", "allowCrossOrgVpcs", "mode", "publicNetworkSource"}},
		"not exempt":                   {elsewhere, exemptIPFilter, "GET", "/b/fenced", "", filtered, nil},
		"not exempt, for the policy":   {elsewhere, "", "GET", "/b/fenced/iam", "", filtered, nil},
		"not exempt, for objects":      {elsewhere, "", "GET", "/b/fenced/o", "", filtered, nil},
		"one that does not apply":      {`{"mode": "Disabled"}`, exemptIPFilter, "GET", "/b/fenced/o", "", ok, nil},
		"not shown without permission": {here, getIPFilter, "GET", "/b/fenced", "", ok, nil},
		"not set without permission":   {here, setIPFilter, "PATCH", "/b/fenced", `{"ipFilter": {"mode": "Disabled"}}`, lacks(setIPFilter), nil},
		"nor with a new bucket":        {here, setIPFilter, "POST", "/b?project=" + testProject, `{"name": "more", "ipFilter": {"mode": "Disabled"}}`, lacks(setIPFilter), nil},
		"another change":               {here, setIPFilter, "PATCH", "/b/fenced", `{"labels": {"a": "b"}}`, ok, []string{"allowAllServiceAgentAccess", "allowCrossOrgVpcs", "mode", "publicNetworkSource"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.create(t, "fenced", `"ipFilter": `+c.filter)
			if c.withheld != "" {
				if err := h.projects.Withhold(testProject, c.withheld); err != nil {
					t.Fatal(err)
				}
			}
			a := h.do(t, c.verb, c.path, c.body)
			if diff := cmp.Diff(c.want, refusal{a.status, a.reason(), a.message()}); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			var shown []string
			for field := range object(a.doc, "ipFilter") {
				shown = append(shown, field)
			}
			slices.Sort(shown)
			if diff := cmp.Diff(c.shown, shown); diff != "" {
				t.Errorf("what shows of the filter (-want +got):\n%s", diff)
			}
		})
	}
}

// TestIPFilterInLists: a list says whether it is enabled, and no more.
func TestIPFilterInLists(t *testing.T) {
	h := newHarness(t)
	h.create(t, "fenced", `"ipFilter": {"mode": "Disabled", "publicNetworkSource": {"allowedIpCidrRanges": ["192.0.2.0/24"]}}`)
	items := list(h.must(t, "GET", "/b?project="+testProject, ""), "items")
	if diff := cmp.Diff(document{"mode": "Disabled"}, items[0].(document)["ipFilter"]); diff != "" {
		t.Errorf("filter (-want +got):\n%s", diff)
	}
}
