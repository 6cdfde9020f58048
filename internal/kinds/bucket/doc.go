// Package bucket is the kind Bucket: how a Cloud Storage bucket is read, described as a spec, made, changed, emptied and
// deleted.
//
// Buckets are read as the JSON that Google sends (live.go) and written with Google's own types for it. The two mappings are in
// describe.go (a live bucket to a spec) and compose.go (a spec to what is sent).
package bucket
