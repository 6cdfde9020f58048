package engine

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// edit changes the stored topic shop/orders as a person does, with a new generation if it is the spec that changes.
func edit(t *testing.T, r *Reconciler, change func(*v1alpha1.Topic)) {
	t.Helper()
	var stored v1alpha1.Topic
	if err := r.client.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: "orders"}, &stored); err != nil {
		t.Fatal(err)
	}
	was := stored.DeepCopy()
	change(&stored)
	if cmp.Diff(was.Spec, stored.Spec) != "" {
		stored.Generation++
	}
	if err := r.client.Update(t.Context(), &stored); err != nil {
		t.Fatal(err)
	}
}

func breakGlass(topic *v1alpha1.Topic) {
	topic.Annotations = map[string]string{v1alpha1.BreakGlassAnnotation: "INC-1", v1alpha1.BreakGlassByAnnotation: "ada"}
}

func closeGlass(topic *v1alpha1.Topic) { topic.Annotations = nil }

func TestARefusedMemberDoesNotKeepTheOthersOut(t *testing.T) {
	r, topics := policied(t, ada, nobody)
	topics.writing = refuseNobody
	topic := step(t, r, v1alpha1.ReasonInvalid)
	if d := cmp.Diff([]string{ada}, topics.members()); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
	if is := topic.Status.IAM; len(is.Refused) != 1 || is.Refused[0].Member != nobody || len(is.Pending) > 0 || len(is.Grants) != 1 {
		t.Errorf("status %+v", is)
	}
	step(t, r, v1alpha1.ReasonInvalid)
	if topics.writes != 2 {
		t.Errorf("%d writes, want no other than the refused one and the one without it", topics.writes)
	}
}

func TestAPolicyThatSomebodyElseWritesIsReadAgain(t *testing.T) {
	r, topics := policied(t, ada)
	topics.writing = func(iampolicy.Policy) error {
		if topics.writes == 1 {
			topics.version++
			topics.bindings = []iampolicy.Binding{{Role: "roles/viewer", Members: []string{bob}}}
		}
		return nil
	}
	step(t, r, v1alpha1.ReasonUpToDate)
	if got := slices.Sorted(slices.Values(topics.members())); !slices.Equal(got, []string{ada, bob}) || topics.writes != 2 {
		t.Errorf("members %v after %d writes", got, topics.writes)
	}
}

// TestAPlanOfAnOlderGenerationIsNotWritten: a member is refused, and meanwhile git fixes the manifest. The plan without the refused
// member was made for the manifest before that.
func TestAPlanOfAnOlderGenerationIsNotWritten(t *testing.T) {
	r, topics := policied(t, ada, nobody)
	topics.writing = func(policy iampolicy.Policy) error {
		if topics.writes == 1 {
			edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.IAM = grantTo(bob) })
		}
		return refuseNobody(policy)
	}
	topic, err := reconcileOnce(t, r)
	if err != nil {
		t.Fatal(err)
	}
	if topics.writes != 1 || len(topics.members()) > 0 {
		t.Errorf("the older plan was written: %d writes, members %v", topics.writes, topics.members())
	}
	if topic.Generation != 2 || topic.Status.ObservedGeneration == 2 {
		t.Errorf("status says that it has seen generation %d of %d", topic.Status.ObservedGeneration, topic.Generation)
	}
	step(t, r, v1alpha1.ReasonUpToDate)
	if d := cmp.Diff([]string{bob}, topics.members()); d != "" {
		t.Errorf("members after the next pass (-want +got):\n%s", d)
	}
}

// TestGrantsThatWereNotSentAreNotPending: of what was refused before, and then not sent again, nothing is remembered, lest what
// somebody else grants meanwhile is taken for the manifest's own and revoked with it.
func TestGrantsThatWereNotSentAreNotPending(t *testing.T) {
	meanwhile := map[string]func(*v1alpha1.Topic){
		"the manifest is edited": func(topic *v1alpha1.Topic) { topic.Spec.Labels = v1alpha1.Labels{"team": "else"} },
		"the glass is broken":    breakGlass,
	}
	answers := map[string]error{
		"a member was refused":    status.Error(codes.InvalidArgument, "User nobody@example.com does not exist."),
		"somebody else was first": status.Error(codes.Aborted, "the etag is another"),
	}
	for what, change := range meanwhile {
		for why, answer := range answers {
			t.Run(why+", and "+what, func(t *testing.T) {
				r, topics := policied(t, ada, nobody)
				topics.writing = func(iampolicy.Policy) error {
					edit(t, r, change)
					return answer
				}
				topic, err := reconcileOnce(t, r)
				if err != nil {
					t.Fatal(err)
				}
				if topics.writes != 1 || len(topics.members()) > 0 {
					t.Errorf("written again: %d writes, members %v", topics.writes, topics.members())
				}
				if iam := topic.Status.IAM; iam != nil && len(iam.Pending)+len(iam.Grants) > 0 {
					t.Errorf("remembered is pending %+v, own %+v", iam.Pending, iam.Grants)
				}
			})
		}
	}
}

// TestGrantsThatTheGateRefusedAreNotPending: the first write is refused by the gate.
func TestGrantsThatTheGateRefusedAreNotPending(t *testing.T) {
	for name, refuse := range gateRefusals {
		t.Run(name, func(t *testing.T) {
			r, topics := policied(t, ada)
			topics.live["orders"] = v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop"}, MessageRetentionSeconds: new(int64(3600))}
			allow := refuse(t, r)
			topic, _ := reconcileOnce(t, r)
			allow()
			if topics.writes > 0 {
				t.Errorf("%d writes", topics.writes)
			}
			if iam := topic.Status.IAM; iam != nil && len(iam.Pending)+len(iam.Grants) > 0 {
				t.Errorf("remembered is pending %+v, own %+v", iam.Pending, iam.Grants)
			}
		})
	}
}

// TestGrantsThatWereNotTriedAreNotPending: the fields could not be written, so nobody tried to write the policy.
func TestGrantsThatWereNotTriedAreNotPending(t *testing.T) {
	for name, failing := range map[string]error{
		"denied": status.Error(codes.PermissionDenied, "no"), "invalid": status.Error(codes.InvalidArgument, "no"), "unavailable": status.Error(codes.Unavailable, "away"),
	} {
		t.Run("creating is "+name, func(t *testing.T) {
			r, topics := policied(t, ada)
			topics.failing = failing
			topic, _ := reconcileOnce(t, r)
			if topics.writes > 0 {
				t.Fatalf("%d writes", topics.writes)
			}
			if iam := topic.Status.IAM; iam != nil && len(iam.Pending) > 0 {
				t.Errorf("pending is %+v", iam.Pending)
			}
		})
	}
}

// TestAFailingPartDoesNotStarveTheOther: the fields cannot be updated, and the policy is a part of its own.
func TestAFailingPartDoesNotStarveTheOther(t *testing.T) {
	for name, failing := range map[string]error{
		"denied": status.Error(codes.PermissionDenied, "no"), "unavailable": status.Error(codes.Unavailable, "away"), "changed meanwhile": status.Error(codes.Aborted, "again"),
	} {
		t.Run(name, func(t *testing.T) {
			r, topics := policied(t, ada)
			step(t, r, v1alpha1.ReasonUpToDate)
			edit(t, r, func(topic *v1alpha1.Topic) {
				topic.Spec.IAM, topic.Spec.MessageRetentionSeconds = grantTo(ada, bob), new(int64(60))
			})
			topics.failing = failing
			topic, _ := reconcileOnce(t, r)
			if is := readyCondition(topic); is.Status != metav1.ConditionFalse || is.Reason == v1alpha1.ReasonUpToDate {
				t.Errorf("Ready is %+v", is)
			}
			if d := cmp.Diff([]string{ada, bob}, topics.members()); d != "" {
				t.Errorf("members (-want +got):\n%s", d)
			}
			if iam := topic.Status.IAM; len(iam.Pending) > 0 || len(iam.Grants) != 1 || len(iam.Grants[0].Members) != 2 {
				t.Errorf("remembered %+v", iam)
			}
		})
	}
}

// TestAPolicyThatCannotBeReadDoesNotHideTheFields: a resource's fields are a part of their own.
func TestAPolicyThatCannotBeReadDoesNotHideTheFields(t *testing.T) {
	const permission = "pubsub.topics.getIamPolicy"
	denied := &kind.Error{Class: kind.Denied, Permission: permission, Resource: "projects/shop-project/topics/orders", Message: "no"}
	drift := func(topics *policiedKind) {
		topics.live["orders"] = v1alpha1.TopicSpec{Labels: topics.live["orders"].Labels, MessageRetentionSeconds: new(int64(7200))}
	}
	type said struct {
		Reason           string
		NamesPermission  bool
		Drifted          metav1.ConditionStatus
		Drift            []string
		RetentionSeconds int64
	}
	cases := map[string]struct {
		change func(t *testing.T, r *Reconciler, topics *policiedKind)
		want   said
	}{
		"they match": {
			func(*testing.T, *Reconciler, *policiedKind) {},
			said{v1alpha1.ReasonDenied, true, metav1.ConditionUnknown, nil, 3600},
		},
		"they differ: corrected": {
			func(_ *testing.T, _ *Reconciler, topics *policiedKind) { drift(topics) },
			said{v1alpha1.ReasonDenied, true, metav1.ConditionUnknown, nil, 3600},
		},
		"they differ, glass: shown": {
			func(t *testing.T, r *Reconciler, topics *policiedKind) {
				drift(topics)
				edit(t, r, breakGlass)
			},
			said{v1alpha1.ReasonBreakGlass, true, metav1.ConditionTrue, []string{"spec.messageRetentionSeconds"}, 7200},
		},
		"they differ, Observe: shown": {
			func(t *testing.T, r *Reconciler, topics *policiedKind) {
				drift(topics)
				edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.Management = v1alpha1.ManagementObserve })
			},
			said{v1alpha1.ReasonDiffers, true, metav1.ConditionTrue, []string{"spec.messageRetentionSeconds"}, 7200},
		},
		"they are to be changed": {
			func(t *testing.T, r *Reconciler, _ *policiedKind) {
				edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.MessageRetentionSeconds = new(int64(60)) })
			},
			said{v1alpha1.ReasonDenied, true, metav1.ConditionUnknown, nil, 60},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, topics := policied(t, ada)
			topics.reading = denied
			step(t, r, v1alpha1.ReasonProgressing) // created, and nothing is known of its policy
			createdLongAgo(t, r)
			tc.change(t, r, topics)
			if _, err := reconcileOnce(t, r); err != nil { // which acknowledges a glass, and does no more
				t.Fatal(err)
			}
			topic, err := reconcileOnce(t, r)
			if err != nil {
				t.Fatal(err)
			}
			is, drifted := readyCondition(topic), meta.FindStatusCondition(topic.Status.Conditions, v1alpha1.ConditionDrifted)
			got := said{is.Reason, strings.Contains(is.Message, permission), drifted.Status, nil, *topics.live["orders"].MessageRetentionSeconds}
			for _, change := range topic.Status.Drift {
				got.Drift = append(got.Drift, change.Path)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("said (-want +got):\n%s\n%s", d, is.Message)
			}
			if is.Status != metav1.ConditionFalse {
				t.Errorf("Ready is %s", is.Status)
			}
			if topics.writes > 0 {
				t.Error("a policy was written that nobody has read")
			}
		})
	}
}

// TestAFieldThatIsRefusedDoesNotKeepThePolicyFromBeingWritten: nor is it forgotten that it was.
func TestAFieldThatIsRefusedDoesNotKeepThePolicyFromBeingWritten(t *testing.T) {
	r, topics := policied(t, ada)
	step(t, r, v1alpha1.ReasonUpToDate)
	edit(t, r, func(topic *v1alpha1.Topic) {
		topic.Spec.IAM = grantTo(bob)
		topic.Spec.MessageRetentionSeconds = new(int64(1))
	})
	topics.failing = status.Error(codes.InvalidArgument, "too short")
	topic := step(t, r, v1alpha1.ReasonInvalid)
	if d := cmp.Diff([]string{bob}, topics.members()); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
	if iam := topic.Status.IAM; len(iam.Pending) > 0 || len(iam.Grants) != 1 || iam.Grants[0].Members[0] != bob {
		t.Errorf("status %+v", iam)
	}
	if len(topic.Status.Drift) != 1 || topic.Status.Drift[0].Path != "spec.messageRetentionSeconds" {
		t.Errorf("drift %+v", topic.Status.Drift)
	}
}

// approveTopic approves the plan that waits.
func approveTopic(t *testing.T, r *Reconciler) {
	t.Helper()
	edit(t, r, func(topic *v1alpha1.Topic) {
		topic.Annotations = map[string]string{v1alpha1.ApproveAnnotation: topic.Status.Plan.Hash}
	})
}

// TestWhatIsLeftOfAnApprovedPlanIsWritten: the fields were written, and the policy could not be. That is the same plan still.
func TestWhatIsLeftOfAnApprovedPlanIsWritten(t *testing.T) {
	for name, failure := range map[string]error{
		"unavailable": status.Error(codes.Unavailable, "away"),
		"denied":      status.Error(codes.PermissionDenied, "no"),
	} {
		t.Run(name, func(t *testing.T) {
			r, topics := policied(t, ada)
			step(t, r, v1alpha1.ReasonUpToDate)
			edit(t, r, func(topic *v1alpha1.Topic) {
				topic.Spec.Management, topic.Spec.IAM, topic.Spec.MessageRetentionSeconds = v1alpha1.ManagementApprove, grantTo(ada, bob), new(int64(60))
			})
			step(t, r, v1alpha1.ReasonAwaitingApproval)
			approveTopic(t, r)
			topics.writing = func(iampolicy.Policy) error { return failure }
			topic, _ := reconcileOnce(t, r)
			if topic.Status.Approved == nil {
				t.Errorf("the approval is forgotten, and the plan is not applied: %s", readyCondition(topic).Message)
			}
			topics.writing = nil
			step(t, r, v1alpha1.ReasonUpToDate)
			if d := cmp.Diff([]string{ada, bob}, topics.members()); d != "" {
				t.Errorf("members (-want +got):\n%s", d)
			}
		})
	}
}

// stubbornKind is a policiedKind whose topics keep their retention.
type stubbornKind struct{ *policiedKind }

func (k *stubbornKind) Update(ref kind.Ref, want *v1alpha1.Topic, changes diff.Changes) []kind.Call[v1alpha1.TopicSpec] {
	kept := want.DeepCopy()
	kept.Spec.MessageRetentionSeconds = k.live[ref.ID].MessageRetentionSeconds
	return k.policiedKind.Update(ref, kept, changes)
}

// TestAResetThatHadNoEffectIsNotForgotten, whether the policy could be written or not.
func TestAResetThatHadNoEffectIsNotForgotten(t *testing.T) {
	for name, writing := range map[string]func(iampolicy.Policy) error{
		"the policy is written":       nil,
		"the policy is not available": func(iampolicy.Policy) error { return status.Error(codes.Unavailable, "away") },
	} {
		t.Run(name, func(t *testing.T) {
			r, topics := policied(t, ada)
			r.use(kind.Of(&stubbornKind{topics}))
			step(t, r, v1alpha1.ReasonUpToDate)
			edit(t, r, func(topic *v1alpha1.Topic) {
				topic.Spec.IAM, topic.Spec.MessageRetentionSeconds = grantTo(ada, bob), nil
			})
			topics.writing = writing
			topic, _ := reconcileOnce(t, r)
			if !slices.Contains(topic.Status.AppliedFields, "spec.messageRetentionSeconds") {
				t.Errorf("applied fields %v, reason %s", topic.Status.AppliedFields, readyCondition(topic).Reason)
			}
			topics.writing = nil
			topic, _ = reconcileOnce(t, r)
			if is := readyCondition(topic); is.Status == metav1.ConditionTrue {
				t.Errorf("Ready with %s though the retention is %d still", is.Reason, *topics.live["orders"].MessageRetentionSeconds)
			}
		})
	}
}

// TestWhatNobodyHasSeenIsNotAdopted: the fields match and the policy cannot be read. Once it can, what differs of it waits for a person, as
// if it had been readable from the beginning.
func TestWhatNobodyHasSeenIsNotAdopted(t *testing.T) {
	denied := &kind.Error{Class: kind.Denied, Permission: "pubsub.topics.getIamPolicy", Message: "no"}
	for name, reading := range map[string]error{"it was readable": nil, "it was not readable": denied} {
		t.Run(name, func(t *testing.T) {
			r, topics := policied(t, ada)
			edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.IAM.Mode = v1alpha1.IAMAuthoritativeRoles })
			topics.live["orders"] = v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop"}, MessageRetentionSeconds: new(int64(3600))}
			topics.reading = reading
			if _, err := reconcileOnce(t, r); err != nil {
				t.Fatal(err)
			}
			topics.reading = nil
			step(t, r, v1alpha1.ReasonAwaitingAdoption)
			if topics.writes > 0 {
				t.Errorf("%d writes", topics.writes)
			}
		})
	}
}
