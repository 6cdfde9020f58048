package doctor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestReleases(t *testing.T) {
	deployment := func(account string, args ...string) appsv1.Deployment {
		d := appsv1.Deployment{}
		d.Namespace = "holdfast-system"
		d.Spec.Template.Labels = map[string]string{"app.kubernetes.io/name": "holdfast"}
		d.Spec.Template.Spec = corev1.PodSpec{ServiceAccountName: account, Containers: []corev1.Container{{Name: "manager", Args: args}}}
		return d
	}
	got := Releases([]appsv1.Deployment{
		deployment("holdfast-manager"), deployment("holdfast-manager", "--leader-elect"), deployment("", "--shard=eu"), {},
	})
	want := []Release{
		{Namespace: "holdfast-system", ServiceAccount: "holdfast-manager"},
		{Namespace: "holdfast-system", ServiceAccount: "default", Shard: "eu"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// operatorRole is one of the roles that the operator is bound to.
func operatorRole(t *testing.T, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, role := range ship(t).Operator {
		if role.GetKind() == kind && role.GetName() == name {
			return role
		}
	}
	t.Fatalf("no %s %s", kind, name)
	return nil
}

func TestNeeds(t *testing.T) {
	eu := Release{Namespace: "ops", ServiceAccount: "holdfast", Shard: "eu"}
	got, err := eu.Needs(operatorRole(t, "Role", "holdfast-manager"))
	if err != nil {
		t.Fatal(err)
	}
	lease := func(verb, name string) authorizationv1.ResourceAttributes {
		return authorizationv1.ResourceAttributes{Verb: verb, Group: "coordination.k8s.io", Resource: "leases", Name: name, Namespace: "ops"}
	}
	record := func(verb string) authorizationv1.ResourceAttributes {
		return authorizationv1.ResourceAttributes{Verb: verb, Group: "gcp.holdfast.dev", Resource: "breakglassrecords", Namespace: "ops"}
	}
	breaker := func(verb, name string) authorizationv1.ResourceAttributes {
		return authorizationv1.ResourceAttributes{Verb: verb, Resource: "configmaps", Name: name, Namespace: "ops"}
	}
	want := []authorizationv1.ResourceAttributes{
		breaker("create", ""), breaker("get", "holdfast-breaker-eu"), breaker("update", "holdfast-breaker-eu"),
		lease("create", ""), lease("get", "holdfast-manager-eu"), lease("update", "holdfast-manager-eu"), record("create"), record("get"), record("update"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	everywhere, err := eu.Needs(operatorRole(t, "ClusterRole", "holdfast-manager"))
	if err != nil {
		t.Fatal(err)
	}
	status := authorizationv1.ResourceAttributes{Verb: "patch", Group: "gcp.holdfast.dev", Resource: "buckets", Subresource: "status"}
	found := false
	for _, right := range everywhere {
		found = found || right == status
	}
	if !found {
		t.Errorf("no %+v in %+v", status, everywhere)
	}
}

func TestRights(t *testing.T) {
	release := Release{Namespace: "ops", ServiceAccount: "holdfast"}
	patch := authorizationv1.ResourceAttributes{Verb: "patch", Group: "gcp.holdfast.dev", Resource: "buckets", Subresource: "status"}
	read := authorizationv1.ResourceAttributes{Verb: "get", Group: "coordination.k8s.io", Resource: "leases", Name: "holdfast-manager", Namespace: "ops"}
	for name, tc := range map[string]struct {
		role    *unstructured.Unstructured
		missing []authorizationv1.ResourceAttributes
		want    []string
	}{
		"all": {
			operatorRole(t, "ClusterRole", "holdfast-manager"), nil,
			[]string{"ok service account holdfast of namespace ops has all 40 rights of ClusterRole holdfast-manager"},
		},
		"some are missing": {
			operatorRole(t, "ClusterRole", "holdfast-manager"), []authorizationv1.ResourceAttributes{patch, read},
			[]string{
				"fail service account holdfast of namespace ops may not patch buckets.gcp.holdfast.dev --subresource=status, " +
					"get leases.coordination.k8s.io/holdfast-manager -n ops",
			},
		},
		"many are missing": {
			operatorRole(t, "ClusterRole", "holdfast-manager"), []authorizationv1.ResourceAttributes{read, read, read, read, read, read, read},
			[]string{
				"fail service account holdfast of namespace ops may not get leases.coordination.k8s.io/holdfast-manager -n ops, " +
					"get leases.coordination.k8s.io/holdfast-manager -n ops, get leases.coordination.k8s.io/holdfast-manager -n ops, " +
					"get leases.coordination.k8s.io/holdfast-manager -n ops, get leases.coordination.k8s.io/holdfast-manager -n ops, 2 more",
			},
		},
		"metrics cannot be read": {
			operatorRole(t, "ClusterRole", "holdfast-metrics-auth"),
			[]authorizationv1.ResourceAttributes{{Verb: "create", Group: "authentication.k8s.io", Resource: "tokenreviews"}},
			[]string{"warn service account holdfast of namespace ops may not create tokenreviews.authentication.k8s.io"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, said(release.Rights(tc.role, 40, tc.missing))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
