package engine

import (
	"context"
	"maps"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// fakeKind keeps topics in memory. All that it knows of one are its labels and retention.
type fakeKind struct {
	live map[string]v1alpha1.TopicSpec
	// failing, if set, fails each write.
	failing error
}

var _ Kind[*v1alpha1.Topic, v1alpha1.TopicSpec] = (*fakeKind)(nil)

func (*fakeKind) Traits() Traits              { return Traits{Name: "topic", Labels: true, Fields: diff.Fields{}} }
func (*fakeKind) New() *v1alpha1.Topic        { return &v1alpha1.Topic{} }
func (*fakeKind) ExternalName(ref Ref) string { return "//fake.googleapis.com/" + ref.ID }

func (k *fakeKind) Observe(_ context.Context, ref Ref) (v1alpha1.TopicSpec, error) {
	live, there := k.live[ref.ID]
	if !there {
		return live, status.Error(codes.NotFound, "no such topic")
	}
	return live, nil
}

func (*fakeKind) Describe(live v1alpha1.TopicSpec) *v1alpha1.Topic {
	live.Labels = DescribeLabels(texts(live.Labels))
	return &v1alpha1.Topic{Spec: live}
}

func (*fakeKind) Identify(live v1alpha1.TopicSpec) Identity {
	return Identity{Labels: texts(live.Labels)}
}
func (*fakeKind) Report(*v1alpha1.Topic, v1alpha1.TopicSpec) {}

func (k *fakeKind) Create(_ context.Context, ref Ref, want *v1alpha1.Topic) (v1alpha1.TopicSpec, error) {
	return k.put(ref, want, nil)
}

func (k *fakeKind) Update(ref Ref, want *v1alpha1.Topic, _ diff.Changes) []Call[v1alpha1.TopicSpec] {
	return []Call[v1alpha1.TopicSpec]{{Name: "updating the topic", Do: func(_ context.Context, live v1alpha1.TopicSpec) (v1alpha1.TopicSpec, error) {
		return k.put(ref, want, texts(live.Labels))
	}}}
}

func (k *fakeKind) Delete(_ context.Context, ref Ref, _ v1alpha1.TopicSpec) error {
	delete(k.live, ref.ID)
	return k.failing
}

func (k *fakeKind) put(ref Ref, want *v1alpha1.Topic, live map[string]string) (v1alpha1.TopicSpec, error) {
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
func testReconciler(t testing.TB, objects ...client.Object) (*Reconciler[*v1alpha1.Topic, v1alpha1.TopicSpec], *fakeKind) {
	t.Helper()
	scheme := testScheme(t)
	kube := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.Topic{}).
		WithIndex(&v1alpha1.Topic{}, resourceIDIndex, func(o client.Object) []string { return []string{resourceKey(o.(v1alpha1.Object), Traits{})} }).
		WithObjects(append(objects, shopNamespace(nil))...).Build()
	kind := &fakeKind{live: map[string]v1alpha1.TopicSpec{}}
	return &Reconciler[*v1alpha1.Topic, v1alpha1.TopicSpec]{
		kind: kind, ownerID: "cluster", client: kube, uncached: kube,
		gate:  &gate{reader: kube, lease: endless{}, now: time.Now},
		sweep: sweep.Schedule{Interval: time.Hour}, events: &events.FakeRecorder{}, scheme: scheme, writes: newWriteLog(defaultUnanswered), now: time.Now,
	}, kind
}

func shopNamespace(annotations map[string]string) *corev1.Namespace {
	all := map[string]string{v1alpha1.ProjectIDAnnotation: "shop-project"}
	maps.Copy(all, annotations)
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Annotations: all}}
}

func shopTopic() *v1alpha1.Topic {
	topic := objectNamed("shop", "orders")
	topic.UID, topic.Generation = "1", 1
	topic.Spec = v1alpha1.TopicSpec{
		CommonSpec:              v1alpha1.CommonSpec{Management: v1alpha1.ManagementManage, Adoption: v1alpha1.AdoptionIfMatches, DeletionPolicy: v1alpha1.DeletionOrphan},
		Labels:                  v1alpha1.Labels{"team": "shop"},
		MessageRetentionSeconds: new(int64(3600)),
	}
	return topic
}
