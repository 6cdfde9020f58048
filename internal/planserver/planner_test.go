package planserver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/preview"
	"github.com/holdfast-dev/holdfast/internal/preview/render"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

// emulated is a planner over an emulated Google Cloud, and a cluster that is a folder.
type emulated struct {
	*CloudPlanner

	cloud *emulator.Emulator
	kinds []kind.Kind // with their writes
}

const inCluster = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, annotations: {holdfast.dev/project-id: shop-project}}
---
apiVersion: v1
kind: Namespace
metadata: {name: closed, annotations: {holdfast.dev/project-id: closed-project}}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: ServiceAccount
metadata: {namespace: closed, name: writer}
---
apiVersion: gcp.holdfast.dev/v1alpha1
kind: Bucket
metadata: {namespace: shop, name: old}
spec: {resourceID: shop-old, location: EU}
`

// folderOf is a cluster that has these manifests.
func folderOf(t *testing.T, text string, all []kind.Kind) inventory.Source {
	t.Helper()
	tree, err := manifests.Read(t.Context(), manifests.Options{Paths: []string{"-"}, Stdin: strings.NewReader(text), Kinds: all})
	if err != nil || len(tree.Problems) > 0 {
		t.Fatal(err, tree)
	}
	return tree.Folder(all)
}

func emulate(t *testing.T) *emulated {
	t.Helper()
	cloud := emulator.StartTest(t, emulator.Options{EnforceRequesterPays: true})
	clients := policytest.Clients(t, cloud, kinds.Methods()...)
	all := kinds.All(clients)
	folder := folderOf(t, inCluster, all)
	return &emulated{
		CloudPlanner: &CloudPlanner{
			Inventory: &inventory.Inventory{Source: folder, Kinds: all, OwnerID: "cluster", Now: time.Now}, Cluster: known{}, Projects: clients,
		},
		cloud: cloud, kinds: all,
	}
}

// known is a cluster of which all is known.
type known struct{}

func (known) Synced() bool               { return true }
func (known) OfAnotherShard(string) bool { return false }
func (known) Self(context.Context, string) iampolicy.Self {
	const us = "holdfast@operations.iam.gserviceaccount.com"
	return iampolicy.Self{Email: us, Own: us, Accounts: iampolicy.NewAccounts()}
}

// create makes a resource in Google Cloud.
func (e *emulated) create(t *testing.T, project string, obj v1alpha1.Object) {
	t.Helper()
	k := kindOf(t, e.kinds, obj)
	if _, err := k.Fields.Create(t.Context(), kind.Ref{Project: project, ID: obj.GetName()}, obj); err != nil {
		t.Fatal(err)
	}
}

func kindOf(t *testing.T, all []kind.Kind, obj v1alpha1.Object) kind.Kind {
	t.Helper()
	for _, k := range all {
		if fmt.Sprintf("%T", k.New()) == fmt.Sprintf("%T", obj) {
			return k
		}
	}
	t.Fatalf("no kind has manifests such as %T", obj)
	return kind.Kind{}
}

// applying is a scene of objects that are applied.
func (e *emulated) applying(objects ...v1alpha1.Object) *preview.Scene {
	tree := &manifests.Tree{}
	for _, obj := range objects {
		tree.Objects = append(tree.Objects, manifests.Object{Object: obj})
	}
	return preview.NewScene(e.kinds, tree, nil)
}

// plan is the plan of a manifest as it is sent, and the calls that it took, with a word for some names.
func (e *emulated) plan(t *testing.T, obj v1alpha1.Object, names ...string) (document string, calls []string) {
	t.Helper()
	return e.planOf(t, e.applying(obj), names...)
}

// planOf is the plan of a scene, in the same way.
func (e *emulated) planOf(t *testing.T, scene *preview.Scene, names ...string) (document string, calls []string) {
	t.Helper()
	mark := e.cloud.Traffic.Mark()
	previews, err := e.Plan(t.Context(), scene)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(render.Of(render.Plan{Previews: previews}), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	document = string(text)
	for _, name := range names {
		document = strings.ReplaceAll(document, name, "NAME")
	}
	for _, entry := range e.cloud.Traffic.Since(mark) {
		calls = append(calls, entry.Call.String())
	}
	if writes := e.cloud.Traffic.WritesSince(mark); len(writes) > 0 {
		t.Errorf("it wrote %v", writes)
	}
	return document, calls
}

func bucket(namespace, name string, spec v1alpha1.BucketSpec) *v1alpha1.Bucket {
	return &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: spec}
}

var granting = &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{Role: "roles/storage.admin", Members: []v1alpha1.IAMMember{"user:ada@example.com"}}}}

// TestNobodyLearnsWhatIsNotHisFromAPlan: what is somebody else's, and what is nobody's, get one and the same answer after one and the same calls.
func TestNobodyLearnsWhatIsNotHisFromAPlan(t *testing.T) {
	e := emulate(t)
	e.create(t, "closed-project", bucket("", "taken-bucket", v1alpha1.BucketSpec{Location: "EU"}))
	account := &v1alpha1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "taken-account"}}
	e.create(t, "closed-project", account)

	granted := func(namespace, name string) v1alpha1.Object {
		topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders"}}
		topic.Spec.IAM = &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{
			Role: "roles/pubsub.publisher", ServiceAccountRefs: []v1alpha1.ServiceAccountRef{{Namespace: namespace, Name: name}},
		}}}
		return topic
	}
	member := func(account string) v1alpha1.Object {
		topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders"}}
		topic.Spec.IAM = &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{
			Role: "roles/pubsub.publisher", Members: []v1alpha1.IAMMember{v1alpha1.IAMMember("serviceAccount:" + account)},
		}}}
		return topic
	}
	in := func(namespace, project string) v1alpha1.Object {
		b := bucket(namespace, "anything", v1alpha1.BucketSpec{Location: "EU"})
		b.Spec.ProjectID = project
		return b
	}
	account.Namespace = "shop"
	for what, tc := range map[string]struct {
		foreign, missing           v1alpha1.Object
		foreignNames, missingNames []string
	}{
		"a bucket": {
			bucket("shop", "taken-bucket", v1alpha1.BucketSpec{Location: "EU"}), bucket("shop", "empty-bucket", v1alpha1.BucketSpec{Location: "EU"}),
			[]string{"taken-bucket"}, []string{"empty-bucket"},
		},
		"a bucket by another name, with its policy": {
			bucket("shop", "a", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{ResourceID: "taken-bucket"}, Location: "EU", IAM: granting}),
			bucket("shop", "a", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{ResourceID: "empty-bucket"}, Location: "EU", IAM: granting}),
			[]string{"taken-bucket"}, []string{"empty-bucket"},
		},
		"a bucket that is only observed": {
			bucket("shop", "taken-bucket", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve}}),
			bucket("shop", "empty-bucket", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{Management: v1alpha1.ManagementObserve}}),
			[]string{"taken-bucket"}, []string{"empty-bucket"},
		},
		"an account": {
			account, &v1alpha1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "empty-account"}},
			[]string{"taken-account"}, []string{"empty-account"},
		},
		"an account that is let in": {
			member("taken-account@closed-project.iam.gserviceaccount.com"), member("empty-account@closed-project.iam.gserviceaccount.com"),
			[]string{"taken-account"}, []string{"empty-account"},
		},
		"a manifest of an account in another namespace": {granted("closed", "writer"), granted("closed", "nobody"), []string{"writer"}, []string{"nobody"}},
		"another namespace of an account":               {granted("closed", "writer"), granted("nowhere", "writer"), []string{"closed"}, []string{"nowhere"}},
		"a project that is not the namespace's":         {in("shop", "closed-project"), in("shop", "no-project"), []string{"closed-project"}, []string{"no-project"}},
	} {
		t.Run(what, func(t *testing.T) {
			foreign, foreignCalls := e.plan(t, tc.foreign, tc.foreignNames...)
			missing, missingCalls := e.plan(t, tc.missing, tc.missingNames...)
			if diff := cmp.Diff(missing, foreign); diff != "" {
				t.Errorf("the answers differ (-missing +foreign):\n%s", diff)
			}
			if diff := cmp.Diff(missingCalls, foreignCalls); diff != "" {
				t.Errorf("the calls differ (-missing +foreign):\n%s", diff)
			}
		})
	}
}

// TestAPlanOfTheServerIsThatOfTheOperator: of what is there, and of what is not.
func TestAPlanOfTheServerIsThatOfTheOperator(t *testing.T) {
	e := emulate(t)
	e.create(t, "shop-project", bucket("", "shop-logs", v1alpha1.BucketSpec{Location: "EU"}))
	for what, tc := range map[string]struct {
		obj  v1alpha1.Object
		want string
	}{
		"as it is":      {bucket("shop", "shop-logs", v1alpha1.BucketSpec{Location: "EU"}), `"effect": "adopt"`},
		"that differs":  {bucket("shop", "shop-logs", v1alpha1.BucketSpec{Location: "EU", RequesterPays: new(true)}), `"on": "adoption"`},
		"that is not":   {bucket("shop", "shop-media", v1alpha1.BucketSpec{Location: "EU"}), string(UnknownName)},
		"in no project": {bucket("unbound", "shop-media", v1alpha1.BucketSpec{Location: "EU"}), `"reason": "ProjectUnbound"`},
		"a topic":       {&v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders"}}, `"effect": "create"`},
	} {
		t.Run(what, func(t *testing.T) {
			if got, _ := e.plan(t, tc.obj); !strings.Contains(got, tc.want) {
				t.Errorf("want %s in\n%s", tc.want, got)
			}
		})
	}
}

// TestAFalseAccountOfWhatWasThereTellsNothing: whatever a caller says that a manifest was, it goes as the cluster has it.
func TestAFalseAccountOfWhatWasThereTellsNothing(t *testing.T) {
	e := emulate(t)
	e.create(t, "closed-project", bucket("", "taken-bucket", v1alpha1.BucketSpec{Location: "EU"}))
	e.create(t, "shop-project", bucket("", "shop-old", v1alpha1.BucketSpec{Location: "EU"}))
	before := func(changes ...func(*v1alpha1.Bucket)) v1alpha1.Object {
		was := bucket("shop", "old", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{ResourceID: "shop-old"}, Location: "EU"})
		for _, change := range changes {
			change(was)
		}
		return was
	}
	goes := func(was v1alpha1.Object) (string, []string) {
		t.Helper()
		tree := &manifests.Tree{Objects: []manifests.Object{{Object: was}}}
		return e.planOf(t, preview.NewScene(e.kinds, &manifests.Tree{}, tree))
	}
	goes(before()) // after which the project's number is known
	document, calls := goes(before())
	if !strings.Contains(document, `"effect": "orphan"`) {
		t.Errorf("it goes as\n%s", document)
	}
	for what, lie := range map[string]func(*v1alpha1.Bucket){
		"of another bucket":   func(b *v1alpha1.Bucket) { b.Spec.ResourceID = "taken-bucket" },
		"in another project":  func(b *v1alpha1.Bucket) { b.Spec.ProjectID = "closed-project" },
		"that was to go":      func(b *v1alpha1.Bucket) { b.Spec.DeletionPolicy = v1alpha1.DeletionDeleteWithContents },
		"that let people in":  func(b *v1alpha1.Bucket) { b.Spec.IAM = granting },
		"that was only seen":  func(b *v1alpha1.Bucket) { b.Spec.Management = v1alpha1.ManagementObserve },
		"that holds more now": func(b *v1alpha1.Bucket) { b.Spec.Labels = v1alpha1.Labels{"team": "a"} },
	} {
		got, gotCalls := goes(before(lie))
		if diff := cmp.Diff(document, got); diff != "" {
			t.Errorf("%s: the answers differ (-truth +lie):\n%s", what, diff)
		}
		if diff := cmp.Diff(calls, gotCalls); diff != "" {
			t.Errorf("%s: the calls differ (-truth +lie):\n%s", what, diff)
		}
	}
	invented := bucket("shop", "invented", v1alpha1.BucketSpec{CommonSpec: v1alpha1.CommonSpec{ResourceID: "shop-old"}, Location: "EU"})
	if got, calls := goes(invented); strings.Contains(got, "invented") || len(calls) > 0 {
		t.Errorf("what nobody applied goes, after %v:\n%s", calls, got)
	}
}

// TestAPlanTakesListsByProject: one for all buckets of a project, however many are planned.
func TestAPlanTakesListsByProject(t *testing.T) {
	e := emulate(t)
	var objects []v1alpha1.Object
	for i := range 50 {
		objects = append(objects, bucket("shop", fmt.Sprint("shop-", i), v1alpha1.BucketSpec{Location: "EU"}))
	}
	mark := e.cloud.Traffic.Mark()
	previews, err := e.Plan(t.Context(), e.applying(objects...))
	if err != nil {
		t.Fatal(err)
	}
	if calls := e.cloud.Traffic.Since(mark); len(calls) != 1 {
		t.Errorf("it took %d calls, want one list: %v", len(calls), calls)
	}
	for _, v := range previews {
		if v.Outcome.Effect != preview.Create {
			t.Errorf("%s: %s", v.Object.GetName(), v.Outcome.Effect)
		}
	}
}

// TestAPlanCanWriteNothing, not even by a kind that keeps a way to: its calls are made as those of somebody who only asks.
func TestAPlanCanWriteNothing(t *testing.T) {
	e := emulate(t)
	obj := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders"}}
	honest, tried := kindOf(t, e.kinds, obj), 0
	kinds := slices.Clone(e.kinds)
	for i := range kinds {
		if kinds[i].Kind != honest.Kind {
			continue
		}
		fields := *honest.Fields
		fields.Observe = func(ctx context.Context, ref kind.Ref) (kind.Live, error) {
			tried++
			if _, err := honest.Fields.Create(ctx, ref, obj); err == nil {
				t.Error("a topic was created")
			}
			return honest.Fields.Observe(ctx, ref)
		}
		kinds[i].Fields = &fields
	}
	inv := *e.Inventory
	inv.Kinds = kinds
	e.Inventory = &inv
	if got, _ := e.plan(t, obj); tried != 1 || !strings.Contains(got, `"effect": "create"`) {
		t.Errorf("tried %d times, and planned\n%s", tried, got)
	}
}

// TestThereIsNoPlanBeforeTheClusterIsKnown: it would be another one.
func TestThereIsNoPlanBeforeTheClusterIsKnown(t *testing.T) {
	e := emulate(t)
	e.Cluster = unknown{}
	_, err := e.Plan(t.Context(), e.applying())
	if err == nil || err.Error() != errUnavailable.Error() {
		t.Errorf("got %v", err)
	}
}

type unknown struct{ known }

func (unknown) Synced() bool { return false }
