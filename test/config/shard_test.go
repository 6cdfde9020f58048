package config

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestAShardBesideTheDefault: a second release has pods and a lease of its own, and leaves the first as it is.
func TestAShardBesideTheDefault(t *testing.T) {
	c := startCluster(t)
	c.run(t, "apply", "--server-side", "-k", "../../config/default")
	c.run(t, "apply", "--server-side", "-k", "../../config/shard")
	for _, overlay := range []string{"default", "shard"} {
		c.run(t, "diff", "--server-side", "-k", "../../config/"+overlay) // fails if it finds any
	}
	get := func(name string, obj client.Object) {
		t.Helper()
		if err := c.Get(t.Context(), client.ObjectKey{Namespace: "holdfast-system", Name: name}, obj); err != nil {
			t.Fatal(err)
		}
	}
	var first, second appsv1.Deployment
	get("holdfast-manager", &first)
	get("holdfast-manager-eu", &second)
	for _, flag := range []string{"--leader-elect", "--shard=eu"} {
		if args := second.Spec.Template.Spec.Containers[0].Args; !slices.Contains(args, flag) {
			t.Errorf("the shard runs with %v, without %s", args, flag)
		}
	}
	var metrics corev1.Service
	get("holdfast-metrics-eu", &metrics)
	pods := second.Spec.Template.Labels
	for whose, tc := range map[string]struct {
		selector map[string]string
		want     bool
	}{
		"the first release":           {first.Spec.Selector.MatchLabels, false},
		"the shard":                   {second.Spec.Selector.MatchLabels, true},
		"the shard's metrics Service": {metrics.Spec.Selector, true},
	} {
		wanted := maps.Clone(pods)
		maps.Copy(wanted, tc.selector)
		if got := maps.Equal(wanted, pods); got != tc.want {
			t.Errorf("%s selects the shard's pods: %v", whose, got)
		}
	}
	for name, want := range map[string][]string{
		"holdfast-manager": {"get", "create", "update"}, "holdfast-manager-eu": {"get", "create", "update"}, "holdfast-manager-us": {"create"},
	} {
		may := c.allowed(t, "system:serviceaccount:holdfast-system:holdfast-manager", []string{"get", "create", "update", "delete"},
			authorizationv1.ResourceAttributes{Group: "coordination.k8s.io", Resource: "leases", Namespace: "holdfast-system", Name: name})
		if diff := cmp.Diff(want, may); diff != "" {
			t.Errorf("with the lease %s the manager may (-want +got):\n%s", name, diff)
		}
	}
	for name, want := range map[string][]string{
		"holdfast-breaker": {"get", "create", "update"}, "holdfast-breaker-eu": {"get", "create", "update"}, "holdfast-breaker-us": {"create"},
	} {
		may := c.allowed(t, "system:serviceaccount:holdfast-system:holdfast-manager", []string{"get", "create", "update", "delete"},
			authorizationv1.ResourceAttributes{Resource: "configmaps", Namespace: "holdfast-system", Name: name})
		if diff := cmp.Diff(want, may); diff != "" {
			t.Errorf("with the record %s the manager may (-want +got):\n%s", name, diff)
		}
	}
}
