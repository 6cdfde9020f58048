package plan

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Standing is how a manifest stands towards the others of its resource: one that stands higher owns it rather than one that does not.
type Standing int

const (
	// Aside is a manifest that neither wins nor loses: it only observes, or it is released.
	Aside Standing = iota
	// Yielding is one that does not hold the resource, and does not want it as it is: somebody else created it, and adoption is Never.
	Yielding
	// Aspiring is one that does not hold the resource yet.
	Aspiring
	// Holding is one that holds the resource, or may hold it because the answer to a write was lost; and that has the finalizer, so that it
	// says when it lets go.
	Holding
)

// StandingOf is how a manifest stands by its spec and what its status remembers, whether its Namespace lets it act now or not.
func StandingOf(k kind.Kind, obj v1alpha1.Object) Standing {
	return Rival{Object: obj}.standing(k)
}

// standing is how the rival stands, whether it may act now or not.
func (r Rival) standing(k kind.Kind) Standing {
	if released(r.Object) {
		return Aside
	}
	return standing(k, r.Object, RecordOf(r.Object.GetCommonStatus()), guarded(r.Object))
}

// standing is how a manifest stands with a record; guarded says that it has the finalizer. What its Namespace limits it to does not matter:
// a manifest that may not write for a while lets go of nothing.
func standing(k kind.Kind, obj v1alpha1.Object, r Record, guarded bool) Standing {
	switch {
	case obj.GetCommonSpec().Management == v1alpha1.ManagementObserve:
		return Aside
	case guarded && (r.Bound() || k.Shared() && r.Policy.Mode != ""):
		return Holding
	case obj.GetCommonSpec().Adoption == v1alpha1.AdoptionNever && inConflict(obj):
		return Yielding
	default:
		return Aspiring
	}
}

// guarded says whether a manifest has the finalizer.
func guarded(obj v1alpha1.Object) bool {
	return slices.Contains(obj.GetFinalizers(), v1alpha1.Finalizer)
}

// released says whether a manifest goes that has nothing to do with Google Cloud any more, whatever keeps it in Kubernetes.
func released(obj v1alpha1.Object) bool { return !obj.GetDeletionTimestamp().IsZero() && !guarded(obj) }

// inConflict says whether the manifest, as it is now, was found to be in conflict with what is there.
func inConflict(obj v1alpha1.Object) bool {
	ready := meta.FindStatusCondition(obj.GetCommonStatus().Conditions, v1alpha1.ConditionReady)
	return ready != nil && ready.Reason == v1alpha1.ReasonConflict && ready.ObservedGeneration == obj.GetGeneration()
}

// own is how the manifest itself stands: it has the finalizer before it does anything.
func (s subject) own() Standing { return standing(s.Kind, s.Object, s.record, true) }

// winner is the manifest that owns the resource instead of this one, if any, of those that cannot be applied beside it: the one that stands
// highest, and of those the oldest. Those that may not act now do not win.
func (s subject) winner() v1alpha1.Object {
	if s.management() == v1alpha1.ManagementObserve {
		return nil
	}
	first, best := s.Object, s.own()
	for _, rival := range s.env.Rivals {
		other := rival.Object
		if rival.Barred || !s.clashes(other) {
			continue
		}
		if its := rival.standing(s.Kind); its != Aside && (its > best || its == best && older(other, first)) {
			first, best = other, its
		}
	}
	if first == s.Object {
		return nil
	}
	return first
}

// Loses says whether another manifest, which stays, owns the resource instead of this one, so that nothing else of other manifests matters.
func Loses(m Manifest, r Record, e Environment) bool {
	if m.Kind.Shared() || !m.Object.GetDeletionTimestamp().IsZero() {
		return false
	}
	winner := subject{m, r, Observation{}, e, &Assessment{}}.winner()
	return winner != nil && winner.GetDeletionTimestamp().IsZero()
}

// clashes says whether two manifests of one resource exclude each other: always, unless they share a policy of which neither owns what
// the other mentions.
func (s subject) clashes(other v1alpha1.Object) bool {
	return !s.Kind.Shared() || claimOf(s.Kind.Policy.Of(s.Object)).clashes(claimOf(s.Kind.Policy.Of(other)))
}

// declaredElsewhere says whether a manifest that stays, and that may act now, declares the resource too.
func (s subject) declaredElsewhere() bool {
	for _, rival := range s.env.Rivals {
		if !rival.Barred && rival.Object.GetDeletionTimestamp().IsZero() {
			return true
		}
	}
	return false
}

// older says which of two manifests is older: by the time of their creation, and else by their UID; those in a folder, which have neither
// yet, by their name.
func older(a, b metav1.Object) bool {
	x, y := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if !x.Equal(&y) {
		return x.Before(&y)
	}
	return cmp.Or(cmp.Compare(a.GetUID(), b.GetUID()), cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName())) < 0
}
