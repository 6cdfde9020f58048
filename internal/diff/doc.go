// Package diff compares what a manifest asks for with what is live, as data.
//
// Both sides are objects of one Go type with a field Spec; live was described as a spec by its kind. One comparison
// serves reconciling, drift, plans, import and the up-to-date test.
//
// The rules follow from the types. Structs are owned by leaf, maps by key, lists whole. What is unset in the manifest (a
// nil pointer, list or map, an empty string) is unmanaged, unless it was applied before: then it is reset to Google's
// default. An explicit {}, [] or false is managed. What does not follow from the types is said in Fields.
//
// A path is what kubectl explain takes, with a map's key in brackets: spec.lifecycle.rules, spec.labels[team].
package diff
