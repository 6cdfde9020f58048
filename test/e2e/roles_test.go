package e2e

import (
	"cmp"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/type/expr"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	typed "github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/roles"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// roleWorld is a world in which the operator has some of the roles of config/gcp, and nothing else.
type roleWorld struct {
	*world
	k kind
	// ahead is how much later it is in Google Cloud.
	ahead atomic.Int64
}

// newRoleWorld makes such a world, and starts it.
func newRoleWorld(t *testing.T, k kind, ids ...string) *roleWorld {
	t.Helper()
	w := &roleWorld{world: newWorld(t), k: k}
	w.sweep = time.Second
	w.cloud = emulator.StartTest(t, emulator.Options{
		EnforceIAM: true, EnforceRequesterPays: true, Now: func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) },
	})
	w.cloud.Projects.Lookup(w.project)
	for _, id := range ids {
		role, err := roles.Named(id)
		w.must(err)
		w.giveRole("organizations/1/roles/"+id, role.Permissions, caller)
	}
	return w
}

// expectUse checks that each permission of a role was needed, and that no other was missing.
func (w *roleWorld) expectUse(id string) {
	w.t.Helper()
	role, err := roles.Named(id)
	w.must(err)
	used := w.cloud.Access.Used(caller)
	for _, permission := range role.Permissions {
		if !slices.Contains(used, permission) {
			w.t.Errorf("%s has %s, which no call took", id, permission)
		}
	}
}

// expectNoRefusal checks that Google has denied nothing yet. Sweeps try to list the resources of all kinds in a project that has manifests, to
// count what nobody declares, and do without.
func (w *roleWorld) expectNoRefusal() {
	w.t.Helper()
	for _, e := range w.cloud.Traffic.Since(0) {
		counts := slices.ContainsFunc(table, func(k kind) bool { return k.Kind.Kind != w.k.Kind.Kind && k.listing == e.Method })
		if e.Status == http.StatusForbidden && !counts {
			w.t.Errorf("%s %s was denied: %s", e.Method, e.Resource, e.Response)
		}
	}
}

// manifest is one of the world's kind.
func (w *roleWorld) manifest(name string, spec v1alpha1.CommonSpec) v1alpha1.Object {
	return w.k.manifest(name, spec)
}

// granter is how the world's kind grants on a resource; none for a policy, which does nothing else.
func (w *roleWorld) granter() (g granter, grants bool) {
	i := slices.IndexFunc(granters, func(g granter) bool { return g.title == w.k.title })
	if i < 0 {
		return granter{}, false
	}
	return granters[i], true
}

// grantInConsole has somebody grant what the manifest of an object is to grant as well.
func (w *roleWorld) grantInConsole(obj v1alpha1.Object, members ...v1alpha1.IAMMember) {
	w.t.Helper()
	if g, grants := w.granter(); grants {
		w.must(g.edit(w.world, idOf(obj), func(p *iampb.Policy) {
			for _, member := range members {
				policy.Grant(p, g.role, string(member))
			}
		}))
	}
}

// idOf is the name of a manifest's resource.
func idOf(obj v1alpha1.Object) string { return cmp.Or(obj.GetCommonSpec().ResourceID, obj.GetName()) }

// adorned changes a manifest to one with the fields that take permissions of their own, but for those that grant, and who pays.
func (w *roleWorld) adorned(obj v1alpha1.Object) v1alpha1.Object {
	switch o := obj.(type) {
	case *v1alpha1.Bucket:
		o.Spec.IPFilter, o.Spec.ObjectRetention = filterFor(here), &v1alpha1.ObjectRetention{Mode: "Enabled"}
	case *v1alpha1.Topic:
		o.Spec.SchemaSettings = &v1alpha1.TopicSchemaSettings{Schema: w.schema(), Encoding: v1alpha1.TopicSchemaEncodingJSON}
	case *v1alpha1.ServiceAccount:
		o.Spec.Disabled = new(true)
	}
	return obj
}

// schema is a schema in the project; somebody has made it.
func (w *roleWorld) schema() string {
	w.t.Helper()
	const owner = "user:owner@example.com"
	w.must(w.cloud.ResourceManager.EditPolicy(w.project, func(p *iampb.Policy) { policy.Grant(p, "roles/owner", owner) }))
	w.requestAs(w.cloud.Access.Token(owner), http.MethodPost, "/v1/projects/"+w.project+"/schemas?schemaId=events",
		`{"type": "AVRO", "definition": "{\"type\":\"record\",\"name\":\"e\",\"fields\":[]}"}`)
	return "projects/" + w.project + "/schemas/events"
}

// duty is all that a role is for.
type duty struct {
	// with are the accesses whose roles it takes besides.
	with []typed.Access
	// do does it, and returns an object that is there in the end, if there is one.
	do func(w *roleWorld) v1alpha1.Object
}

var duties = map[typed.Access]duty{
	typed.AccessObserve: {nil, func(w *roleWorld) v1alpha1.Object {
		w.k.console(w.world).create("orders", true)
		obj := w.manifest("orders", v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve})
		if bucket, is := obj.(*v1alpha1.Bucket); is {
			bucket.Spec.IPFilter = filterFor(here)
			w.must(w.cloud.Storage.EditBucket("orders", consoleFilter(here)))
		}
		w.grantInConsole(obj, ada)
		if g, grants := w.granter(); grants {
			g.grant(obj, ada)
		}
		w.create(obj)
		w.ready(obj)

		w.t.Log("a sweep lists")
		if w.k.listing != "" {
			mark := w.cloud.Traffic.Mark()
			w.eventually("a list", func() (bool, string) { return len(w.calls(mark, w.k.listing, "")) > 0, describe(obj) })
		}

		w.t.Log("it drifts, and is what the manifest says again")
		w.k.console(w.world).set("orders", false)
		w.settled(obj)
		w.reason(obj, v1alpha1.ReasonDiffers)
		w.k.console(w.world).set("orders", true)
		w.settled(obj)
		w.ready(obj)
		w.noWrites(0)
		return obj
	}},
	typed.AccessManage: {nil, func(w *roleWorld) v1alpha1.Object {
		obj := w.adorned(w.manifest("orders", v1alpha1.CommonSpec{}))
		w.create(obj)
		w.ready(obj)
		forgetCreation(w.world, obj)
		edit(w.world, obj, func(o v1alpha1.Object) {
			w.k.team(o, "bank")
			w.k.set(o, new(false))
			if account, is := o.(*v1alpha1.ServiceAccount); is {
				account.Spec.Disabled = new(false)
			}
		})
		w.ready(obj)

		w.t.Log("it drifts, and is corrected")
		w.k.console(w.world).set("orders", true)
		w.settled(obj)
		w.ready(obj)
		if live := w.k.console(w.world).look("orders"); live.on && w.k.is(exclusive) || live.team != "bank" {
			w.t.Errorf("live: %+v", live)
		}

		w.t.Log("what somebody else has granted already is read, and nothing is left to write")
		if g, grants := w.granter(); grants {
			w.grantInConsole(obj, ada)
			g.regrant(w.world, obj, ada)
			w.ready(obj)
			g.regrant(w.world, obj)
			w.ready(obj)
		}

		w.t.Log("it comes back, if somebody deletes it")
		if w.k.is(comesAndGoes) {
			w.k.console(w.world).delete("orders")
			w.settled(obj)
			w.ready(obj)
			if !w.k.console(w.world).look("orders").there {
				w.t.Error("it did not come back")
			}
		}

		w.t.Log("with approval")
		approved := w.manifest("approved", v1alpha1.CommonSpec{Management: v1alpha1.ManagementApprove})
		w.create(approved)
		w.reason(approved, v1alpha1.ReasonAwaitingApproval)
		approve(w.world, approved)
		w.ready(approved)

		w.t.Log("adopted")
		w.k.console(w.world).create("adopted", false)
		adopted := w.manifest("adopted", v1alpha1.CommonSpec{Adoption: v1alpha1.AdoptionAlways})
		w.create(adopted)
		w.ready(adopted)

		w.t.Log("orphaned")
		w.delete(adopted)
		w.gone(adopted)
		if live := w.k.console(w.world).look("adopted"); !live.there || !live.on {
			w.t.Errorf("live: %+v", live)
		}
		return obj
	}},
	typed.AccessDelete: {[]typed.Access{typed.AccessManage}, func(w *roleWorld) v1alpha1.Object {
		obj := w.manifest("orders", v1alpha1.CommonSpec{DeletionPolicy: v1alpha1.DeletionDelete})
		w.create(obj)
		w.ready(obj)
		w.delete(obj)
		w.gone(obj)
		if w.k.console(w.world).look("orders").there {
			w.t.Error("it is still there")
		}
		return nil
	}},
	typed.AccessDeleteWithContents: {[]typed.Access{typed.AccessManage, typed.AccessDelete}, func(w *roleWorld) v1alpha1.Object {
		uniform := &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)}
		tree := emptied("tree", v1alpha1.BucketSpec{HierarchicalNamespace: &v1alpha1.HierarchicalNamespace{Enabled: new(true)}, UniformBucketLevelAccess: uniform})
		flat := emptied("flat", v1alpha1.BucketSpec{UniformBucketLevelAccess: uniform})
		for _, bucket := range []*v1alpha1.Bucket{tree, flat} {
			w.create(bucket)
			w.ready(bucket)
			w.putAll(bucket.Name, "logs/2026/one")
		}
		w.request(http.MethodPost, "/emulator/storage/b/flat/managedFolders", `{"name": "logs/"}`)
		w.request(http.MethodPost, "/emulator/storage/b/flat/anywhereCaches", `{"zone": "us-central1-a"}`)
		w.delete(tree)
		w.gone(tree)
		w.delete(flat)
		w.message(flat, v1alpha1.ReasonDeleting, "Anywhere Caches which are disabled")
		w.ahead.Store(int64(time.Hour))
		annotate(w.world, flat, v1alpha1.ReconcileRequestedAtAnnotation, "now")
		w.gone(flat)
		return nil
	}},
	typed.AccessGrant: {[]typed.Access{typed.AccessManage}, func(w *roleWorld) v1alpha1.Object {
		g, _ := w.granter()
		obj := g.manifest("orders", v1alpha1.CommonSpec{}, ada)
		w.create(obj)
		w.ready(obj)
		g.expectMembers(w.world, "orders", ada)
		g.regrant(w.world, obj, bob)
		w.ready(obj)
		g.expectMembers(w.world, "orders", bob)
		if bucket, is := obj.(*v1alpha1.Bucket); is {
			edit(w.world, bucket, func(b *v1alpha1.Bucket) { b.Spec.PublicAccessPrevention = "enforced" })
			w.ready(bucket)
		}
		return obj
	}},
}

// TestTheRolesAreWhatIsCalled: with exactly the roles of config/gcp that something takes, Google denies nothing of it; and it takes every
// permission that they have. What is found shut down is recognized with any of them.
func TestTheRolesAreWhatIsCalled(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		for access, duty := range duties {
			id := customRole(k, access)
			if _, err := roles.Named(id); err != nil {
				continue
			}
			t.Run(string(access), func(t *testing.T) {
				t.Parallel()
				ids := []string{id}
				for _, other := range duty.with {
					ids = append(ids, customRole(k, other))
				}
				w := newRoleWorld(t, k, ids...)
				w.start()
				obj := duty.do(w)
				w.expectNoRefusal()
				if obj != nil {
					forgetCreation(w.world, obj)
					w.stop() // it remembers for a while that the project is active
					w.shutDown(true)
					w.cloud.Traffic.Inject(traffic.Fault{Match: call(k.getting), Status: http.StatusForbidden})
					w.start()
					w.settled(obj)
					w.expectAdvice(obj, "gcloud projects undelete "+w.project)
				}
				w.expectUse(id)
			})
		}
	})
}

// customRole is the role of a kind for an access.
func customRole(k kind, access typed.Access) string {
	return "holdfast." + k.Label() + "." + string(access)
}

// TestWhoPaysTakesARole: a bucket whose requesters pay is billed to its project.
func TestWhoPaysTakesARole(t *testing.T) {
	t.Parallel()
	const id = "holdfast.quota"
	w := newRoleWorld(t, paidBuckets, "holdfast.bucket.manage", id)
	w.start()
	obj := w.manifest("orders", v1alpha1.CommonSpec{})
	w.create(obj)
	w.ready(obj)
	edit(w.world, obj, func(o v1alpha1.Object) { w.k.set(o, new(false)) })
	w.ready(obj)
	w.expectNoRefusal()
	w.expectUse(id)
}

// TestTheInventoryTakesARole: what changed is found by listing assets.
func TestTheInventoryTakesARole(t *testing.T) {
	t.Parallel()
	const id = "holdfast.inventory"
	w := newRoleWorld(t, topics, "holdfast.topic.manage", id)
	w.assetScope, w.sweep, w.fullSweep = "projects/"+w.project, 200*time.Millisecond, time.Hour
	w.start()
	obj := w.manifest("orders", v1alpha1.CommonSpec{})
	w.create(obj)
	w.ready(obj)
	w.restsOnAssets()
	w.k.console(w.world).set("orders", false)
	w.eventually("the drift to be corrected", func() (bool, string) { return w.k.console(w.world).look("orders").on, describe(obj) })
	w.expectNoRefusal()
	w.expectUse(id)
}

// TestALimitOnGrantsIsSaid: where the condition of config/gcp keeps Holdfast from granting or revoking a role, the message names it, and nothing is
// granted of what the write would have.
func TestALimitOnGrantsIsSaid(t *testing.T) {
	t.Parallel()
	w := newRoleWorld(t, policies, "holdfast.projectpolicy.observe")
	role, err := roles.Named("holdfast.projectpolicy.manage")
	w.must(err)
	w.cloud.Access.SetRole("organizations/1/roles/manage", role.Permissions...)
	text, err := os.ReadFile("../../config/gcp/condition.yaml")
	w.must(err)
	var condition expr.Expr
	w.must(yaml.Unmarshal(text, &condition))
	for _, member := range []string{caller, "serviceAccount:" + operator} { // the same account, in these tests
		w.grant("organizations/1/roles/manage", member, &condition)
	}
	w.grant("roles/viewer", bob)
	before := w.projectGrants()
	w.start()

	p := aPolicy("team", additive(granting("roles/pubsub.publisher", ada)))
	w.create(p)
	w.ready(p)
	granted := w.projectGrants()
	if len(granted) != len(before)+1 {
		t.Errorf("granted: %v", granted)
	}

	t.Log("a role that is not in the list, beside one that is")
	rebind(w.world, p, granting("roles/pubsub.publisher", ada, cleo), granting("roles/viewer", ada))
	w.message(p, v1alpha1.ReasonDenied, "may grant and revoke, and this write has others: roles/viewer. Allow", "Policy update access denied.")
	if d := gocmp.Diff(granted, w.projectGrants()); d != "" {
		t.Errorf("granted (-before +after):\n%s", d)
	}

	t.Log("revoking takes the same")
	rebind(w.world, p, granting("roles/pubsub.publisher", ada))
	w.ready(p)
	owner := aPolicy("owner", v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAuthoritativeRoles, Bindings: []v1alpha1.IAMBinding{granting("roles/viewer", ada)}})
	w.create(owner)
	w.reason(owner, v1alpha1.ReasonAwaitingAdoption)
	approve(w.world, owner)
	w.message(owner, v1alpha1.ReasonDenied, "this write has others: roles/viewer. Allow")

	t.Log("without the condition")
	w.giveRole("organizations/1/roles/unlimited", role.Permissions, caller)
	w.settled(owner)
	w.ready(owner)
}

// TestEachRoleIsTested, but for the one that nothing takes where there are no tokens.
func TestEachRoleIsTested(t *testing.T) {
	tested := map[string]string{
		"holdfast.quota": "TestWhoPaysTakesARole", "holdfast.inventory": "TestTheInventoryTakesARole",
		"holdfast.impersonate": "internal/gcp: tokens are fetched over TLS alone",
	}
	for _, k := range table {
		for access := range duties {
			tested[customRole(k, access)] = "TestTheRolesAreWhatIsCalled"
		}
	}
	for _, r := range roles.All() {
		if tested[r.ID] == "" {
			t.Errorf("nothing tests %s", r.ID)
		}
	}
}
