// Package engine is the operator: it brings each object's resource to what its manifest says, whatever the kind. What is to be done is
// decided by internal/plan, which is pure; the engine looks, asks, writes, and tells. It knows no kind: all come to it as kind.Kind.
//
// An object's way is the list of phases in reconciler.go:
//
//  1. fetch         the manifest, from the cache; its status has the record of the passes before
//  2. Namespace     from the cache
//  3. glass         the annotations of a broken glass are read, recorded and co-owned (glass.go, coown.go)
//  4. locate        which project, which resource, as whom (inventory)
//  5. finalizer     before anything is written on the object's behalf
//  6. relate        rivals and references (inventory)
//  7. rest          what is settled is left alone, unless a look is due (rest.go, plan.Settled)
//  8. decide        what needs no look: an unbound project, an older rival (plan.AssessUnobserved)
//  9. place         of an object whose resource is to be emptied: among the few that do so at the same time (emptyings.go)
//  10. definition   of an object that goes: whether its CustomResourceDefinition goes too, so that nobody asked for the deletion
//  11. turn         a place in the line for Google's quotas; who has to wait comes back for it, and says nothing (turn.go)
//  12. observe      each part by itself: the fields, then the IAM policy (observe.go)
//  13. assess       manifest, record, observation, environment -> assessment (plan.Assess)
//  14. carry out    what the verdict says: leave (leave.go), hold, write (write.go, create.go, writepolicy.go, confirm.go), delete (delete.go,
//     empty.go)
//
// What is settled is checked with the others of its project: a sweep (sweep.go) lists the resources of each kind, and takes them the way up to
// "assess" (listing.go). Where a pass would find anything to do or to say a look is asked for, which is a pass like any other (looks.go).
//
// A write goes: pending record (draft.save, on condition that the object is the newest; none where live proves all of it) -> gate (gate.go:
// the object, its Namespace, the glass and the lease, read uncached, must be those that the plan was made for; and what destroys something must
// have been let through by the breaker, circuit.go, which is asked before anything is recorded, too) -> call -> what the answer
// shows -> record. A write that the gate refused is notSent: what was pending for it is forgotten again. Of a pass of several parts each has
// an outcome; combine makes one of them (failure.go). report (report.go) ends every pass: one status patch if anything changed, with
// conditions, event and the next look derived from the outcome in pure tables (outcome.go).
//
// Any step may be repeated, any reply lost, any read stale, the process killed between two lines, a pass cut off by its time limit. What
// makes that safe: live is observed before each decision; nothing is planned with a value that the pass itself has changed; every save
// before a write is locked; every Google Cloud write has a precondition where the API has one; and what a write newly takes on is recorded
// as pending before it and held against live by the next look.
//
// One word, one meaning, in code as in messages:
//
//	manifest      the Kubernetes object: what people want (spec, annotations)
//	record        what Holdfast remembers about the resource: a value, kept in status
//	observation   what one look at Google Cloud showed of a part: live, absent, or an error
//	part          what is observed, planned and written as one: a resource's fields; its IAM policy
//	environment   what else matters: binding, rivals, references, glass, identity, time
//	assessment    what follows from those four: changes per part, verdict, hold, hash
//	plan          the changes of an assessment that are to be written, for one generation and one binding
//	hold          why a plan waits: adoption, approval, a change that cannot be undone, a risky change of a policy, break-glass
//	gate          the one place that every write passes
//	breaker       what the gate asks before something is destroyed
//	pass          one way of one object through the phases
//	outcome       what a pass, or a part of it, came to
package engine
