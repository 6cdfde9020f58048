// Package v1alpha1 is the contract of the group gcp.holdfast.dev: the kinds that people write, and what Holdfast
// writes back to them. It depends on apimachinery alone, so that other programs can import it cheaply.
//
// Each kind has a file of its own (bucket_types.go, topic_types.go). What all kinds share is in common_types.go, their
// conditions and reasons in conditions.go, the annotations in annotations.go.
//
// Conventions that all code relies on:
//
//   - An unset field is unmanaged: Google's own value stays, and shows in status.observed. Therefore each optional
//     field can tell "unset" from "empty": booleans and numbers are pointers, lists and maps are written with
//     omitzero so that an explicit [] or {} survives.
//   - Syntax is checked by schema patterns, relations and immutability by CEL, each with a message for people.
//   - Durations are integers with their unit in the name (…Seconds, …Days).
//
// +kubebuilder:object:generate=true
// +groupName=gcp.holdfast.dev
package v1alpha1
