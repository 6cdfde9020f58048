package plan

import (
	"cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Bounds of what status shows of changes. Hashes cover all of it, uncut.
const (
	mostChanges = 64
	longestText = 256
	longestPath = 64
)

// planHash names a plan of an object as it is now, after so many applied plans.
func planHash(obj v1alpha1.Object, sequence int64, plan diff.Changes) string {
	return diff.Hash(obj.GetUID(), obj.GetGeneration(), sequence, plan)
}

// isApproved says whether a plan may be written: its hash stands in the annotation, or it is what is left of a plan that
// was approved for this generation and has begun.
func isApproved(obj v1alpha1.Object, r Record, hash string, plan diff.Changes, fields diff.Fields) bool {
	if obj.GetAnnotations()[v1alpha1.ApproveAnnotation] == hash {
		return true
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

// Show is how status shows a plan that is on hold.
func (a Assessment) Show() *v1alpha1.Plan {
	shown := Bounded(a.Plan)
	return &v1alpha1.Plan{Hash: a.Hash, Why: a.Verdict.Message, Changes: shown, Omitted: int64(len(a.Plan) - len(shown))}
}

// Bounded is how status shows changes: so many of them, each cut to a length.
func Bounded(changes diff.Changes) []v1alpha1.Change {
	if len(changes) == 0 {
		return nil
	}
	out := make([]v1alpha1.Change, 0, min(len(changes), mostChanges))
	for _, c := range changes[:min(len(changes), mostChanges)] {
		out = append(out, v1alpha1.Change{Path: c.Path, From: text.Cut(c.From, longestText), To: text.Cut(c.To, longestText)})
	}
	return out
}

// ShowUnmanaged is how status shows what the spec has no field for: so many values, each cut to a length.
func ShowUnmanaged(unmanaged []diff.Unmanaged) []v1alpha1.UnmanagedField {
	var out []v1alpha1.UnmanagedField
	for _, u := range unmanaged[:min(len(unmanaged), mostChanges)] {
		out = append(out, v1alpha1.UnmanagedField{Path: text.Cut(u.Path, longestText), Value: text.Cut(u.Value, longestText)})
	}
	return out
}
