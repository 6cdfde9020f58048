package diff

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Fields says what is special about the fields of a kind, by path; a map's keys are written [*], as in spec.labels[*].
type Fields map[string]Field

// Field is what is special about one field. The zero value is an ordinary field whose default is to be absent.
type Field struct {
	// Immutable says why Google cannot change the field of an existing resource; empty if it can.
	Immutable string
	// Apart marks a field that is compared elsewhere, and not here.
	Apart bool
	// Atomic marks a struct that is compared and written as a whole: a union.
	Atomic bool
	// Inherited marks a field for which an organization can set another default: a reset that changes nothing has found it.
	Inherited bool
	// Whole marks a struct that is written, or cleared, as a whole where a part of it changes: what it has beside the fields of the
	// spec is lost then.
	Whole bool
	// FollowsCreate marks a field that a create cannot send along: it is at its default until the update that follows.
	FollowsCreate bool
	// Default is the compact JSON that the field has in Google Cloud when nobody sets it; empty for absent. A field that a live
	// resource lacks is taken to have its default.
	Default string
	// Equal says whether two set values mean the same; nil for reflect.DeepEqual. The values are those of the Go field, pointers
	// followed.
	Equal func(desired, live any) bool
	// Hold says why a change of this field must wait for approval even under management Manage; empty if it need not. It may be
	// nil.
	Hold func(c Change) string
	// Loses says why a change of this field can lose data, or take away what protects data; empty if it cannot. The values of the change
	// are those in Google Cloud: where there is none, the default. Nil for no change.
	Loses func(c Change) string
	// Stops says why a change of this field keeps the resource from serving those who use it, though nothing is lost; empty if it does not. The
	// values of the change are as for Loses. Nil for no change.
	Stops func(c Change) string
	// Frees says whether a change of this field, of a resource that is live like this, lets go of contents that could not be deleted
	// before: such a change is made also while the manifest is being deleted. Nil for no change.
	Frees func(c Change, live v1alpha1.Object) bool
}

// of returns the entry for a concrete path.
func (f Fields) of(path string) Field {
	if open := strings.IndexByte(path, '['); open >= 0 {
		path = path[:open] + "[*]"
	}
	return f[path]
}

// Immutable says why Google cannot change the field at a path; empty if it can. What is below an immutable struct is too.
func (f Fields) Immutable(path string) string {
	for ; path != ""; path = parent(path) {
		if why := f.of(path).Immutable; why != "" {
			return why
		}
	}
	return ""
}

// whole is the struct that is written as a whole and that the path is in; empty for none.
func (f Fields) whole(path string) string {
	for path = parent(path); path != ""; path = parent(path) {
		if f.of(path).Whole {
			return path
		}
	}
	return ""
}

// Default is the JSON that a field has in Google Cloud when nobody sets it; empty for absent.
func (f Fields) Default(path string) string { return f.of(path).Default }

// Inherited says whether an organization can set the default of the field at a path.
func (f Fields) Inherited(path string) bool { return f.of(path).Inherited }

// FollowsCreate says whether a create cannot send the field at a path along.
func (f Fields) FollowsCreate(path string) bool { return f.of(path).FollowsCreate }

// Hold says why a change must wait for approval; empty if it need not.
func (f Fields) Hold(c Change) string {
	if hold := f.of(c.Path).Hold; hold != nil {
		return hold(c)
	}
	return ""
}

// Stops says why a change keeps the resource from serving those who use it; empty if it does not.
func (f Fields) Stops(c Change) string {
	if stops := f.of(c.Path).Stops; stops != nil {
		return stops(f.inGoogleCloud(c))
	}
	return ""
}

// inGoogleCloud is a change with defaults in place of what is absent.
func (f Fields) inGoogleCloud(c Change) Change {
	c.From, c.To = cmp.Or(c.From, f.Default(c.Path)), cmp.Or(c.To, f.Default(c.Path))
	return c
}

// Loses says why a change can lose data, or take away what protects data; empty if it cannot. A change of a struct as a whole is one of all
// fields in it.
func (f Fields) Loses(c Change) string {
	if loses := f.of(c.Path).Loses; loses != nil {
		return loses(f.inGoogleCloud(c))
	}
	var whys []string
	for path, field := range f {
		if below, ok := strings.CutPrefix(path, c.Path+"."); ok && field.Loses != nil {
			whys = append(whys, f.Loses(Change{Path: path, From: member(c.From, below), To: member(c.To, below)}))
		}
	}
	whys = slices.DeleteFunc(whys, func(why string) bool { return why == "" })
	slices.Sort(whys)
	return strings.Join(whys, "; ")
}

// member is the value at a path in a JSON object; empty if there is none.
func member(object, path string) string {
	for name := range strings.SplitSeq(path, ".") {
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(object), &members) != nil {
			return ""
		}
		object = string(members[name])
	}
	return object
}

// Frees are those of the changes that let go of contents which could not be deleted before.
func (f Fields) Frees(changes Changes, live v1alpha1.Object) Changes {
	var freeing Changes
	for _, c := range changes {
		if frees := f.of(c.Path).Frees; frees != nil && frees(c, live) {
			freeing = append(freeing, c)
		}
	}
	return freeing
}

func parent(path string) string {
	return path[:max(strings.LastIndexByte(path, '.'), 0)]
}

// FoldedStrings is an Equal for strings, or lists of strings, whose letter case does not matter.
func FoldedStrings(desired, live any) bool {
	a, b := texts(desired), texts(live)
	return slices.EqualFunc(a, b, strings.EqualFold)
}

// StringSet is an Equal for lists of strings whose order and letter case do not matter.
func StringSet(desired, live any) bool {
	return slices.Equal(folded(desired), folded(live))
}

func folded(v any) []string {
	out := texts(v)
	for i, s := range out {
		out[i] = strings.ToLower(s)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// texts returns a copy of a string, or a list, of any string type.
func texts(v any) []string {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.String {
		return []string{rv.String()}
	}
	out := make([]string, 0, rv.Len())
	for i := range rv.Len() {
		out = append(out, rv.Index(i).String())
	}
	return out
}
