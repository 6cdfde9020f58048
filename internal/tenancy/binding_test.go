package tenancy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestBindings(t *testing.T) {
	got := Bindings(map[string]string{
		v1alpha1.ProjectIDAnnotation: " shop ", v1alpha1.AllowedProjectIDsAnnotation: "shop-dev, shop-test,",
		v1alpha1.ImpersonateServiceAccountAnnotation: " shop@p ",
	})
	want := []Binding{
		{Project: "shop", Impersonate: "shop@p"}, {Project: "shop-dev", Impersonate: "shop@p"}, {Project: "shop-test", Impersonate: "shop@p"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bindings (-want +got):\n%s", diff)
	}
	if got := Bindings(nil); len(got) > 0 {
		t.Errorf("an unbound namespace has %v", got)
	}
}

func TestResolve(t *testing.T) {
	cases := map[string]struct {
		annotations   map[string]string
		wanted, bound string
		want          Binding
		reason        string
		message       string
	}{
		"the namespace's project is the default": {
			annotations: map[string]string{v1alpha1.ProjectIDAnnotation: "shop-prod"},
			want:        Binding{Project: "shop-prod"},
		},
		"the namespace's project may be named": {
			annotations: map[string]string{v1alpha1.ProjectIDAnnotation: "shop-prod"},
			wanted:      "shop-prod",
			want:        Binding{Project: "shop-prod"},
		},
		"an allowed project may be named, spaces in the list aside": {
			annotations: map[string]string{v1alpha1.ProjectIDAnnotation: "shop-prod", v1alpha1.AllowedProjectIDsAnnotation: "shop-dev, shop-test"},
			wanted:      "shop-test",
			want:        Binding{Project: "shop-test"},
		},
		"the identity comes with the binding": {
			annotations: map[string]string{
				v1alpha1.ProjectIDAnnotation:                 "shop-prod",
				v1alpha1.ImpersonateServiceAccountAnnotation: "holdfast@shop-prod.iam.gserviceaccount.com",
			},
			want: Binding{Project: "shop-prod", Impersonate: "holdfast@shop-prod.iam.gserviceaccount.com"},
		},
		"no binding": {
			reason:  v1alpha1.ReasonProjectUnbound,
			message: `namespace "shop" is not bound to a Google Cloud project. An administrator can bind it: kubectl annotate namespace shop holdfast.dev/project-id=PROJECT_ID`,
		},
		"a project that is not allowed": {
			annotations: map[string]string{v1alpha1.ProjectIDAnnotation: "shop-prod", v1alpha1.AllowedProjectIDsAnnotation: "shop-dev"},
			wanted:      "bank-prod",
			reason:      v1alpha1.ReasonProjectNotAllowed,
			message:     `namespace "shop" may not use spec.projectID "bank-prod". An administrator can allow it: kubectl annotate --overwrite namespace shop holdfast.dev/allowed-project-ids=shop-dev,bank-prod`,
		},
		"an object keeps its project when the namespace moves on": {
			annotations: map[string]string{v1alpha1.ProjectIDAnnotation: "shop-new"},
			bound:       "shop-prod",
			reason:      v1alpha1.ReasonBindingChanged,
			message:     `permanently bound to project "shop-prod", which namespace "shop" no longer allows; Holdfast will not write or delete. Allow it again: kubectl annotate --overwrite namespace shop holdfast.dev/allowed-project-ids=shop-prod`,
		},
		"an object that named no project does not follow the namespace, even where the old project stays allowed": {
			annotations: map[string]string{v1alpha1.ProjectIDAnnotation: "shop-new", v1alpha1.AllowedProjectIDsAnnotation: "shop-prod"},
			bound:       "shop-prod",
			want:        Binding{Project: "shop-prod"},
		},
		"a binding that was removed": {
			wanted: "shop-prod", bound: "shop-prod",
			reason:  v1alpha1.ReasonBindingChanged,
			message: `permanently bound to project "shop-prod", which namespace "shop" no longer allows; Holdfast will not write or delete. Allow it again: kubectl annotate --overwrite namespace shop holdfast.dev/project-id=shop-prod`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, refusal := Resolve("shop", tc.annotations, tc.wanted, tc.bound)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("binding (-want +got):\n%s", diff)
			}
			var reason, message string
			if refusal != nil {
				reason, message = refusal.Reason, refusal.Message
			}
			if diff := cmp.Diff([]string{tc.reason, tc.message}, []string{reason, message}); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
		})
	}
}
