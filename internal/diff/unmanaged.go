package diff

import (
	"reflect"
	"slices"
	"strings"
)

// Unmanaged is a value that is live and that the spec has no field for.
type Unmanaged struct {
	// Path is where the spec would have it, such as spec.softDeletePolicy.hardDeletePause or spec.lifecycle.rules[1].condition.weather.
	Path string
	// Value is the live value as compact JSON.
	Value string
}

// Regard holds a comparison against what is live and unmanaged, which is left alone, with two exceptions. A list or an atomic struct
// that the manifest sets is all that there should be: what is unmanaged in it differs. And what a change overwrites or clears along
// with its field changes too, so that a plan says all that it removes.
func (r *Result[T]) Regard(unmanaged []Unmanaged, fields Fields) {
	lose := func(lost func(path string) bool) {
		for _, u := range unmanaged {
			if !slices.Contains(r.Lost, u) && lost(u.Path) {
				r.Lost = append(r.Lost, u)
				r.Changes = append(r.Changes, Change{Path: u.Path, From: u.Value})
			}
		}
	}
	lose(func(path string) bool { return r.excludes(path, fields) })
	lose(func(path string) bool { return r.Changes.overwrite(path, fields) })
	slices.SortFunc(r.Changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
}

// excludes says whether the manifest sets, as a whole, what the path is in.
func (r *Result[T]) excludes(path string, fields Fields) bool {
	return slices.ContainsFunc(r.Managed, func(managed string) bool {
		if !under(path, managed) {
			return false
		}
		value := follow(lookup(spec(r.Want), steps(managed)))
		return fields.of(managed).Atomic || value.IsValid() && value.Kind() == reflect.Slice
	})
}

// overwrite says whether the changes take away what is at a path, too.
func (c Changes) overwrite(path string, fields Fields) bool {
	if whole := fields.whole(path); whole != "" && c.Has(whole) {
		return true
	}
	return slices.ContainsFunc(c, func(change Change) bool { return under(path, change.Path) })
}
