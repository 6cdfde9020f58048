package engine

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

const (
	alias   = "group:all@example.com"
	primary = "group:everyone@example.com"
)

// storingPrimaries is a policied whose cloud stores the primary address for an alias.
func storingPrimaries(t *testing.T, members ...v1alpha1.IAMMember) (*Reconciler, *policiedKind) {
	t.Helper()
	r, topics := policied(t, members...)
	topics.storing = func(member string) string {
		if member == alias {
			return primary
		}
		return member
	}
	return r, topics
}

// TestAnAliasIsWrittenOnceAndTold: Google stores the primary address, which is said, and not written again and again.
func TestAnAliasIsWrittenOnceAndTold(t *testing.T) {
	r, topics := storingPrimaries(t, alias, ada)
	for range 3 {
		topic := step(t, r, v1alpha1.ReasonNotApplied)
		if want := "Google stores " + alias + " as " + primary + ": write it in the manifest as Google does"; readyCondition(topic).Message != want {
			t.Errorf("it says: %s", readyCondition(topic).Message)
		}
		if d := cmp.Diff([]v1alpha1.IAMStoredAs{{Member: alias, Names: []string{primary}}}, topic.Status.IAM.StoredAs); d != "" {
			t.Errorf("status (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]v1alpha1.IAMGrants{{Role: "roles/pubsub.publisher", Members: []string{primary, ada}}}, topic.Status.IAM.Grants); d != "" {
			t.Errorf("own grants (-want +got):\n%s", d)
		}
	}
	if topics.writes != 1 {
		t.Errorf("%d writes", topics.writes)
	}

	t.Log("it is revoked by the name that Google knows when it leaves the manifest")
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.IAM = grantTo(ada) })
	topic := step(t, r, v1alpha1.ReasonUpToDate)
	if d := cmp.Diff([]string{ada}, topics.members()); d != "" || len(topic.Status.IAM.StoredAs) > 0 {
		t.Errorf("remembered %v; members (-want +got):\n%s", topic.Status.IAM.StoredAs, d)
	}
}

// TestAnAliasThatIsCorrectedCostsNothing: the manifest now says what Google does.
func TestAnAliasThatIsCorrectedCostsNothing(t *testing.T) {
	r, topics := storingPrimaries(t, alias)
	step(t, r, v1alpha1.ReasonNotApplied)
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.IAM = grantTo(primary) })
	topic := step(t, r, v1alpha1.ReasonUpToDate)
	if topics.writes != 1 || len(topic.Status.IAM.Grants) != 1 {
		t.Errorf("%d writes, own %+v", topics.writes, topic.Status.IAM.Grants)
	}
}

// TestAnAliasOfSomebodyWhoHasTheRoleIsNotOwned: Google shows nothing new, and what was there before is not revoked later.
func TestAnAliasOfSomebodyWhoHasTheRoleIsNotOwned(t *testing.T) {
	r, topics := storingPrimaries(t)
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.IAM = nil })
	step(t, r, v1alpha1.ReasonUpToDate)
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.IAM = grantTo(alias, ada) })
	topics.bindings = []iampolicy.Binding{{Role: "roles/pubsub.publisher", Members: []string{primary, ada}}}
	topic := step(t, r, v1alpha1.ReasonNotApplied)
	if len(topic.Status.IAM.Grants) > 0 {
		t.Errorf("own is %+v", topic.Status.IAM.Grants)
	}
	step(t, r, v1alpha1.ReasonNotApplied)
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.IAM = grantTo(ada) })
	step(t, r, v1alpha1.ReasonUpToDate)
	if d := cmp.Diff([]string{primary, ada}, topics.members()); d != "" || topics.writes != 1 {
		t.Errorf("%d writes; members (-want +got):\n%s", topics.writes, d)
	}
}

// TestAnAliasInAnAuthoritativeRoleRevokesNobody: the primary address is who is meant.
func TestAnAliasInAnAuthoritativeRoleRevokesNobody(t *testing.T) {
	r, topics := storingPrimaries(t, alias)
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.IAM.Mode = v1alpha1.IAMAuthoritativeRoles })
	for range 3 {
		step(t, r, v1alpha1.ReasonNotApplied)
	}
	if d := cmp.Diff([]string{primary}, topics.members()); d != "" || topics.writes != 1 {
		t.Errorf("%d writes; members (-want +got):\n%s", topics.writes, d)
	}
}

// TestAPolicyThatIsNotStoredAsSentIsNotWrittenWithoutEnd: the pauses between the tries grow.
func TestAPolicyThatIsNotStoredAsSentIsNotWrittenWithoutEnd(t *testing.T) {
	r, topics := policied(t, ada)
	step(t, r, v1alpha1.ReasonUpToDate)
	topics.keeping = slices.Clone(topics.bindings) // whatever is sent
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.IAM = nil })
	for range 3 {
		topic, err := reconcileOnce(t, r)
		if is := readyCondition(topic); is.Reason != v1alpha1.ReasonNotApplied || err == nil {
			t.Errorf("%s: %s; the pass ends with %v, want an error, by which pauses grow", is.Reason, is.Message, err)
		}
	}
}

// TestARoleThatIsStoredOtherwise: it is tried again with growing pauses, nobody else loses anything, and what Google made of it is revoked
// when it leaves the manifest.
func TestARoleThatIsStoredOtherwise(t *testing.T) {
	const sent, stored = "projects/12345/roles/publisher", "projects/shop/roles/publisher"
	r, topics := policied(t, ada)
	topics.storingRole = func(role string) string {
		if role == sent {
			return stored
		}
		return role
	}
	step(t, r, v1alpha1.ReasonUpToDate)
	edit(t, r, func(topic *v1alpha1.Topic) {
		topic.Spec.IAM.Bindings = append(topic.Spec.IAM.Bindings, v1alpha1.IAMBinding{Role: sent, Members: []v1alpha1.IAMMember{ada, bob}})
	})
	topics.writes = 0
	for range 3 {
		topic, err := reconcileOnce(t, r)
		if is := readyCondition(topic); is.Reason != v1alpha1.ReasonNotApplied || err == nil {
			t.Errorf("%s: %s; the pass ends with %v, want an error, by which pauses grow", is.Reason, is.Message, err)
		}
		if d := cmp.Diff([]string{ada, ada, bob}, topics.members()); d != "" {
			t.Errorf("members (-want +got):\n%s", d)
		}
	}
	if topics.writes != 3 {
		t.Errorf("%d writes in three passes", topics.writes)
	}
	edit(t, r, func(topic *v1alpha1.Topic) { topic.Spec.IAM = grantTo(ada) })
	step(t, r, v1alpha1.ReasonUpToDate)
	if d := cmp.Diff([]string{ada}, topics.members()); d != "" {
		t.Errorf("members (-want +got):\n%s", d)
	}
}
