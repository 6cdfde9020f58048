package engine

import (
	"context"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func aNamespace(name, shard, projects, account string) *corev1.Namespace {
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{
		v1alpha1.AllowedProjectIDsAnnotation: projects, v1alpha1.ImpersonateServiceAccountAnnotation: account,
	}}}
	if shard != "" {
		n.Labels = map[string]string{v1alpha1.ShardLabel: shard}
	}
	return n
}

// TestTenants is kept up to date by what is in the cache, whichever event is told first and however often.
func TestTenants(t *testing.T) {
	const mine, theirs = "shop@p.iam.gserviceaccount.com", "Bank@p.iam.gserviceaccount.com"
	kube := fake.NewClientBuilder().WithScheme(testScheme(t)).WithObjects(
		aNamespace("shop", "", "a,b", mine), aNamespace("shop-2", "", "a", mine), aNamespace("bank", "eu", "b,c", theirs),
	).Build()
	known := tenantsOf(t, kube, "")
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	known.now = func() time.Time { return now }
	type facts struct {
		contested, bound []string
		own, actsAs      []string
	}
	is := func() (f facts) {
		for _, project := range []string{"a", "b", "c", "d"} {
			if known.contested(project) {
				f.contested = append(f.contested, project)
			}
		}
		f.bound = known.boundTo("a")
		for _, name := range []string{"shop", "shop-2", "bank", "unknown"} {
			if known.ownsIn(name) {
				f.own = append(f.own, name)
			}
		}
		for _, account := range []string{mine, theirs} {
			if (iampolicy.Self{Accounts: known.actsAs()}).ActsAs(account) {
				f.actsAs = append(f.actsAs, account)
			}
		}
		return f
	}
	expect := func(what string, want facts) {
		t.Helper()
		got := is()
		for name, pair := range map[string][2][]string{
			"contested": {want.contested, got.contested}, "bound to a": {want.bound, got.bound}, "own": {want.own, got.own}, "acts as": {want.actsAs, got.actsAs},
		} {
			if !slices.Equal(pair[0], pair[1]) {
				t.Errorf("%s, %s: %v, want %v", what, name, pair[1], pair[0])
			}
		}
	}
	change := func(n *corev1.Namespace) {
		t.Helper()
		if err := kube.Update(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		known.see(t.Context(), n.Name)
		known.see(t.Context(), n.Name)
	}
	expect("at first", facts{[]string{"b"}, []string{"shop", "shop-2"}, []string{"shop", "shop-2"}, []string{mine, theirs}})
	change(aNamespace("bank", "", "b,c", theirs))
	expect("bank moves here", facts{nil, []string{"shop", "shop-2"}, []string{"shop", "shop-2", "bank"}, []string{mine, theirs}})
	if wait := known.takeover("bank"); wait != time.Minute {
		t.Errorf("nothing is written in bank for %v", wait)
	}
	if wait := known.takeover("shop"); wait != 0 {
		t.Errorf("nothing is written in shop for %v", wait)
	}
	if last := known.lastMove("shop", "bank"); !last.at.Equal(now) || !last.over.Equal(now.Add(time.Minute)) {
		t.Errorf("the last move of a resource's manifests in shop and bank is %+v", last)
	}
	now = now.Add(time.Minute)
	change(aNamespace("bank", "", "c", ""))
	expect("bank leaves a project and acts as nobody", facts{nil, []string{"shop", "shop-2"}, []string{"shop", "shop-2", "bank"}, []string{mine}})
	if wait := known.takeover("bank"); wait != 0 {
		t.Errorf("a minute later, nothing is written in bank for %v", wait)
	}
	change(aNamespace("shop-2", "eu", "a", mine))
	expect("shop-2 moves away", facts{[]string{"a"}, []string{"shop"}, []string{"shop", "bank"}, []string{mine}})
	if err := kube.Delete(t.Context(), aNamespace("shop", "", "", "")); err != nil {
		t.Fatal(err)
	}
	known.see(t.Context(), "shop")
	expect("shop is gone", facts{nil, nil, []string{"bank"}, []string{mine}})
}

// TestNothingIsDoneBeforeAllNamespacesAreKnown: what others claim, and as whom they act, decides what may be done.
func TestNothingIsDoneBeforeAllNamespacesAreKnown(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	known := false
	r.tenants.synced = func() bool { return known }
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "shop", Name: "orders"}}
	if _, err := r.Reconcile(t.Context(), request); err == nil || len(topics.live) > 0 {
		t.Errorf("err %v, live %v", err, topics.live)
	}
	known = true
	if _, err := r.Reconcile(t.Context(), request); err != nil {
		t.Error(err)
	}
}

// relabelShop moves the namespace shop to a shard, before any event has told that.
func relabelShop(t *testing.T, r *Reconciler, shard string) {
	t.Helper()
	namespace := shopNamespace(nil)
	namespace.Labels = map[string]string{v1alpha1.ShardLabel: shard}
	if err := r.client.Update(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
}

// moveShop moves the namespace shop away and back.
func moveShop(t *testing.T, r *Reconciler) {
	t.Helper()
	for _, shard := range []string{"eu", ""} {
		relabelShop(t, r, shard)
		r.tenants.see(t.Context(), "shop")
	}
}

// TestATakeoverWaitsForTheWriteOfAnother: reads go on, and nothing is stored because of the wait.
func TestATakeoverWaitsForTheWriteOfAnother(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	now := time.Now()
	r.now = func() time.Time { return now }
	r.tenants.now = r.now
	moveShop(t, r)
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "shop", Name: "orders"}}
	var after time.Duration
	for range 3 {
		result, err := r.Reconcile(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		after = result.RequeueAfter
	}
	var topic v1alpha1.Topic
	if err := r.client.Get(t.Context(), request.NamespacedName, &topic); err != nil {
		t.Fatal(err)
	}
	if len(topics.live) > 0 || len(topic.Status.Conditions) > 0 || after != time.Minute {
		t.Errorf("live %v, status %+v, again after %v", topics.live, topic.Status.Conditions, after)
	}
	now = now.Add(time.Minute)
	for range 3 {
		if _, err := r.Reconcile(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	if len(topics.live) != 1 {
		t.Errorf("live: %v", topics.live)
	}
}

// TestAPassThatComesBeforeTheEvent of a Namespace's move, for the listeners of an event are told in whatever order, writes nothing either.
func TestAPassThatComesBeforeTheEvent(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	relabelShop(t, r, "eu")
	r.tenants = tenantsOf(t, r.client, "")
	r.use(r.kind)
	relabelShop(t, r, "")
	if _, err := reconcileOnce(t, r); err != nil {
		t.Fatal(err)
	}
	if left := r.tenants.takeover("shop"); len(topics.live) > 0 || left == 0 {
		t.Errorf("live %v, nothing is written for %v", topics.live, left)
	}
}

// TestNoPassListsTheNamespaces: there are thousands, and each pass of an object with a policy asks as whom Holdfast acts.
func TestNoPassListsTheNamespaces(t *testing.T) {
	r, topics := policied(t, ada)
	kube := r.client.(client.WithWatch)
	r.client = interceptor.NewClient(kube, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if _, all := list.(*corev1.NamespaceList); all {
				t.Error("all Namespaces are listed")
			}
			return c.List(ctx, list, opts...)
		},
	})
	r.use(kind.Of(topics))
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "shop", Name: "orders"}}
	for range 3 {
		if _, err := r.Reconcile(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	if len(topics.live) != 1 {
		t.Errorf("live: %v", topics.live)
	}
}
