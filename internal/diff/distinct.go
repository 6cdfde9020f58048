package diff

import (
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Distinct are the fields in which a live resource, described as a spec, is not as Google would have chosen by itself; defaults are the other
// ones that it has. Both are written as the changes that would set them.
func Distinct(live, empty v1alpha1.Object, fields Fields) (distinct, defaults Changes) {
	for _, change := range Compare(live, empty, nil, fields).Changes {
		if change.To == fields.Default(change.Path) {
			defaults = append(defaults, change)
		} else {
			distinct = append(distinct, change)
		}
	}
	return distinct, defaults
}

// Beside are those of the defaults that a manifest may have to say beside what is distinct, since some fields need others: what is in the same
// field of the spec, and what of the resource as such can never change.
func Beside(distinct, defaults Changes, fields Fields) Changes {
	var beside Changes
	for _, change := range defaults {
		name := strings.TrimPrefix(change.Path, "spec.")
		fixed := fields.Immutable(change.Path) != "" && !strings.Contains(name, ".")
		if fixed || slices.ContainsFunc(distinct, func(d Change) bool { return Top(d.Path) == Top(change.Path) }) {
			beside = append(beside, change)
		}
	}
	return beside
}

// Top is the field of the spec that a path is in: spec.ipFilter for spec.ipFilter.mode.
func Top(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "spec."), ".")
	name, _, _ = strings.Cut(name, "[")
	return "spec." + name
}
