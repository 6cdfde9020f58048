package engine

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// unmarkedKind is a fakeKind whose resources carry no labels, take a minute to be seen, and can be undeleted: as service
// accounts are.
type unmarkedKind struct {
	*fakeKind

	uid string
	// hidden keeps what is there from being seen, creating fails a create after it was carried out, taken before it.
	hidden          bool
	creating, taken error
	undeletable     bool
	// undeleting, if set, is what an undelete comes to.
	undeleting error
	creates    int
}

func (*unmarkedKind) Traits() kind.Traits {
	return kind.Traits{Kind: "Topic", Plural: "topics", Name: "topic", Settles: time.Minute}
}

func (k *unmarkedKind) Identify(v1alpha1.TopicSpec) kind.Identity { return kind.Identity{UID: k.uid} }

func (k *unmarkedKind) Observe(ctx context.Context, ref kind.Ref) (v1alpha1.TopicSpec, error) {
	if k.hidden {
		return v1alpha1.TopicSpec{}, status.Error(codes.NotFound, "no such topic")
	}
	return k.fakeKind.Observe(ctx, ref)
}

func (k *unmarkedKind) Create(ctx context.Context, ref kind.Ref, want *v1alpha1.Topic) (v1alpha1.TopicSpec, error) {
	k.creates++
	if _, there := k.live[ref.ID]; there {
		return v1alpha1.TopicSpec{}, status.Error(codes.AlreadyExists, "there is one")
	}
	if k.taken != nil {
		return v1alpha1.TopicSpec{}, k.taken
	}
	k.uid = "uid-" + string(rune('0'+k.creates))
	made, _ := k.fakeKind.Create(ctx, ref, want)
	return made, k.creating
}

func (k *unmarkedKind) Undelete(_ context.Context, ref kind.Ref, uid string) (v1alpha1.TopicSpec, error) {
	if k.undeleting != nil {
		return v1alpha1.TopicSpec{}, k.undeleting
	}
	if !k.undeletable {
		return v1alpha1.TopicSpec{}, status.Error(codes.NotFound, "too late")
	}
	k.uid = uid
	k.live[ref.ID] = v1alpha1.TopicSpec{MessageRetentionSeconds: new(int64(3600))}
	return k.live[ref.ID], nil
}

// unmarked is a reconciler of an object that sets one field, and a clock to be set forward.
func unmarked(t *testing.T) (*Reconciler, *unmarkedKind, func(time.Duration)) {
	t.Helper()
	topic := shopTopic()
	topic.Spec.Labels = nil
	r, base := testReconciler(t, topic)
	topics, now := &unmarkedKind{fakeKind: base}, time.Now()
	r.now = func() time.Time { return now }
	r.use(kind.Of(topics))
	return r, topics, func(d time.Duration) { now = now.Add(d) }
}

// step makes a pass and checks what the object says after it.
func step(t *testing.T, r *Reconciler, reason string) *v1alpha1.Topic {
	t.Helper()
	topic, _ := reconcileOnce(t, r)
	if is := readyCondition(topic); is.Reason != reason {
		t.Fatalf("reason %s, want %s: %s", is.Reason, reason, is.Message)
	}
	return topic
}

// createdLongAgo makes the topic look as if it had been created some time ago.
func createdLongAgo(t *testing.T, r *Reconciler) {
	t.Helper()
	var topic v1alpha1.Topic
	if err := r.client.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "orders"}, &topic); err != nil {
		t.Fatal(err)
	}
	topic.Status.LastCreateAttemptTime = new(metav1.NewTime(r.now().Add(-time.Hour)))
	if err := r.client.Status().Update(t.Context(), &topic); err != nil {
		t.Fatal(err)
	}
}

func TestWhatWasMadeIsNotMadeTwice(t *testing.T) {
	r, topics, later := unmarked(t)
	step(t, r, v1alpha1.ReasonUpToDate)
	topics.hidden = true
	step(t, r, v1alpha1.ReasonProgressing)
	later(59 * time.Second)
	step(t, r, v1alpha1.ReasonProgressing)
	topics.hidden = false
	step(t, r, v1alpha1.ReasonUpToDate)
	if topics.creates != 1 {
		t.Errorf("%d creates", topics.creates)
	}
}

func TestACreateWhoseAnswerWasLostIsOurs(t *testing.T) {
	for name, seen := range map[string]bool{"and is seen by the next look": true, "and is not seen for longer than it should take": false} {
		t.Run(name, func(t *testing.T) {
			r, topics, later := unmarked(t)
			topics.creating = status.Error(codes.Unavailable, "the answer is lost")
			step(t, r, v1alpha1.ReasonUnavailable)
			if !seen {
				topics.hidden = true
				later(2 * time.Minute)
				step(t, r, v1alpha1.ReasonProgressing) // created again, refused, known to be ours
				topics.hidden = false
			}
			topic := step(t, r, v1alpha1.ReasonUpToDate)
			if topic.Status.Identity != topics.uid {
				t.Errorf("identity %q, want %q", topic.Status.Identity, topics.uid)
			}
		})
	}
}

func TestWhatSomebodyElseMadeIsNotOurs(t *testing.T) {
	r, topics, _ := unmarked(t)
	topics.live["orders"], topics.uid, topics.hidden = v1alpha1.TopicSpec{MessageRetentionSeconds: new(int64(7200))}, "theirs", true
	step(t, r, v1alpha1.ReasonUnavailable)
	topics.hidden = false
	topic := step(t, r, v1alpha1.ReasonAwaitingAdoption)
	if topic.Status.Identity != "" || topic.Status.LastCreateAttemptTime != nil {
		t.Errorf("taken for our own: %+v", topic.Status.CommonStatus)
	}
}

func TestACreateThatIsRefusedIsTriedAgainAtOnce(t *testing.T) {
	r, topics, _ := unmarked(t)
	topics.taken = status.Error(codes.PermissionDenied, "no")
	step(t, r, v1alpha1.ReasonDenied)
	topics.taken = nil
	step(t, r, v1alpha1.ReasonUpToDate)
}

func TestUndelete(t *testing.T) {
	for name, undeletable := range map[string]bool{"brings back": true, "too late: recreated": false} {
		t.Run(name, func(t *testing.T) {
			r, topics, later := unmarked(t)
			was := step(t, r, v1alpha1.ReasonUpToDate).Status.Identity
			later(2 * time.Minute)
			delete(topics.live, "orders")
			topics.undeletable = undeletable
			if !undeletable {
				step(t, r, v1alpha1.ReasonProgressing)
			}
			is := step(t, r, v1alpha1.ReasonUpToDate).Status.Identity
			if (is == was) != undeletable {
				t.Errorf("identity %s, was %s", is, was)
			}
		})
	}
}

// TestExistenceIsNotGuessedAway: the resource is there and is not seen for long, and whatever Google answers to those who would bring it
// back or create it, it is still the manifest's own when it is seen again.
func TestExistenceIsNotGuessedAway(t *testing.T) {
	for name, answer := range map[string]error{
		"it is not deleted":  status.Error(codes.FailedPrecondition, "Service account 1 is not deleted."),
		"there is none":      status.Error(codes.NotFound, "too late"),
		"another refusal":    status.Error(codes.InvalidArgument, "no"),
		"not allowed":        status.Error(codes.PermissionDenied, "Permission 'a.undelete' denied on resource 'x'"),
		"the answer is lost": status.Error(codes.Unavailable, "lost"),
	} {
		t.Run(name, func(t *testing.T) {
			r, topics, later := unmarked(t)
			was := step(t, r, v1alpha1.ReasonUpToDate).Status.Identity
			later(time.Hour)
			topics.hidden, topics.undeleting = true, answer
			for range 6 {
				topic, _ := reconcileOnce(t, r)
				if topic.Status.Identity != was {
					t.Fatalf("identity %q, was %q: %s", topic.Status.Identity, was, readyCondition(topic).Message)
				}
				later(2 * time.Minute)
			}
			topics.hidden = false
			edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.MessageRetentionSeconds = new(int64(60)) })
			topic := step(t, r, v1alpha1.ReasonUpToDate)
			if topic.Status.Identity != was || topic.Status.Unrestorable || *topics.live["orders"].MessageRetentionSeconds != 60 {
				t.Errorf("status %+v, live %+v", topic.Status.CommonStatus, topics.live["orders"])
			}
		})
	}
}

func TestThePlanSaysWhetherItUndeletes(t *testing.T) {
	r, topics, later := unmarked(t)
	topic := step(t, r, v1alpha1.ReasonUpToDate)
	later(2 * time.Minute)
	delete(topics.live, "orders")
	topic.Spec.Management = v1alpha1.ManagementApprove
	if err := r.client.Update(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	topic = step(t, r, v1alpha1.ReasonAwaitingApproval)
	want := v1alpha1.Change{Path: "resource", From: `"deleted"`, To: `"//fake.googleapis.com/orders, undeleted (uid-1)"`}
	if got := topic.Status.Plan.Changes; len(got) != 1 || got[0] != want {
		t.Errorf("plan %+v", got)
	}
}

// TestWhatIsNotSeenYetIsNotTakenForDeleted: the manifest goes before anybody has seen what it made.
func TestWhatIsNotSeenYetIsNotTakenForDeleted(t *testing.T) {
	r, topics, later := unmarked(t)
	topic := step(t, r, v1alpha1.ReasonUpToDate)
	topic.Spec.DeletionPolicy = v1alpha1.DeletionDelete
	if err := r.client.Update(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	if err := r.client.Delete(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	topics.hidden = true
	later(59 * time.Second)
	step(t, r, v1alpha1.ReasonProgressing) // and the manifest stays
	later(time.Second)
	if gone, err := reconcileOnce(t, r); gone != nil || err != nil {
		t.Errorf("what is not seen after a minute is gone, and the manifest is still there: %v, %v", gone, err)
	}
}
