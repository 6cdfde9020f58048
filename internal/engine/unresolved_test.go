package engine

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// oneAccount is a source in which every reference leads to the topic shop/orders, whose e-mail a test gives.
type oneAccount struct {
	inventory.Source

	topics kind.Kind
}

func (s oneAccount) Manifest(ctx context.Context, _ kind.Kind, namespace, _ string) (v1alpha1.Object, error) {
	return s.Source.Manifest(ctx, s.topics, namespace, "orders")
}

// referring is a policied that may refer to an account, which has no e-mail until it is set.
func referring(t *testing.T) (r *Reconciler, topics *policiedKind, email *string) {
	t.Helper()
	r, topics = policied(t, ada)
	account := r.kind
	email = new(string)
	account.Kind, account.Referent = "ServiceAccount", func(v1alpha1.Object) string { return *email }
	r.inventory.Kinds = append(r.inventory.Kinds, account)
	r.inventory.Source = oneAccount{r.inventory.Source, r.kind}
	return r, topics, email
}

func referTo(mode v1alpha1.IAMMode) func(*v1alpha1.Topic) {
	return func(topic *v1alpha1.Topic) {
		topic.Spec.IAM = grantTo(ada)
		topic.Spec.IAM.Mode = mode
		topic.Spec.IAM.Bindings[0].ServiceAccountRefs = []v1alpha1.ServiceAccountRef{{Name: "orders"}}
	}
}

// TestWhatAReferenceHidesIsNotAdopted: while a reference is unresolved nothing is revoked, so nobody has seen what would be.
func TestWhatAReferenceHidesIsNotAdopted(t *testing.T) {
	r, topics, email := referring(t)
	topics.live["orders"] = v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop"}, MessageRetentionSeconds: new(int64(3600))}
	topics.bindings = []iampolicy.Binding{{Role: "roles/pubsub.publisher", Members: []string{ada, bob}}}
	edit(t, r, referTo(v1alpha1.IAMAuthoritative))
	if topic := step(t, r, v1alpha1.ReasonAwaitingReference); topic.Status.Identity != "" {
		t.Errorf("adopted as %s", topic.Status.Identity)
	}
	*email = "orders@shop-project.iam.gserviceaccount.com"
	step(t, r, v1alpha1.ReasonAwaitingAdoption)
	if d := cmp.Diff([]string{ada, bob}, topics.members()); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
}

// TestAModeIsNotAppliedWhileAReferenceIsUnresolved: the first removal in a mode waits for a person, also after that.
func TestAModeIsNotAppliedWhileAReferenceIsUnresolved(t *testing.T) {
	r, topics, email := referring(t)
	topics.bindings = []iampolicy.Binding{{Role: "roles/pubsub.publisher", Members: []string{ada, bob}}}
	step(t, r, v1alpha1.ReasonUpToDate)
	edit(t, r, referTo(v1alpha1.IAMAuthoritativeRoles))
	step(t, r, v1alpha1.ReasonAwaitingReference)
	*email = "orders@shop-project.iam.gserviceaccount.com"
	step(t, r, v1alpha1.ReasonAwaitingApproval)
	if d := cmp.Diff([]string{ada, bob}, topics.members()); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
}

// TestAnApprovalOutlivesAPolicyThatCannotBeRead: what is left of the plan goes on under it.
func TestAnApprovalOutlivesAPolicyThatCannotBeRead(t *testing.T) {
	r, topics := policied(t, ada)
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.Management = v1alpha1.ManagementApprove })
	hash := step(t, r, v1alpha1.ReasonAwaitingApproval).Status.Plan.Hash
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Annotations = map[string]string{v1alpha1.ApproveAnnotation: hash} })
	away := status.Error(codes.Unavailable, "away")
	topics.writing = func(iampolicy.Policy) error { return away }
	step(t, r, v1alpha1.ReasonUnavailable)
	topics.writing, topics.reading = nil, away
	step(t, r, v1alpha1.ReasonUnavailable)
	topics.reading = nil
	topic := step(t, r, v1alpha1.ReasonUpToDate)
	if d := cmp.Diff([]string{ada}, topics.members()); d != "" || topic.Status.PlanSequence != 1 {
		t.Errorf("sequence %d; members (-want +got):\n%s", topic.Status.PlanSequence, d)
	}
}

// TestGrantsAreNoAppliedFields: they have a record of their own.
func TestGrantsAreNoAppliedFields(t *testing.T) {
	r, topics := policied(t, ada)
	topics.writing = func(iampolicy.Policy) error { return status.Error(codes.PermissionDenied, "no") }
	for range 2 {
		topic := step(t, r, v1alpha1.ReasonDenied)
		if d := cmp.Diff([]string{"spec.labels[team]", "spec.messageRetentionSeconds"}, topic.Status.AppliedFields); d != "" {
			t.Errorf("applied fields (-want +got):\n%s", d)
		}
	}
}

// TestARequestTriesEveryMemberOnce: a member that Google rejects again does not keep the others out.
func TestARequestTriesEveryMemberOnce(t *testing.T) {
	r, topics := policied(t, ada, nobody)
	topics.writing = refuseNobody
	step(t, r, v1alpha1.ReasonInvalid)
	edit(t, r, func(topic *v1alpha1.Topic) {
		topic.Annotations = map[string]string{v1alpha1.ReconcileRequestedAtAnnotation: "now"}
		topic.Spec.IAM = grantTo(ada, nobody, bob)
	})
	before := topics.writes
	topic := step(t, r, v1alpha1.ReasonInvalid)
	if d := cmp.Diff([]string{ada, bob}, topics.members()); d != "" || topics.writes-before != 2 || len(topic.Status.IAM.Refused) != 1 {
		t.Errorf("%d writes, refused %+v; members (-want +got):\n%s", topics.writes-before, topic.Status.IAM.Refused, d)
	}
}

// goingDefinitions are definitions that are being deleted.
type goingDefinitions struct{ client.Reader }

func (c goingDefinitions) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if definition, is := obj.(*metav1.PartialObjectMetadata); is {
		definition.SetDeletionTimestamp(&metav1.Time{Time: time.Now()})
		return nil
	}
	return c.Reader.Get(ctx, key, obj, opts...)
}

// TestTheEndOfADefinitionNeedsNoApproval: nobody asked for the resources to go, and they stay.
func TestTheEndOfADefinitionNeedsNoApproval(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	step(t, r, v1alpha1.ReasonUpToDate)
	edit(t, r, func(topic *v1alpha1.Topic) {
		topic.Spec.Management, topic.Spec.DeletionPolicy = v1alpha1.ManagementApprove, v1alpha1.DeletionDelete
	})
	r.uncached = goingDefinitions{r.uncached}
	if err := r.client.Delete(t.Context(), shopTopic()); err != nil {
		t.Fatal(err)
	}
	if topic, err := reconcileOnce(t, r); topic != nil || err != nil {
		t.Errorf("it waits: %v, %v", topic, err)
	}
	if _, there := topics.live["orders"]; !there {
		t.Error("the resource is gone")
	}
}
