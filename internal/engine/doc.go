// Package engine is the one reconcile flow, generic over a kind.
//
// An object's way is in reconciler.go, top to bottom: fetch, binding and glass, finalizer, rivals, observe, then either the
// delete branch (delete.go) or describe and diff, decide (decide.go, pure), record what is about to be taken on, pass the
// gate (gate.go), write (write.go), and report (report.go): one status patch, with conditions, event and next look derived in
// one pure table (outcome.go).
//
// Any step may be repeated, any reply lost, any read stale, the process killed between two lines. What makes that safe:
// live is observed before each decision; the gate re-reads the object uncached right before each write and refuses when it is
// not the one that was planned with; every Google Cloud write has a precondition where the API has one; and what a write
// newly takes on is recorded as pending in status before it.
package engine
