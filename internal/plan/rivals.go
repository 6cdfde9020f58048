package plan

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// winner is the manifest that owns the resource instead of this one: the oldest that is older, if any, of those that cannot be applied
// beside it. Those that only observe neither win nor lose, and those that may not act now do not win.
func (s subject) winner() v1alpha1.Object {
	if s.management() == v1alpha1.ManagementObserve {
		return nil
	}
	var winner v1alpha1.Object
	for _, rival := range s.env.Rivals {
		other := rival.Object
		if rival.Barred || rival.management() == v1alpha1.ManagementObserve || !s.clashes(other) {
			continue
		}
		if older(other, s.Object) && (winner == nil || older(other, winner)) {
			winner = other
		}
	}
	return winner
}

// clashes says whether two manifests of one resource exclude each other: always, unless they share a policy of which neither owns what
// the other mentions.
func (s subject) clashes(other v1alpha1.Object) bool {
	return !s.Kind.Shared() || claimOf(s.Kind.Policy.Of(s.Object)).clashes(claimOf(s.Kind.Policy.Of(other)))
}

// declaredElsewhere says whether a manifest that stays declares the resource too.
func (s subject) declaredElsewhere() bool {
	for _, rival := range s.env.Rivals {
		if rival.Object.GetDeletionTimestamp().IsZero() {
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
