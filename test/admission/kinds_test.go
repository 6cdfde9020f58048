package admission

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

func kinds(t *testing.T) []metav1.APIResource {
	t.Helper()
	kinds, err := installed.Kinds()
	if err != nil || len(kinds) == 0 {
		t.Fatalf("found %d kinds, error %v", len(kinds), err)
	}
	return kinds
}

// served are the kinds in each version that is served: policies hold for what is written in either.
func served(t *testing.T) []schema.GroupVersionKind {
	t.Helper()
	served, err := installed.Served()
	if err != nil {
		t.Fatal(err)
	}
	var all []schema.GroupVersionKind
	for _, kind := range served {
		all = append(all, schema.GroupVersionKind{Group: kind.Group, Version: kind.Version, Kind: kind.Kind})
	}
	if !slices.ContainsFunc(all, func(gvk schema.GroupVersionKind) bool { return gvk.Version != v1alpha1.GroupVersion.Version }) {
		t.Fatalf("one version only: %v", all)
	}
	return all
}

// TestPoliciesAndRolesNameEveryKind reads the policies and the roles that are about our kinds: they are about all of them.
func TestPoliciesAndRolesNameEveryKind(t *testing.T) {
	var all []string
	for _, kind := range kinds(t) {
		all = append(all, kind.Name)
	}
	slices.Sort(all)
	paths := map[string][]string{
		"ValidatingAdmissionPolicy": {"spec", "matchConstraints", "resourceRules"},
		"MutatingAdmissionPolicy":   {"spec", "matchConstraints", "resourceRules"},
		"ClusterRole":               {"rules"},
	}
	for _, file := range slices.Concat(installed.Guards, installed.Stamps) {
		objects, err := installed.Objects("admission", file)
		if err != nil {
			t.Fatal(err)
		}
		for _, obj := range objects {
			rules, _, _ := unstructured.NestedSlice(obj.Object, paths[obj.GetKind()]...)
			for _, rule := range rules {
				rule := rule.(map[string]any)
				if !slices.Equal(rule["apiGroups"].([]any), []any{v1alpha1.GroupVersion.Group}) {
					continue
				}
				if slices.Equal(rule["resources"].([]any), []any{"breakglassrecords"}) {
					continue // which is no kind of resource
				}
				var named []string
				for _, resource := range rule["resources"].([]any) {
					resource := strings.TrimSuffix(resource.(string), "/status")
					if resource == "*" && obj.GetKind() != "ClusterRole" {
						named = append(named, all...) // and no subresources
					} else {
						named = append(named, resource)
					}
				}
				slices.Sort(named)
				if diff := cmp.Diff(all, named); diff != "" {
					t.Errorf("%s %s (-want +got):\n%s", obj.GetKind(), obj.GetName(), diff)
				}
			}
		}
	}
}

// TestEveryKindIsGuarded holds each rule against each kind once in each version; how a rule works is tested on topics.
func TestEveryKindIsGuarded(t *testing.T) {
	installStamps(t)
	grant(t, "gil", "holdfast-break-glass", "holdfast-approve")
	tries := map[string]struct {
		before      map[string]string
		user, patch string
		// after are the annotations if it is let through; refusal is what is said if not, with RESOURCE for the kind's.
		after   map[string]string
		refusal string
	}{
		"the glass is stamped":                  {user: "gil", patch: annotations(`"holdfast.dev/break-glass": "` + reason + `"`), after: map[string]string{glassKey: reason, byKey: "gil"}},
		"its closing is stamped":                {before: broken, user: "gil", patch: annotations(`"holdfast.dev/break-glass": null`), after: map[string]string{closedByKey: "gil"}},
		"an approval is stamped":                {user: "gil", patch: annotations(`"holdfast.dev/approve": "0123456789abcdef"`), after: map[string]string{approveKey: "0123456789abcdef", approveBy: "gil"}},
		"the glass takes its verb":              {user: bob, patch: annotations(`"holdfast.dev/break-glass": "` + reason + `"`), refusal: "the RBAC verb break-glass on RESOURCE.gcp.holdfast.dev is missing"},
		"an approval takes its verb":            {user: bob, patch: annotations(`"holdfast.dev/approve": "0123456789abcdef"`), refusal: "the RBAC verb approve on RESOURCE.gcp.holdfast.dev is missing"},
		"no service account breaks the glass":   {user: gitops, patch: annotations(`"holdfast.dev/break-glass": "` + reason + `"`), refusal: "service account " + gitops + " may not change holdfast.dev/break-glass"},
		"no service account approves":           {user: gitops, patch: annotations(`"holdfast.dev/approve": "0123456789abcdef"`), refusal: "service account " + gitops + " may not change holdfast.dev/approve"},
		"the finalizer stays with the glass":    {before: broken, user: bob, patch: `{"metadata": {"finalizers": []}}`, refusal: "bob may not remove holdfast.dev/finalizer while break-glass is active: close the glass first, or get the RBAC verb break-glass on RESOURCE.gcp.holdfast.dev"},
		"the finalizer is the operator's":       {user: operator, patch: `{"metadata": {"finalizers": []}}`, after: map[string]string{}},
		"the spec is not the operator's":        {user: operator, patch: `{"spec": {"management": "Observe"}}`, refusal: "may change only its finalizer and the break-glass and approval annotations of an object"},
		"other annotations are not either":      {user: operator, patch: annotations(`"team": "shop"`), refusal: "may change only its finalizer and the break-glass and approval annotations of an object"},
		"nor is the glass":                      {user: operator, patch: annotations(`"holdfast.dev/break-glass": "` + reason + `"`), refusal: "service account " + operator + " may not change holdfast.dev/break-glass"},
		"everything else is for all who may it": {user: ada, patch: `{"spec": {"management": "Observe"}, "metadata": {"annotations": {"team": "shop"}}}`, after: map[string]string{}},
		"other metadata takes no verb":          {user: bob, patch: annotations(`"team": "shop"`), after: map[string]string{}},
	}
	plurals := map[string]string{}
	for _, kind := range kinds(t) {
		plurals[kind.Kind] = kind.Name
	}
	for _, gvk := range served(t) {
		plural := plurals[gvk.Kind]
		for name, try := range tries {
			t.Run(plural+"."+gvk.Version+"/"+name, func(t *testing.T) {
				t.Parallel()
				obj := preparedKind(t, gvk, try.before)
				mine := []byte(`{"metadata": {"finalizers": ["` + v1alpha1.Finalizer + `"]}}`)
				if err := asUser(t, ada).Patch(ctx, obj, client.RawPatch(types.MergePatchType, mine)); err != nil {
					t.Fatal(err)
				}
				err := asUser(t, try.user).Patch(ctx, obj, client.RawPatch(types.MergePatchType, []byte(try.patch)))
				if try.refusal != "" {
					expectRefusal(t, err, strings.ReplaceAll(try.refusal, "RESOURCE", plural))
					return
				}
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				expectAnnotations(t, obj, try.after)
			})
		}
		t.Run(plural+"."+gvk.Version+"/the roles do not reach status", func(t *testing.T) {
			obj := preparedKind(t, gvk, nil)
			err := asUser(t, "gil").Status().Patch(ctx, obj, client.RawPatch(types.MergePatchType, []byte(`{"status": {"identity": "forged"}}`)))
			expectRefusal(t, err, `cannot patch resource "`+plural+`/status"`)
		})
	}
}

func annotations(set string) string { return `{"metadata": {"annotations": {` + set + `}}}` }
