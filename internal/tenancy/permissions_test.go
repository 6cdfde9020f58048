package tenancy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestPermissions(t *testing.T) {
	const command = "kubectl annotate --overwrite namespace shop holdfast.dev/allow="
	cases := map[string]struct {
		value  string
		allows bool
		with   string
	}{
		"none":                            {with: "DataLoss"},
		"it alone":                        {value: "DataLoss", allows: true, with: "DataLoss"},
		"among others, with spaces":       {value: " PolicyOfOwnAccounts , DataLoss,", allows: true, with: "DataLoss,PolicyOfOwnAccounts"},
		"others":                          {value: "PolicyOfOwnAccounts", with: "PolicyOfOwnAccounts,DataLoss"},
		"one that begins like it":         {value: "DataLossOfOthers", with: "DataLossOfOthers,DataLoss"},
		"in lower case, which is no one":  {value: "dataloss", with: "dataloss,DataLoss"},
		"a wildcard, which means nothing": {value: "*", with: "*,DataLoss"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := ReadPermissions(map[string]string{v1alpha1.AllowAnnotation: tc.value})
			if got := p.Allow(v1alpha1.AllowDataLoss); got != tc.allows {
				t.Errorf("allows: %t", got)
			}
			if diff := cmp.Diff(command+tc.with, p.With("shop", v1alpha1.AllowDataLoss)); diff != "" {
				t.Errorf("command (-want +got):\n%s", diff)
			}
		})
	}
	list := func(value string) Permissions {
		return ReadPermissions(map[string]string{v1alpha1.AllowAnnotation: value})
	}
	if list("DataLoss, PolicyOfOwnAccounts") != list("PolicyOfOwnAccounts,DataLoss,DataLoss") {
		t.Error("the same permissions differ")
	}
}

func TestPermissionsComeWithTheBinding(t *testing.T) {
	annotations := map[string]string{v1alpha1.ProjectIDAnnotation: "shop-prod", v1alpha1.AllowAnnotation: v1alpha1.AllowDataLoss}
	binding, refusal := Resolve("shop", annotations, "", "")
	if refusal != nil || !binding.Allow(v1alpha1.AllowDataLoss) || binding.Allow(v1alpha1.AllowPolicyOfOwnAccounts) {
		t.Errorf("binding %+v, refusal %v", binding, refusal)
	}
}
