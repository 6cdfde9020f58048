package tenancy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestReferenceRefusal(t *testing.T) {
	const refusal = "namespace identities does not allow references from shop: ask its administrator for holdfast.dev/allow-references-from=shop"
	allowing := func(list string) map[string]string {
		return map[string]string{v1alpha1.AllowReferencesFromAnnotation: list}
	}
	cases := map[string]struct {
		annotations map[string]string
		from        string
		want        string
	}{
		"within a namespace, nothing is asked":         {from: "identities"},
		"within a namespace, whatever it allows":       {annotations: allowing("billing"), from: "identities"},
		"a namespace that is listed":                   {annotations: allowing("shop"), from: "shop"},
		"a namespace among others, with spaces":        {annotations: allowing("billing, shop ,analytics"), from: "shop"},
		"a namespace that allows nobody, or is absent": {from: "shop", want: refusal},
		"a namespace that has other annotations":       {annotations: map[string]string{v1alpha1.ProjectIDAnnotation: "shop"}, from: "shop", want: refusal},
		"an empty list":                                {annotations: allowing(""), from: "shop", want: refusal},
		"others are listed, and not told":              {annotations: allowing("billing,analytics"), from: "shop", want: refusal},
		"a longer name is listed":                      {annotations: allowing("shop-eu"), from: "shop", want: refusal},
		"a wildcard, which means nothing":              {annotations: allowing("*"), from: "shop", want: refusal},
		"a pattern, which means nothing":               {annotations: allowing("sho*"), from: "shop", want: refusal},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ReferenceRefusal("identities", tc.annotations, tc.from)); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
		})
	}
}
