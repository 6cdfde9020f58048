package engine

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// stubborn is a kind whose writes all come to the same end, and are counted.
type stubborn struct {
	*policiedKind

	traits kind.Traits
	// fields and policy are what writes of the one and the other come to; nil for success.
	fields, policy error
	// deaf accepts writes and does nothing.
	deaf bool
	// gone hides what is there.
	gone bool
	now  func() time.Time
	// wrote is when something was written, or was tried to be written.
	wrote []time.Time
}

func (k *stubborn) Traits() kind.Traits { return k.traits }

func (k *stubborn) Identify(live v1alpha1.TopicSpec) kind.Identity {
	if k.traits.Labels {
		return k.fakeKind.Identify(live)
	}
	return kind.Identity{UID: "1"}
}

func (k *stubborn) Observe(ctx context.Context, ref kind.Ref) (v1alpha1.TopicSpec, error) {
	if k.gone {
		return v1alpha1.TopicSpec{}, status.Error(codes.NotFound, "no such topic")
	}
	return k.fakeKind.Observe(ctx, ref)
}

func (k *stubborn) write(err error) error {
	k.wrote = append(k.wrote, k.now())
	return err
}

func (k *stubborn) Create(ctx context.Context, ref kind.Ref, want *v1alpha1.Topic) (v1alpha1.TopicSpec, error) {
	if err := k.write(k.fields); err != nil || k.deaf {
		return v1alpha1.TopicSpec{}, err
	}
	return k.fakeKind.Create(ctx, ref, want)
}

func (k *stubborn) Update(ref kind.Ref, want *v1alpha1.Topic, changes diff.Changes) []kind.Call[v1alpha1.TopicSpec] {
	do := k.fakeKind.Update(ref, want, changes)[0].Do
	return []kind.Call[v1alpha1.TopicSpec]{{Name: "updating the topic", Do: func(ctx context.Context, live v1alpha1.TopicSpec) (v1alpha1.TopicSpec, error) {
		if err := k.write(k.fields); err != nil || k.deaf {
			return live, err
		}
		return do(ctx, live)
	}}}
}

func (k *stubborn) Delete(ctx context.Context, ref kind.Ref, live v1alpha1.TopicSpec) error {
	if err := k.write(k.fields); err != nil || k.deaf {
		return err
	}
	return k.fakeKind.Delete(ctx, ref, live)
}

func (k *stubborn) SetPolicy(ctx context.Context, ref kind.Ref, policy iampolicy.Policy) (iampolicy.Policy, error) {
	if err := k.write(k.policy); err != nil {
		return iampolicy.Policy{}, err
	}
	return k.policiedKind.SetPolicy(ctx, ref, policy)
}

// stubbornAccount is a stubborn one that can be undeleted.
type stubbornAccount struct{ *stubborn }

func (k stubbornAccount) Undelete(context.Context, kind.Ref, string) (v1alpha1.TopicSpec, error) {
	return v1alpha1.TopicSpec{}, k.write(k.fields)
}

// stubbornly reconciles a topic that grants something to ada and to nobody, of a kind like buckets or one like accounts.
func stubbornly(t *testing.T, likeAccounts bool) (*simulation, *stubborn) {
	t.Helper()
	r, topics := policied(t, ada, nobody)
	s := &simulation{
		T: t, Reconciler: r, clock: time.Now(),
		retries: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
	}
	r.now = func() time.Time { return s.clock }
	r.sweep.Interval = 10 * time.Minute
	k := &stubborn{policiedKind: topics, traits: (*fakeKind)(nil).Traits(), now: r.now}
	if !likeAccounts {
		r.use(kind.Of(k))
	} else {
		k.traits.Labels, k.traits.Settles, k.traits.StaleReads = false, 7*time.Minute, 8*time.Second
		edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.Labels = nil })
		r.use(kind.Of(stubbornAccount{k}))
	}
	kube := r.client.(client.WithWatch)
	r.client = interceptor.NewClient(kube, interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			s.stored = append(s.stored, s.clock)
			return c.SubResource(sub).Patch(ctx, obj, patch, opts...)
		},
	})
	return s, k
}

// simulation is the queue of one object, in a time of its own.
type simulation struct {
	*testing.T
	*Reconciler

	clock   time.Time
	retries workqueue.TypedRateLimiter[reconcile.Request]
	// stored is when a status was written.
	stored []time.Time
}

// run lets so much time pass.
func (s *simulation) run(d time.Duration) {
	s.Helper()
	end, request := s.clock.Add(d), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "shop", Name: "orders"}}
	for passes := 0; s.clock.Before(end); passes++ {
		if passes > 300 {
			s.Fatalf("%d passes in %s", passes, d)
		}
		result, err := s.Reconcile(s.Context(), request)
		after := result.RequeueAfter
		switch {
		case err != nil:
			after = s.retries.When(request)
		case after == 0: // the object is gone
			return
		default:
			s.retries.Forget(request)
		}
		s.clock = s.clock.Add(after)
	}
}

// googlesAnswers are to writes, for ever.
var googlesAnswers = map[string]error{
	"not found":      status.Error(codes.NotFound, "Resource not found"),
	"already exists": status.Error(codes.AlreadyExists, "there is one"),
	"conflict":       status.Error(codes.Aborted, "it has changed"),
	"denied":         status.Error(codes.PermissionDenied, "Permission 'a.b.c' denied on resource 'x'"),
	"invalid":        status.Error(codes.InvalidArgument, "no"),
	"not deleted":    status.Error(codes.FailedPrecondition, "Service account 1 is not deleted."),
	"refused member": status.Error(codes.InvalidArgument, "User nobody@example.com does not exist."),
	"not empty":      &kind.Error{Class: kind.NotEmpty, Message: "it is not empty"},
	"quota exceeded": &kind.Error{Class: kind.QuotaExceeded, Message: "too many"},
	"unavailable":    status.Error(codes.Unavailable, "away"),
}

// TestNothingIsWrittenAgainAndAgain: whatever Google answers, for ever, the pauses between two tries grow, and so do those between two writes
// of the status. (How long to wait where it asks to slow down is another matter.)
func TestNothingIsWrittenAgainAndAgain(t *testing.T) {
	longer := func(topic *v1alpha1.Topic) { topic.Spec.MessageRetentionSeconds = new(int64(60)) }
	// done is what is going on when Google begins to answer so.
	done := map[string]func(s *simulation, k *stubborn){
		"creating":       func(*simulation, *stubborn) {},
		"updating":       func(s *simulation, _ *stubborn) { s.run(10 * time.Minute); edit(s.T, s.Reconciler, longer) },
		"creating again": func(s *simulation, k *stubborn) { s.run(10 * time.Minute); k.gone = true },
		"deleting":       func(s *simulation, _ *stubborn) { s.run(10 * time.Minute); s.toDelete() },
	}
	answers := map[string]func(*stubborn){
		"a success, and nothing is done": func(k *stubborn) { k.deaf = true },
		"a success, which is not seen":   func(k *stubborn) { k.gone = true },
	}
	for said, answer := range googlesAnswers {
		answers[said] = func(k *stubborn) { k.fields = answer }
	}
	forEachLikeness(t, func(t *testing.T, accounts bool) {
		for doing, begin := range done {
			for said, answer := range answers {
				t.Run(doing+"/"+said, func(t *testing.T) {
					t.Parallel()
					s, k := stubbornly(t, accounts)
					begin(s, k)
					answer(k)
					s.expectGrowingPauses(k)
				})
			}
		}
		for said, answer := range googlesAnswers {
			if said == "conflict" {
				continue // a pass writes a few times, with pauses of its own: policyConflicts
			}
			t.Run("granting/"+said, func(t *testing.T) {
				t.Parallel()
				s, k := stubbornly(t, accounts)
				k.policy = answer
				s.expectGrowingPauses(k)
			})
		}
	})
}

// TestWhatGoogleRefusesIsTriedOnceAnHour in the end, and no more often after a restart.
func TestWhatGoogleRefusesIsTriedOnceAnHour(t *testing.T) {
	answers := map[string]func(*stubborn){
		"invalid":                        func(k *stubborn) { k.fields = googlesAnswers["invalid"] },
		"something is not found":         func(k *stubborn) { k.fields = googlesAnswers["not found"] },
		"a success, and nothing is done": func(k *stubborn) { k.deaf = true },
	}
	forEachLikeness(t, func(t *testing.T, accounts bool) {
		for said, answer := range answers {
			if accounts && said == "something is not found" {
				continue // it is the account itself, which may be seen again in a moment
			}
			t.Run(said, func(t *testing.T) {
				t.Parallel()
				s, k := stubbornly(t, accounts)
				s.run(10 * time.Minute)
				answer(k)
				edit(t, s.Reconciler, func(topic *v1alpha1.Topic) { topic.Spec.MessageRetentionSeconds = new(int64(60)) })
				s.run(3 * time.Hour)
				k.wrote = nil
				s.run(3 * time.Hour)
				if n := len(k.wrote); n < 2 || n > 4 {
					t.Errorf("tried %d times in three hours", n)
				}
				s.retries.Forget(reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "shop", Name: "orders"}})
				k.wrote = nil
				s.run(3 * time.Hour)
				if n := len(k.wrote); n < 2 || n > 5 {
					t.Errorf("after a restart, tried %d times in three hours", n)
				}
				edit(t, s.Reconciler, func(topic *v1alpha1.Topic) { topic.Spec.MessageRetentionSeconds = new(int64(61)) })
				k.wrote = nil
				s.run(time.Minute)
				if len(k.wrote) == 0 {
					t.Error("an edit is not tried at once")
				}
			})
		}
	})
}

func forEachLikeness(t *testing.T, test func(t *testing.T, accounts bool)) {
	t.Helper()
	for like, accounts := range map[string]bool{"like topics": false, "like accounts": true} {
		t.Run(like, func(t *testing.T) { test(t, accounts) })
	}
}

// expectGrowingPauses lets some time pass, in which little is written, and less in its second half.
func (s *simulation) expectGrowingPauses(k *stubborn) {
	s.Helper()
	s.stored, k.wrote = nil, nil
	s.run(20 * time.Minute)
	wrote, stored := len(k.wrote), len(s.stored)
	s.run(20 * time.Minute)
	if later := len(k.wrote) - wrote; wrote > 40 || later > 20 {
		s.Errorf("%d writes to Google Cloud in twenty minutes, and then %d", wrote, later)
	}
	if later := len(s.stored) - stored; stored > 80 || later > 40 {
		s.Errorf("%d writes of the status in twenty minutes, and then %d", stored, later)
	}
}

// toDelete makes the topic one that is to be deleted with its manifest, and deletes that.
func (s *simulation) toDelete() {
	s.Helper()
	edit(s.T, s.Reconciler, func(topic *v1alpha1.Topic) { topic.Spec.DeletionPolicy = v1alpha1.DeletionDelete })
	topic := shopTopic()
	if err := s.client.Delete(s.Context(), topic); err != nil && !apierrors.IsNotFound(err) {
		s.Fatal(err)
	}
}
