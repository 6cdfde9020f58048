package plan

import (
	"cmp"
	"slices"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// longestPath is how long a path is that status remembers of an approved change as it is, in bytes.
const longestPath = 64

// planHash names a plan of an object as it is now, after so many applied plans.
func planHash(obj v1alpha1.Object, sequence int64, plan diff.Changes) string {
	return diff.Hash(obj.GetUID(), obj.GetGeneration(), sequence, plan)
}

// isApproved says whether a plan may be written: its hash stands in the annotation, or it is what is left of a plan that
// was approved for this generation and has begun. What nobody could read nobody has approved.
func (m Manifest) isApproved(r Record, hash string, plan diff.Changes) bool {
	obj, fields := m.Object, m.Kind.FieldTraits
	if obj.GetAnnotations()[v1alpha1.ApproveAnnotation] == hash {
		return m.readable(plan)
	}
	begun := r.Approved
	if begun == nil || begun.Generation != obj.GetGeneration() {
		return false
	}
	approved := map[v1alpha1.PendingChange]bool{}
	for _, c := range begun.Changes {
		approved[c] = true
	}
	for _, c := range digests(plan, fields) {
		if !approved[c] {
			return false
		}
	}
	return true
}

// StillApproved is what stays approved of a plan that was begun once some of its changes were applied: no change is good twice. nil if nothing does.
func StillApproved(begun *v1alpha1.ApprovedPlan, applied diff.Changes, fields diff.Fields) *v1alpha1.ApprovedPlan {
	if begun == nil {
		return nil
	}
	used := map[v1alpha1.PendingChange]bool{}
	for _, c := range digests(applied, fields) {
		used[c] = true
	}
	left := begun.DeepCopy()
	left.Changes = slices.DeleteFunc(left.Changes, func(c v1alpha1.PendingChange) bool { return used[c] })
	if len(left.Changes) == 0 {
		return nil
	}
	return left
}

// approval records that a plan was approved, before it is begun; nil if its hash is not in the annotation.
func approval(obj v1alpha1.Object, hash string, plan diff.Changes, fields diff.Fields) *v1alpha1.ApprovedPlan {
	if obj.GetAnnotations()[v1alpha1.ApproveAnnotation] != hash {
		return nil
	}
	return &v1alpha1.ApprovedPlan{
		Hash:       hash,
		Generation: obj.GetGeneration(),
		By:         obj.GetAnnotations()[v1alpha1.ApproveByAnnotation],
		Changes:    digests(plan, fields),
	}
}

// digests are changes as status remembers them: a hash of each value before and after. What is absent before counts as at
// its default, because the first half of a plan may turn the one into the other. There may be thousands of changes whose paths name members, so
// that of a long path, too, no more than the hash is remembered.
func digests(changes diff.Changes, fields diff.Fields) []v1alpha1.PendingChange {
	out := make([]v1alpha1.PendingChange, 0, len(changes))
	for _, c := range changes {
		path, value := c.Path, cmp.Or(c.From, fields.Default(c.Path))+" to "+c.To
		if len(path) > longestPath {
			path, value = "", path+": "+value
		}
		out = append(out, v1alpha1.PendingChange{Path: path, Digest: diff.Change{To: value}.Digest()})
	}
	return out
}
