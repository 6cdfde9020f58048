// Package diff compares what a manifest asks for with what is live, as data.
//
// Both sides are objects of one Go type with a field Spec; live was described as a spec by its kind. The one comparison is used
// for reconciling, drift, plans, import and the up-to-date test.
//
// The rules follow from the types. Structs are owned by leaf, maps by key, lists as a whole. Fields that are unset in the
// manifest (a nil pointer, list or map, an empty string) are unmanaged, unless they were applied before: then they are reset to
// Google's default. An explicit {}, [] or false is managed. What does not follow from the types is in Fields.
//
// A path is as for kubectl explain, with a map's key in brackets: spec.lifecycle.rules, spec.labels[team].
package diff
