package engine

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestReferenceKeys(t *testing.T) {
	cases := map[string]struct {
		refs []kind.Reference
		want []string
	}{
		"none":                               {nil, nil},
		"in the same namespace":              {[]kind.Reference{{Kind: "ServiceAccount", Name: "reader"}}, []string{"ServiceAccount shop/reader"}},
		"twice":                              {[]kind.Reference{{Kind: "ServiceAccount", Name: "reader"}, {Kind: "ServiceAccount", Name: "reader"}}, []string{"ServiceAccount shop/reader"}},
		"in the same namespace, by its name": {[]kind.Reference{{Kind: "ServiceAccount", Namespace: "shop", Name: "reader"}}, []string{"ServiceAccount shop/reader"}},
		"in another one, and so that one": {
			[]kind.Reference{{Kind: "ServiceAccount", Namespace: "bank", Name: "reader"}, {Kind: "Topic", Namespace: "bank", Name: "orders"}},
			[]string{"ServiceAccount bank/reader", "bank", "Topic bank/orders"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			k := kind.Kind{References: func(v1alpha1.Object) []kind.Reference { return tc.refs }}
			if d := cmp.Diff(tc.want, referenceKeys(k, shopTopic())); d != "" {
				t.Errorf("keys (-want +got):\n%s", d)
			}
		})
	}
}

// TestTheCacheIsASource answers as a folder does: what is not there is no error.
func TestTheCacheIsASource(t *testing.T) {
	other := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "bank", Name: "orders"}}
	other.Status.Project, other.Status.Identity = "bank-project", "1"
	strangers := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "mall", Name: "orders"}}
	r, _ := testReconciler(t, shopTopic(), other, strangers, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "bank"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "mall", Labels: map[string]string{v1alpha1.ShardLabel: "eu"}}})
	source, topics := r.inventory.Source, r.kind
	if annotations, err := source.Namespace(t.Context(), "shop"); err != nil || annotations[v1alpha1.ProjectIDAnnotation] != "shop-project" {
		t.Errorf("the Namespace shop: %v, %v", annotations, err)
	}
	if annotations, err := source.Namespace(t.Context(), "elsewhere"); err != nil || len(annotations) > 0 {
		t.Errorf("a Namespace that is not there: %v, %v", annotations, err)
	}
	for name, there := range map[string]bool{"orders": true, "returns": false} {
		if obj, err := source.Manifest(t.Context(), topics, "shop", name); err != nil || (obj != nil) != there {
			t.Errorf("Topic shop/%s: %v, %v", name, obj, err)
		}
	}
	for project, want := range map[string]string{"bank-project": "bank", "shop-project": "shop"} {
		if found, err := source.ByResource(t.Context(), topics, project, "orders"); err != nil || len(found) != 1 || found[0].GetNamespace() != want {
			t.Errorf("by the resource orders in %q: %v, %v", project, found, err)
		}
	}
}

// sameNames are projects with a Namespace each, in which there is a topic of the same name, and none has been looked at.
func sameNames(projects int) (objects []client.Object) {
	for i := range projects {
		objects = append(objects, namespaceIn(fmt.Sprintf("team-%d", i), fmt.Sprintf("project-%d", i)), neverSeen(fmt.Sprintf("team-%d", i), "orders"))
	}
	return objects
}

func namespaceIn(name, project string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{v1alpha1.ProjectIDAnnotation: project}}}
}

func neverSeen(namespace, name string) *v1alpha1.Topic {
	return &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

// TestRivalsAreLookedForInTheProject: not among all manifests of the name, of which each project has one.
func TestRivalsAreLookedForInTheProject(t *testing.T) {
	bound := neverSeen("far", "bound")
	bound.Spec.ResourceID, bound.Status.Project, bound.Status.Identity = "orders", "project-1", "1"
	declared := neverSeen("mall", "declared")
	declared.Spec.ResourceID, declared.Spec.ProjectID = "orders", "project-1"
	allows := namespaceIn("mall", "mall-project")
	allows.Annotations[v1alpha1.AllowedProjectIDsAnnotation] = "project-1"
	var crowd []client.Object
	for i := range fewNamespaces + 1 {
		crowd = append(crowd, namespaceIn(fmt.Sprintf("crowd-%d", i), "project-1"))
	}
	elsewhere := namespaceIn("elsewhere", "project-1")
	elsewhere.Labels = map[string]string{v1alpha1.ShardLabel: "eu"}
	rebound := namespaceIn("team-7", "project-1")
	cases := map[string]struct {
		more   []client.Object
		after  func(t *testing.T, r *Reconciler)
		want   []string
		listed int // manifests that are taken from the cache at the most
	}{
		"none":                             {listed: 1},
		"in another Namespace of it":       {more: []client.Object{namespaceIn("second", "project-1"), neverSeen("second", "orders")}, want: []string{"second/orders"}, listed: 2},
		"in one of another shard":          {more: []client.Object{elsewhere, neverSeen("elsewhere", "orders")}, want: []string{"elsewhere/orders"}, listed: 2},
		"that says the project itself":     {more: []client.Object{allows, declared}, want: []string{"mall/declared"}, listed: 2},
		"that is permanently bound to it":  {more: []client.Object{namespaceIn("far", "far-project"), bound}, want: []string{"far/bound"}, listed: 2},
		"of a Namespace that is now bound": {after: func(t *testing.T, r *Reconciler) { rebind(t, r, rebound) }, want: []string{"team-7/orders"}, listed: 2},
		"of a project of many Namespaces":  {more: append(crowd, neverSeen("crowd-3", "orders")), want: []string{"crowd-3/orders"}, listed: 1000},
		"before all Namespaces are known": {
			more: []client.Object{namespaceIn("second", "project-1"), neverSeen("second", "orders")}, want: []string{"second/orders"}, listed: 1000,
			after: func(_ *testing.T, r *Reconciler) {
				r.tenants.synced = func() bool { return false }
				clear(r.tenants.projects)
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			base := &fakeKind{}
			r := reconcilerOf(t, kind.Of[*v1alpha1.Topic, v1alpha1.TopicSpec](base), append(sameNames(50), tc.more...)...)
			listed := 0
			source := r.source()
			source.finder = counting{source.finder, &listed}
			r.inventory.Source = source
			if tc.after != nil {
				tc.after(t, r)
			}
			found, err := r.inventory.Rivals(t.Context(), r.kind, neverSeen("team-1", "orders"), "project-1")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, obj := range found {
				got = append(got, obj.GetNamespace()+"/"+obj.GetName())
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("rivals (-want +got):\n%s", d)
			}
			if listed > tc.listed {
				t.Errorf("%d manifests were looked at, want %d at the most", listed, tc.listed)
			}
		})
	}
}

// counting counts the manifests that are found.
type counting struct {
	finder

	found *int
}

func (c counting) by(ctx context.Context, k kind.Kind, index, key string) ([]v1alpha1.Object, error) {
	found, err := c.finder.by(ctx, k, index, key)
	*c.found += len(found)
	return found, err
}

// rebind binds a Namespace to another project.
func rebind(t *testing.T, r *Reconciler, to *corev1.Namespace) {
	t.Helper()
	var namespace corev1.Namespace
	if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(to), &namespace); err != nil {
		t.Fatal(err)
	}
	namespace.Annotations = to.Annotations
	if err := r.client.Update(t.Context(), &namespace); err != nil {
		t.Fatal(err)
	}
	r.tenants.see(t.Context(), to.Name)
}

// TestWhoLostToANamespaceIsFoundInTheProjectOfBefore: nothing else says which that was, of a manifest that was never looked at.
func TestWhoLostToANamespaceIsFoundInTheProjectOfBefore(t *testing.T) {
	loser := neverSeen("second", "orders")
	loser.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonConflict}}
	before := namespaceIn("team-7", "project-7")
	base := &fakeKind{}
	r := reconcilerOf(t, kind.Of[*v1alpha1.Topic, v1alpha1.TopicSpec](base), append(sameNames(10), namespaceIn("second", "project-7"), loser)...)
	rebind(t, r, namespaceIn("team-7", "project-1"))
	got := successors(r.inventory.Source.(cached), r.inventory, r.kind)(t.Context(), before)
	want := []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(loser)}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("who is looked at (-want +got):\n%s", d)
	}
}

// BenchmarkRivals is what each pass over an object costs to find the other manifests of its resource, while many projects are applied whose
// resources have the same names.
func BenchmarkRivals(b *testing.B) {
	const projects = 3000
	k := kind.Of[*v1alpha1.Topic, v1alpha1.TopicSpec](&fakeKind{})
	topics := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, indexers(k))
	namespaces := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, toolscache.Indexers{})
	reader := namespaceStore{namespaces: namespaces}
	known := newTenants(reader, "", time.Minute)
	for _, obj := range sameNames(projects) {
		switch obj := obj.(type) {
		case *corev1.Namespace:
			if err := namespaces.Add(obj); err != nil {
				b.Fatal(err)
			}
			known.see(b.Context(), obj.Name)
		default:
			if err := topics.Add(obj); err != nil {
				b.Fatal(err)
			}
		}
	}
	i := &inventory.Inventory{Source: cached{storing(k, keeps{topics}), reader, known}, Kinds: []kind.Kind{k}, Now: time.Now}
	b.ReportAllocs()
	for b.Loop() {
		if found, err := i.Rivals(b.Context(), k, neverSeen("team-1", "orders"), "project-1"); err != nil || len(found) > 0 {
			b.Fatal(found, err)
		}
	}
}

// namespaceStore reads Namespaces from a store, as the manager's cache does.
type namespaceStore struct {
	client.Reader

	namespaces toolscache.Indexer
}

func (s namespaceStore) Get(_ context.Context, key client.ObjectKey, obj client.Object, _ ...client.GetOption) error {
	found, _, err := s.namespaces.GetByKey(key.Name)
	if err == nil {
		*obj.(*corev1.Namespace) = *found.(*corev1.Namespace)
	}
	return err
}
