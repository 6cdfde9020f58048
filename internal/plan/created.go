package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Creating is the resource that a manifest refers to as it is to be created: with a label more, which proves later that this manifest and no
// other of its name has created it, and which fields it has set. Where there is no room for that label it is left out.
func Creating(m Manifest, ref kind.Ref) kind.Ref {
	if !m.provesCreate() {
		return ref
	}
	ref.Ownership = maps.Clone(ref.Ownership)
	ref.Ownership[v1alpha1.CreatorLabel] = creatorOf(m, m.Object)
	return ref
}

// provesCreate says whether the labels of a resource have room for the proof that the manifest has created it.
func (m Manifest) provesCreate() bool {
	if !m.Kind.Labels {
		return false
	}
	room := kind.MostLabels - len(Ownership("", m.Object)) - 1
	for _, path := range diff.Managed(m.Object, m.Kind.FieldTraits) {
		if strings.HasPrefix(path, "spec.labels[") {
			room--
		}
	}
	return room >= 0
}

// creatorOf is the value of the label of the creator, for a resource that the manifest has created with these fields: its UID, and a hash of
// their paths. Their values, which Google may write otherwise, it does not cover.
func creatorOf(m Manifest, fields v1alpha1.Object) string {
	sum := sha256.Sum256([]byte(strings.Join(sentPaths(m.Kind, fields), "\n")))
	return string(m.Object.GetUID()) + "_" + hex.EncodeToString(sum[:8])
}

// sentPaths are the fields of a manifest, or of a live resource that is written as one, that a create has set if Google does not set them by
// itself: without those that cannot be reset, that follow as an update, or that say what is so anyway.
func sentPaths(k kind.Kind, obj v1alpha1.Object) []string {
	fields := k.FieldTraits
	return slices.DeleteFunc(diff.Managed(obj, fields), func(path string) bool {
		value := diff.Lookup(obj, path)
		return value == fields.Default(path) || value == "[]" || value == "{}" || fields.Immutable(path) != "" || fields.FollowsCreate(path) ||
			fields.Hold(diff.Change{Path: path, To: value}) != ""
	})
}

// createdByLabel says that the resource carries the label of this very manifest's create, of which nothing is on record: the process ended in
// between.
func (s subject) createdByLabel() bool {
	live := s.identity().Labels
	creator, _, _ := strings.Cut(live[v1alpha1.CreatorLabel], "_")
	return s.exists() && !s.seen.Fields.Foreign && s.record.CreateTime == nil && readMark(live, s.marks()) == markOwn &&
		creator == string(s.Object.GetUID())
}

// provenCreated is the record of a manifest whose create is on record in the label alone. Which fields it has set is proven as long as the
// resource has no others: what somebody else has set meanwhile is not reset.
func (s subject) provenCreated() Record {
	r, live := s.record.Created(s.env), s.seen.Fields.Live
	r.CreatedIdentity = live.Identity.UID
	if len(r.AppliedFields)+len(r.Pending) == 0 && creatorOf(s.Manifest, live.Object) == live.Identity.Labels[v1alpha1.CreatorLabel] {
		r.AppliedFields = sentPaths(s.Kind, live.Object)
	}
	return r
}

// ProvesItself says whether a write needs no record before it, since live proves afterwards all that it newly takes on: what a create with labels
// makes, of a manifest that has nothing yet. What was approved, and what is granted, it does not prove.
func (a Assessment) ProvesItself(m Manifest, before Record) bool {
	return a.Verdict.Action == Create && !before.Bound() && m.provesCreate() &&
		equality.Semantic.DeepEqual(a.Record.Approved, before.Approved) && equality.Semantic.DeepEqual(a.Record.Policy, before.Policy)
}
