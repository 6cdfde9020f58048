// Package bucket is the kind Bucket: how a Cloud Storage bucket is read, described as a spec, made, changed, emptied and
// deleted.
//
// The two mappings are in describe.go (Google's bucket to a spec) and compose.go (a spec to Google's bucket).
//
// The client library has gaps that show here: it drops the bucket that a create or a lock returns (see gcp.KeepAnswers), cannot
// set defaultEventBasedHold at creation (an update follows), and cannot clear one field of a web site (see Update).
package bucket
