package doctor

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func lease(namespace, name, holder string, ago time.Duration) coordinationv1.Lease {
	renewed, lasts := metav1.NewMicroTime(noon.Add(-ago)), int32(45)
	return coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &renewed, LeaseDurationSeconds: &lasts},
	}
}

// levels are what findings say, without the fixes.
func said(f Findings) []string {
	var out []string
	for _, each := range f {
		out = append(out, string(each.Level)+" "+each.Message)
	}
	return out
}

func TestLeaders(t *testing.T) {
	for name, tc := range map[string]struct {
		leases []coordinationv1.Lease
		bound  map[string]int
		want   []string
	}{
		"one leads": {
			[]coordinationv1.Lease{lease("holdfast-system", "holdfast-manager", "pod-1", 3*time.Second), lease("holdfast-system", "other", "x", 0)}, map[string]int{"": 2},
			[]string{"ok pod-1 leads the release without --shard; it renewed its lease 3s ago"},
		},
		"it was not renewed": {
			[]coordinationv1.Lease{lease("holdfast-system", "holdfast-manager", "pod-1", time.Minute)}, map[string]int{"": 2},
			[]string{
				"warn pod-1 held the lease of the release without --shard, and has not renewed it for 1m0s",
				"fail nobody holds the lease of the release without --shard, to which 2 Namespaces bound to projects belong: nothing there is reconciled",
			},
		},
		"it was released": {
			[]coordinationv1.Lease{lease("holdfast-system", "holdfast-manager", "", 0)}, map[string]int{"": 1},
			[]string{"fail nobody holds the lease of the release without --shard, to which 1 Namespace bound to projects belong: nothing there is reconciled"},
		},
		"a shard has nobody": {
			[]coordinationv1.Lease{lease("holdfast-system", "holdfast-manager", "pod-1", 0)}, map[string]int{"": 1, "eu": 3},
			[]string{
				"ok pod-1 leads the release without --shard; it renewed its lease 0s ago",
				"fail nobody holds the lease of the shard eu, to which 3 Namespaces bound to projects belong: nothing there is reconciled",
			},
		},
		"two in different namespaces": {
			[]coordinationv1.Lease{lease("holdfast-system", "holdfast-manager-eu", "pod-1", 0), lease("other", "holdfast-manager-eu", "pod-2", 0)}, map[string]int{"eu": 1},
			[]string{
				"ok pod-1 leads the shard eu; it renewed its lease 0s ago", "ok pod-2 leads the shard eu; it renewed its lease 0s ago",
				"fail the shard eu runs in several namespaces, holdfast-system, other: they do not know of each other and both write",
			},
		},
		"nothing is bound": {nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, said(Leaders(tc.leases, tc.bound, noon))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDeployments(t *testing.T) {
	deployment := func(name string, replicas, available int32, args ...string) appsv1.Deployment {
		d := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "holdfast-system", Name: name}}
		d.Spec.Replicas, d.Status.AvailableReplicas = &replicas, available
		d.Spec.Template.Labels = map[string]string{"app.kubernetes.io/name": "holdfast"}
		d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "manager", Args: args}}
		return d
	}
	foreign := deployment("foreign", 1, 0)
	foreign.Spec.Template.Labels = nil
	got := said(Deployments([]appsv1.Deployment{
		deployment("a", 2, 2, "--leader-elect"), deployment("b", 2, 1, "--leader-elect", "--shard=eu"), deployment("c", 2, 0, "--shard", "eu"), foreign,
	}))
	want := []string{
		"ok 2 replicas of deployment a are available", "warn 1 of 2 replicas of deployment b are available",
		"fail no replica of deployment c is available", "fail deployment c has 2 replicas that all write, for it elects no leader",
		"warn several deployments are for the shard eu: b, c",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBindings(t *testing.T) {
	b := NewBindings()
	if got := b.Findings(); got.Worst() != Warn {
		t.Errorf("none: %+v", got)
	}
	project := func(id string) map[string]string { return map[string]string{"holdfast.dev/project-id": id} }
	eu := map[string]string{"holdfast.dev/shard": "eu"}
	b.Add("unbound", eu, nil)
	b.Add("a", nil, project("p-1"))
	b.Add("b", nil, project("p-1"))
	b.Add("c", eu, project("p-2"))
	if diff := cmp.Diff([]string{"ok 3 Namespaces bound to 2 projects"}, said(b.Findings())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	b.Add("d", eu, project("p-1"))
	want := []string{"fail project p-1 is claimed by the release without --shard (Namespace a) and by the shard eu (Namespace d), so nothing is written in it"}
	if diff := cmp.Diff(want, said(b.Findings())); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"": 2, "eu": 2}, b.Shards); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
