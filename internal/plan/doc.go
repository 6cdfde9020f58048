// Package plan says what Holdfast would do to a resource, and why. It is pure: Assess turns four values into a fifth, calls nobody,
// changes nothing that it is given, and needs no Kubernetes or Google Cloud client. The controller calls it; a command
// line, or a sweep over a whole project, can do so as well.
//
//	Manifest      the Kubernetes object: what people want
//	Record        what Holdfast remembers about the resource (record.go); kept in the object's status
//	Observation   what one look at Google Cloud showed of each part
//	Environment   what else matters: binding, rivals, references, glass, our own identity, the time
//	Assessment    what follows: changes per part, verdict, hold, hash
//
// A resource consists of parts: its fields and its IAM policy. Each is compared by itself (fields.go, policy.go); what to do about the
// differences is decided by a chain of named rules (rules.go, and deletion.go for a manifest that is being deleted). What happens to
// the record before and after a write are functions from record to record (record.go).
package plan
