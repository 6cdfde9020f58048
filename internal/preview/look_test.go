package preview

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

// fleet is manifests in namespaces that are each bound to a project, of a cloud in which some of their resources are.
type fleet struct {
	t        *testing.T
	cloud    *emulator.Emulator
	clients  *gcp.Clients
	tree     *manifests.Tree
	knows    Knowledge
	buckets  int // to be created
	policies int
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	cloud := emulator.StartTest(t)
	return &fleet{t: t, cloud: cloud, clients: policytest.Clients(t, cloud, kinds.Methods()...), tree: &manifests.Tree{}}
}

// add adds a namespace and its manifests, of which every other is in the cloud as it says.
func (f *fleet) add(namespace string, of map[string]int) {
	f.t.Helper()
	project := namespace + "-prod"
	f.tree.Namespaces = append(f.tree.Namespaces, manifests.Namespace{
		Name: namespace, Annotations: map[string]string{v1alpha1.ProjectIDAnnotation: project},
	})
	for _, k := range kinds.All(f.clients) {
		for i := range of[k.Kind] {
			obj := k.New()
			obj.SetNamespace(namespace)
			obj.SetName(fmt.Sprintf("%s-%s-%d", namespace, k.Label(), i))
			iam, there := i%4 == 0 && k.Policy != nil, i%2 == 0
			if iam {
				f.policies++
				grant(obj)
			}
			f.tree.Objects = append(f.tree.Objects, manifests.Object{Object: obj})
			switch {
			case k.Fields == nil:
			case there:
				if _, err := k.Fields.Create(f.t.Context(), kind.Ref{Project: project, ID: k.ResourceID(obj)}, obj); err != nil {
					f.t.Fatal(err)
				}
			case k.Kind == "Bucket":
				f.buckets++
			}
		}
	}
}

// grant has a manifest grant something.
func grant(obj v1alpha1.Object) {
	policy := v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive, Bindings: []v1alpha1.IAMBinding{{Role: "roles/viewer", Members: []v1alpha1.IAMMember{"user:ada@example.com"}}}}
	switch obj := obj.(type) {
	case *v1alpha1.Bucket:
		obj.Spec.IAM = &policy
	case *v1alpha1.Topic:
		obj.Spec.IAM = &policy
	case *v1alpha1.ServiceAccount:
		obj.Spec.IAM = &policy
	case *v1alpha1.ProjectPolicy:
		obj.Spec.IAMPolicy = policy
	}
}

// preview previews the fleet, without a cluster.
func (f *fleet) preview() []Preview {
	f.t.Helper()
	scene, cluster := NewScene(kinds.All(f.clients), f.tree, nil), NewExcerpt(kinds.All(f.clients))
	scene.Begin(cluster, "")
	source, objects, err := scene.Over(f.t.Context(), cluster.Source(), time.Now())
	if err != nil {
		f.t.Fatal(err)
	}
	previewer := &Previewer{
		Inventory: &inventory.Inventory{Source: source, Kinds: scene.Kinds, Now: time.Now}, Numbers: f.clients, ShutDown: f.clients.ShutDown,
		Self: SelfAs("", nil), AsOurselves: true, Knows: f.knows,
	}
	last, total := 0, 0
	previews, err := previewer.All(f.t.Context(), objects, func(done, of int) {
		if done < last || done > of {
			f.t.Errorf("progress went from %d to %d of %d", last, done, of)
		}
		last, total = done, of
	})
	if err != nil {
		f.t.Fatal(err)
	}
	if last != total {
		f.t.Errorf("progress ended with %d of %d", last, total)
	}
	return previews
}

func effectsOf(previews []Preview) map[Effect]int {
	counts := map[Effect]int{}
	for _, v := range previews {
		counts[v.Outcome.Effect]++
	}
	return counts
}

// TestAThousandManifestsCostCallsByProject: three lists and a number for each of fifty projects, and else no more than one call for each IAM
// policy that is there, and for each bucket that is not, whose name may be taken elsewhere.
func TestAThousandManifestsCostCallsByProject(t *testing.T) {
	const projects = 50
	f := newFleet(t)
	for i := range projects {
		f.add(fmt.Sprintf("team-%02d", i), map[string]int{"Bucket": 7, "Topic": 7, "ServiceAccount": 5, "ProjectPolicy": 1})
	}
	if len(f.tree.Objects) != 1000 {
		t.Fatalf("%d manifests", len(f.tree.Objects))
	}
	f.cloud.Traffic.ResetCounts()
	previews := f.preview()
	calls, most := f.cloud.Traffic.Total(), 4*projects+f.policies+f.buckets
	t.Logf("%d calls, of %d at most: %v", calls, most, f.cloud.Traffic.Counts())
	if calls > most {
		t.Errorf("%d calls, want %d at most: %v", calls, most, f.cloud.Traffic.Counts())
	}
	// Of 7 buckets and 7 topics 3 each are to be created, of 5 accounts 2. Of those that are there, 2 of each kind are to grant something, which
	// is refused on accounts that the manifest has not created; and so are the policies of projects.
	want := map[Effect]int{Create: 8 * projects, Update: 5 * projects, Refused: 2 * projects, Adopt: 5 * projects}
	if d := cmp.Diff(want, effectsOf(previews)); d != "" {
		t.Errorf("effects (-want +got):\n%s", d)
	}
}

// TestWhatIsListedIsPlannedAsWhatIsRead: a list says of each resource what a read does.
func TestWhatIsListedIsPlannedAsWhatIsRead(t *testing.T) {
	f := newFleet(t)
	f.add("shop", map[string]int{"Bucket": 4, "Topic": 4, "ServiceAccount": 4})
	listed := f.preview()
	f.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Method: "buckets.list"}, Status: http.StatusForbidden})
	f.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Method: "Publisher.ListTopics"}, Status: http.StatusForbidden})
	f.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Method: "IAM.ListServiceAccounts"}, Status: http.StatusForbidden})
	for i, read := range f.preview() {
		if read.Outcome != listed[i].Outcome || !slices.Equal(read.Plan, listed[i].Plan) {
			t.Errorf("%s is %+v %v by a list, and %+v %v by a read", read.name(), listed[i].Outcome, listed[i].Plan, read.Outcome, read.Plan)
		}
	}
}

// TestAProjectThatIsDeniedKeepsNoOther: what is denied is said with the permission and the resource, and the others are planned.
func TestAProjectThatIsDeniedKeepsNoOther(t *testing.T) {
	cases := map[string]struct {
		fault traffic.Fault
		says  string
	}{
		"a permission is missing": {traffic.Fault{Status: http.StatusForbidden}, "permission pubsub.topics.get is missing on "},
		"the API is disabled": {
			traffic.Fault{Status: http.StatusForbidden, Message: "Disabled.", Details: &traffic.Details{
				Info: "SERVICE_DISABLED", Metadata: map[string]string{"service": "pubsub.googleapis.com", "consumer": "projects/4711"},
			}}, "gcloud services enable pubsub.googleapis.com --project 4711",
		},
		"nobody answers": {traffic.Fault{Outage: true}, "reading the topic: "},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			f.add("bank", map[string]int{"Topic": 3})
			f.add("shop", map[string]int{"Topic": 3})
			fault := tc.fault
			fault.Match = traffic.Call{Project: "bank-prod"}
			f.cloud.Traffic.Inject(fault)
			for _, v := range f.preview() {
				failed := v.Object.GetNamespace() == "bank"
				if failed != v.Failed() || failed && !strings.Contains(v.Outcome.Message, tc.says) {
					t.Errorf("%s is %+v", v.name(), v.Outcome)
				}
			}
		})
	}
}

// TestPatience: a call that Google throttles is repeated, and ends with the context.
func TestPatience(t *testing.T) {
	throttled := &kind.Error{Class: kind.Throttled, RetryAfter: time.Millisecond, Message: "slow down"}
	calls := 0
	err := patiently(t.Context(), func() error {
		calls++
		if calls < 3 {
			return throttled
		}
		return nil
	})
	if err != nil || calls != 3 {
		t.Errorf("%d calls, then %v", calls, err)
	}
	calls = 0
	if err := patiently(t.Context(), func() error { calls++; return throttled }); err == nil || calls != mostThrottled+1 {
		t.Errorf("%d calls, then %v", calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ours := &kind.Error{Class: kind.Throttled, Ours: true, RetryAfter: time.Hour}
	if err := patiently(ctx, func() error { cancel(); return ours }); err == nil {
		t.Error("no error once the context has ended")
	}
}

// TestWhatManifestsReferToAndCreate: a grant to an account that the same plan creates is part of it.
func TestWhatManifestsReferToAndCreate(t *testing.T) {
	f := newFleet(t)
	f.add("shop", map[string]int{"ServiceAccount": 2})
	topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders"}}
	binding := v1alpha1.IAMBinding{Role: "roles/pubsub.publisher"}
	for _, name := range []string{"shop-serviceaccount-0", "shop-serviceaccount-1", "nobody"} {
		binding.ServiceAccountRefs = append(binding.ServiceAccountRefs, v1alpha1.ServiceAccountRef{Name: name})
	}
	topic.Spec.IAM = &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{binding}}
	f.tree.Objects = append(f.tree.Objects, manifests.Object{Object: topic})
	previews := f.preview()
	got := previews[len(previews)-1]
	paths := strings.Join(got.Plan.Paths(), "\n")
	for _, account := range []string{"shop-serviceaccount-0", "shop-serviceaccount-1"} {
		if !strings.Contains(paths, "serviceAccount:"+account+"@shop-prod.iam.gserviceaccount.com") {
			t.Errorf("nothing is granted to %s:\n%s", account, paths)
		}
	}
	if !strings.Contains(got.Outcome.Message, `waiting for ServiceAccount "nobody"`) {
		t.Errorf("outcome %+v", got.Outcome)
	}
}

// TestAsWhom: by the credentials of whoever plans, or as the accounts that Namespaces name.
func TestAsWhom(t *testing.T) {
	for name, ourselves := range map[string]bool{"as ourselves": true, "as the account": false} {
		t.Run(name, func(t *testing.T) {
			annotations := map[string]string{
				v1alpha1.ProjectIDAnnotation: "shop-prod", v1alpha1.ImpersonateServiceAccountAnnotation: "holdfast@shop-prod.iam.gserviceaccount.com",
			}
			as := "nobody"
			k := kinds.All(nil)[0]
			k.Fields = &kind.Fields{Observe: func(_ context.Context, ref kind.Ref) (kind.Live, error) {
				as = ref.Impersonate
				return kind.Live{}, &kind.Error{Class: kind.NotFound, Message: "not there"}
			}}
			obj := &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "logs"}}
			obj.GetObjectKind().SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Bucket"))
			folder := inventory.NewFolder([]kind.Kind{k}, map[string]map[string]string{"shop": annotations}, []v1alpha1.Object{obj})
			p := &Previewer{
				Inventory: &inventory.Inventory{Source: folder, Kinds: []kind.Kind{k}, Now: time.Now}, Self: SelfAs("", nil), AsOurselves: ourselves,
			}
			v, err := p.One(t.Context(), k, obj)
			want := annotations[v1alpha1.ImpersonateServiceAccountAnnotation]
			if ourselves {
				want = ""
			}
			if err != nil || as != want || v.Verdict.Action != plan.Create || v.Outcome.Effect != Create {
				t.Errorf("read as %q, which came to %+v: %v", as, v.Outcome, err)
			}
		})
	}
}

// TestAPanicIsTheCallers: it ends no process in which somebody else works.
func TestAPanicIsTheCallers(t *testing.T) {
	done := make(chan int, 2)
	defer func() {
		why, _ := recover().(error)
		if why == nil || !strings.Contains(why.Error(), "of the second") || !strings.Contains(why.Error(), "look_test.go") {
			t.Errorf("recovered %v", why)
		}
		if len(done) != 2 {
			t.Errorf("%d others were looked at", len(done))
		}
	}()
	each(t.Context(), []int{1, 2, 3}, func(_ context.Context, item int) {
		if item == 2 {
			panic("of the second")
		}
		done <- item
	})
}
