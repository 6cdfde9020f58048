package plan

import (
	"slices"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// FieldsPlan is how a resource's fields differ from the manifest.
type FieldsPlan struct {
	// Result has the changes that lead from live to what is wanted, and the fields that the manifest manages.
	diff.Result[v1alpha1.Object]

	// Applied are the fields known to have been applied from this manifest before.
	Applied []string
}

// fieldsPlan compares the fields; nil where there is nothing to compare, or where it is none of the manifest's business.
func (s subject) fieldsPlan() *FieldsPlan {
	seen := s.seen.Fields
	if s.Kind.Fields == nil || !seen.Looked || seen.Foreign {
		return nil
	}
	live := seen.Live.Object
	if !seen.Exists {
		live = s.Kind.New()
	}
	p := &FieldsPlan{}
	if s.so.Owned {
		p.Applied = s.record.appliedIn(live)
	}
	p.Result = diff.Compare(s.Object, live, p.Applied, s.Kind.FieldTraits)
	p.Regard(seen.Live.Unmanaged, s.Kind.FieldTraits)
	return p
}

// newlyManaged are the fields that the manifest manages and that were not applied before, as status remembers them.
func (p *FieldsPlan) newlyManaged() []v1alpha1.PendingChange {
	var fresh []v1alpha1.PendingChange
	for _, path := range p.Managed {
		if !slices.Contains(p.Applied, path) {
			fresh = append(fresh, v1alpha1.PendingChange{Path: path, Digest: diff.Change{To: diff.Lookup(p.Want, path)}.Digest()})
		}
	}
	return fresh
}

// createdUnrecorded says whether the resource that is there is one that the manifest created, though nobody knows whether the call was
// even sent: it has all that the create was about to set, and nothing else. Kinds with labels have better proof.
func (s subject) createdUnrecorded() bool {
	if s.Kind.Labels || s.record.CreateTime == nil || s.record.Identity != "" && !s.record.Unrestorable {
		return false
	}
	live, fields := s.seen.Fields.Live.Object, s.Kind.FieldTraits
	sent := map[string]bool{}
	for _, p := range s.record.Pending {
		value := diff.Lookup(live, p.Path)
		if (diff.Change{To: value}).Digest() != p.Digest && !(fields.FollowsCreate(p.Path) && value == fields.Default(p.Path)) {
			return false
		}
		sent[p.Path] = true
	}
	return !slices.ContainsFunc(diff.Managed(live, fields), func(path string) bool {
		return !sent[path] && diff.Lookup(live, path) != fields.Default(path)
	})
}
