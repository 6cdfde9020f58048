package engine

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/config/admission"
	"github.com/holdfast-dev/holdfast/internal/breaker"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// fakeKind keeps topics in memory. All that it knows of one are its labels and retention.
type fakeKind struct {
	live map[string]v1alpha1.TopicSpec
	// failing, if set, fails each write.
	failing error
}

var _ kind.Fielded[*v1alpha1.Topic, v1alpha1.TopicSpec] = (*fakeKind)(nil)

func (*fakeKind) Traits() kind.Traits {
	return kind.Traits{Kind: "Topic", Plural: "topics", Name: "topic", Labels: true, FieldTraits: diff.Fields{"spec.iam": {Apart: true}}}
}
func (*fakeKind) New() *v1alpha1.Topic             { return &v1alpha1.Topic{} }
func (*fakeKind) ExternalName(ref kind.Ref) string { return "//fake.googleapis.com/" + ref.ID }

func (k *fakeKind) Observe(_ context.Context, ref kind.Ref) (v1alpha1.TopicSpec, error) {
	live, there := k.live[ref.ID]
	if !there {
		return live, status.Error(codes.NotFound, "no such topic")
	}
	return live, nil
}

func (*fakeKind) Describe(live v1alpha1.TopicSpec) *v1alpha1.Topic {
	live.Labels = kind.DescribeLabels(texts(live.Labels))
	return &v1alpha1.Topic{Spec: live}
}

func (*fakeKind) Identify(live v1alpha1.TopicSpec) kind.Identity {
	return kind.Identity{Labels: texts(live.Labels)}
}
func (*fakeKind) Unmanaged(v1alpha1.TopicSpec) []diff.Unmanaged { return nil }
func (*fakeKind) Report(*v1alpha1.Topic, v1alpha1.TopicSpec)    {}

func (k *fakeKind) Create(_ context.Context, ref kind.Ref, want *v1alpha1.Topic) (v1alpha1.TopicSpec, error) {
	return k.put(ref, want, nil)
}

func (k *fakeKind) Update(ref kind.Ref, want *v1alpha1.Topic, _ diff.Changes) []kind.Call[v1alpha1.TopicSpec] {
	return []kind.Call[v1alpha1.TopicSpec]{{Name: "updating the topic", Do: func(_ context.Context, live v1alpha1.TopicSpec) (v1alpha1.TopicSpec, error) {
		return k.put(ref, want, texts(live.Labels))
	}}}
}

func (k *fakeKind) Delete(_ context.Context, ref kind.Ref, _ v1alpha1.TopicSpec) error {
	delete(k.live, ref.ID)
	return k.failing
}

func (k *fakeKind) put(ref kind.Ref, want *v1alpha1.Topic, live map[string]string) (v1alpha1.TopicSpec, error) {
	spec := v1alpha1.TopicSpec{Labels: v1alpha1.Labels{}, MessageRetentionSeconds: want.Spec.MessageRetentionSeconds}
	for key, value := range ref.Labels(want.Spec.Labels, live) {
		spec.Labels[key] = v1alpha1.LabelValue(value)
	}
	if k.failing == nil {
		k.live[ref.ID] = spec
	}
	return spec, k.failing
}

func texts(labels v1alpha1.Labels) map[string]string {
	out := map[string]string{}
	for key, value := range labels {
		out[key] = string(value)
	}
	return out
}

// endless is a lease that needs no renewal.
type endless struct{}

func (endless) Deadline() (time.Time, bool) { return time.Time{}, false }

// testScheme knows what the engine reads and writes.
func testScheme(t testing.TB) *runtime.Scheme {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return scheme
}

// testReconciler reconciles topics between an API server and a cloud in memory. The namespace shop is bound to a project.
func testReconciler(t testing.TB, objects ...client.Object) (*Reconciler, *fakeKind) {
	t.Helper()
	topics := &fakeKind{live: map[string]v1alpha1.TopicSpec{}}
	return reconcilerOf(t, kind.Of(topics), objects...), topics
}

// reconcilerOf reconciles topics by a kind of the test's own.
func reconcilerOf(t testing.TB, k kind.Kind, objects ...client.Object) *Reconciler {
	t.Helper()
	scheme := testScheme(t)
	kube := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.Topic{}).WithObjects(append(objects, shopNamespace(nil))...).Build()
	r := &Reconciler{
		client: kube, uncached: kube, gate: NewGate(kube, endless{}, ""), projects: active{}, identities: everybody{}, turns: atOnce{}, kept: newWaitingTurns(),
		missing: newAbsences(), throttled: newAbsences(), firstLooks: newFirstLooks(k.Traits), unrecorded: newUnrecorded(), emptyings: newEmptyings(1), metrics: metrics.New(),
		sweep: sweep.Schedule{Interval: time.Hour}, events: &events.FakeRecorder{}, eventLimits: newEventLimits(), scheme: scheme, writes: newWriteLog(0, false), now: time.Now,
		home: defaultNamespace, guards: newGuards(kube, admission.Operator), tenants: tenantsOf(t, kube, ""), policySweep: sweep.Schedule{Interval: time.Hour},
	}
	clock := func() time.Time { return r.now() }
	r.due, r.policies = newDues(clock), newDues(clock)
	r.circuit = &circuit{
		client: kube, reader: kube, key: client.ObjectKey{Namespace: defaultNamespace, Name: breakerRecord}, limits: breaker.DefaultLimits(), now: clock,
		metrics: r.metrics, asked: map[types.UID]asker{}, released: func(*survey, func(string) bool) {},
	}
	r.use(k)
	return r
}

// tenantsOf knows all Namespaces.
func tenantsOf(t testing.TB, kube client.Reader, shard string) *tenants {
	t.Helper()
	var all corev1.NamespaceList
	if err := kube.List(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	known := newTenants(kube, shard, time.Minute)
	for _, namespace := range all.Items {
		known.see(t.Context(), namespace.Name)
	}
	return known
}

// source finds manifests among all that there are.
func (r *Reconciler) source() cached { return cached{scan{r.client}, r.client, r.tenants} }

// scan finds manifests by looking at all that the API server has, so that none is found late.
type scan struct{ client.Client }

func (s scan) by(ctx context.Context, k kind.Kind, index, key string) ([]v1alpha1.Object, error) {
	all, err := s.all(ctx, k)
	return slices.DeleteFunc(all, func(obj v1alpha1.Object) bool {
		if index == namespaceIndex {
			return obj.GetNamespace() != key
		}
		return !slices.Contains(indexes(k)[index](obj), key)
	}), err
}

func (s scan) all(ctx context.Context, k kind.Kind) (all []v1alpha1.Object, err error) {
	list, err := s.Scheme().New(v1alpha1.GroupVersion.WithKind(k.Kind + "List"))
	if err != nil {
		return nil, err
	}
	if err := s.List(ctx, list.(client.ObjectList)); err != nil {
		return nil, err
	}
	return all, meta.EachListItem(list, func(item runtime.Object) error {
		all = append(all, item.(v1alpha1.Object))
		return nil
	})
}

// use makes a reconciler one of another kind of topics.
func (r *Reconciler) use(k kind.Kind) {
	r.kind = k
	r.circuit.survey = surveyOf(r.source(), []kind.Kind{k}, r.circuit)
	r.inventory = &inventory.Inventory{
		Source: r.source(), Kinds: []kind.Kind{k}, OwnerID: "cluster", Now: func() time.Time { return r.now() }, Contested: r.tenants.contested,
	}
}

// active are projects that nobody shuts down.
type active struct{}

func (active) ProjectNumber(context.Context, string, string) (uint64, error) { return 4711, nil }
func (active) ShutDown(context.Context, string, string) (bool, error)        { return false, nil }

// everybody takes us for one and the same service account.
type everybody struct{}

func (everybody) Identity(context.Context, string) (string, error) {
	return "holdfast@ops.iam.gserviceaccount.com", nil
}

// atOnce is a line in which nobody waits.
type atOnce struct{}

func (atOnce) Reserve(fair.Tenant, string, string, []kind.Method, []kind.Method) (gcp.Turn, time.Duration) {
	return atOnce{}, 0
}
func (atOnce) With(ctx context.Context) context.Context { return ctx }
func (atOnce) Wait() time.Duration                      { return 0 }
func (atOnce) Cover([]kind.Method) time.Duration        { return 0 }
func (atOnce) Release()                                 {}

func shopNamespace(annotations map[string]string) *corev1.Namespace {
	all := map[string]string{v1alpha1.ProjectIDAnnotation: "shop-project"}
	maps.Copy(all, annotations)
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Annotations: all}}
}

func shopTopic() *v1alpha1.Topic {
	topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "orders", UID: "1", Generation: 1}}
	topic.Spec = v1alpha1.TopicSpec{
		CommonSpec:              v1alpha1.CommonSpec{Management: v1alpha1.ManagementManage, Adoption: v1alpha1.AdoptionIfMatches, DeletionPolicy: v1alpha1.DeletionOrphan},
		Labels:                  v1alpha1.Labels{"team": "shop"},
		MessageRetentionSeconds: new(int64(3600)),
	}
	return topic
}
