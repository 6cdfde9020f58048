package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// anotherCluster is a control plane besides that of all tests.
func anotherCluster(t *testing.T) *rest.Config {
	t.Helper()
	environment, config, err := startControlPlane()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("stopping the control plane: %v", err)
		}
	})
	return config
}

// inCluster makes the controllers of another cluster, with the same owner ID, the same Namespace and the same Google Cloud.
func (w *world) inCluster(config *rest.Config, annotations map[string]string) *world {
	w.t.Helper()
	other := w.beside("")
	other.config, other.userAgent = config, "holdfast/other"
	var err error
	if other.kube, err = installed.NewClient(config, "", client.Options{Scheme: scheme}); err != nil {
		w.t.Fatalf("making a client: %v", err)
	}
	annotations[v1alpha1.ProjectIDAnnotation], annotations[v1alpha1.AllowAnnotation] = w.project, v1alpha1.AllowDataLoss
	other.makeNamespace(w.namespace, annotations)
	return other
}

// writers counts the writes since a mark by who made them.
func (w *world) writers(mark int64) map[string]int {
	by := map[string]int{}
	for _, c := range w.cloud.Traffic.WritesSince(mark) {
		name, _, _ := strings.Cut(c.UserAgent, " ")
		by[name]++
	}
	return by
}

// orders is the manifest of a kind in the world's namespace.
func (w *world) orders(k kind) v1alpha1.Object {
	obj := k.manifest("orders", v1alpha1.CommonSpec{})
	obj.SetNamespace(w.namespace)
	return obj
}

// expectTeam looks whether Google Cloud has the team of a manifest. A grant of another team, of which the cluster does not know that it made it,
// stays.
func (w *world) expectTeam(k kind, want string) {
	w.t.Helper()
	has := k.console(w).look("orders").team == want
	if !k.is(comesAndGoes) {
		has = slices.Contains(w.projectGrants(), roleOf("orders")+" "+team(want))
	}
	if !has {
		w.t.Errorf("%s: the team is not %s, as the manifest has it", k.title, want)
	}
}

// TestANewClusterAdoptsAllFromGit: the manifests alone, without any status, are enough for a cluster with the owner ID of the one before to take
// everything over without a write, and to go on from there.
func TestANewClusterAdoptsAllFromGit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cloud.Traffic.Record(true)
	w.start()
	for _, k := range table {
		obj := w.orders(k)
		w.create(obj)
		w.ready(obj)
	}
	w.stop()
	other := w.inCluster(anotherCluster(t), map[string]string{})
	mark := w.cloud.Traffic.Mark()
	other.start()
	for _, k := range table {
		obj := other.orders(k)
		other.create(obj)
		other.ready(obj)
		other.settled(obj)
	}
	other.noWrites(mark)
	for _, k := range table {
		obj := other.orders(k)
		other.get(obj)
		edit(other, obj, func(o v1alpha1.Object) { k.team(o, "bank") })
		other.ready(obj)
		w.expectTeam(k, "bank")
	}
}

// TestAnActiveAndAPassiveClusterHandOver: both have the manifests of one git repository and one owner ID. The Namespaces of the passive one say
// Observe: it shows what it would write, and writes nothing. At no time do both write.
func TestAnActiveAndAPassiveClusterHandOver(t *testing.T) {
	t.Parallel()
	active := newWorld(t)
	active.cloud.Traffic.Record(true)
	active.userAgent, active.sweep = "holdfast/active", time.Second
	observe := map[string]string{v1alpha1.LeastManagementAnnotation: string(v1alpha1.ManagementObserve)}
	passive := active.inCluster(anotherCluster(t), observe)
	passive.userAgent = "holdfast/passive"
	active.start()
	passive.start()
	both := func(k kind, change func(v1alpha1.Object)) {
		t.Helper()
		for _, w := range []*world{active, passive} {
			obj := w.orders(k)
			w.get(obj)
			edit(w, obj, change)
		}
	}
	expectWriter := func(what string, mark int64, want string) {
		t.Helper()
		if by := active.writers(mark); by[want] == 0 || len(by) != 1 {
			t.Errorf("%s: written by %v, want only %s", what, by, want)
		}
	}

	t.Log("the active one creates, edits and corrects")
	mark := active.cloud.Traffic.Mark()
	for _, k := range table {
		for _, w := range []*world{active, passive} {
			obj := w.orders(k)
			w.create(obj)
			w.ready(obj)
		}
		both(k, func(o v1alpha1.Object) { k.team(o, "bank") })
		for _, w := range []*world{active, passive} {
			obj := w.orders(k)
			w.ready(obj)
			w.settled(obj)
		}
	}
	expectWriter("before", mark, "holdfast/active")

	t.Log("the hand-over: first the active one observes, then the passive one does not any more")
	active.limits(v1alpha1.ManagementObserve)
	mark = active.cloud.Traffic.Mark()
	for _, k := range table {
		obj := active.orders(k)
		active.get(obj)
		active.settled(obj)
	}
	active.noWrites(mark)
	passive.limits("")
	for _, k := range table {
		obj := passive.orders(k)
		passive.get(obj)
		passive.settled(obj)
		passive.ready(obj)
	}
	passive.noWrites(mark)

	t.Log("now the other one writes")
	for _, k := range table {
		both(k, func(o v1alpha1.Object) { k.team(o, "shop") })
		obj := passive.orders(k)
		passive.ready(obj)
		passive.settled(obj)
		active.settled(active.orders(k))
		active.expectTeam(k, "shop")
	}
	expectWriter("after", mark, "holdfast/passive")
}

// limits sets how much the Namespace lets its manifests do at most; empty for everything.
func (w *world) limits(most v1alpha1.Management) {
	w.t.Helper()
	space := w.space()
	w.get(space)
	before := space.DeepCopy()
	if space.Annotations[v1alpha1.LeastManagementAnnotation] = string(most); most == "" {
		delete(space.Annotations, v1alpha1.LeastManagementAnnotation)
	}
	if err := w.kube.Patch(w.t.Context(), space, client.MergeFrom(before)); err != nil {
		w.t.Fatalf("changing the limits of a namespace: %v", err)
	}
}
