package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// Bounds of what one pass tries to get a policy written.
const (
	// policyConflicts is how often somebody else may come first.
	policyConflicts = 5
	// policyRefusals is how many members Google may refuse, one with each try.
	policyRefusals = 20
	// policyPause is the longest pause before the second try; it grows with each further one.
	policyPause = 200 * time.Millisecond
)

// writePolicy brings the IAM policy to the manifest: read, plan, write on condition that nobody wrote in between; and the same
// again if somebody did. stale says that the policy has to be read anew first. A plan that turns out to need an approval, or
// that cannot be written, is left as it is. What is recorded as pending is always what the next write grants.
func (r *Reconciler[T, L]) writePolicy(ctx context.Context, d *draft[T], v view[T, L], stale bool) (view[T, L], error) {
	if v.policy == nil {
		return v, nil
	}
	kind := any(r.kind).(Policied[T])
	for conflicts, refusals := 0, 0; ; {
		if stale {
			live, err := kind.GetPolicy(ctx, v.ref)
			if err != nil {
				return v, err
			}
			v.policy = v.policy.replan(func(in *iampolicy.Input) { in.Live, in.Recorded = live, grantsOf(d.obj.GetCommonStatus().IAM.Grants) })
		}
		if !v.policy.writes() || !r.mayWritePolicy(d.obj, v) {
			return v, nil
		}
		pendPolicy(d.obj, v.policy)
		if err := d.save(ctx); err != nil {
			return v, err
		}
		stored, err := r.setPolicy(ctx, d, v, kind)
		switch next, named := refuse(d.obj, v.policy, err); {
		case err == nil:
			v.policy = v.policy.replan(func(in *iampolicy.Input) {
				in.Live, in.Recorded, in.Pending, in.First = stored, v.policy.plan.Own, nil, false
			})
			return v, nil
		case named && refusals < policyRefusals:
			refusals++
			v.policy, stale = next, false
		case gcp.IsConflict(err) && conflicts < policyConflicts:
			conflicts++
			if err := pause(ctx, time.Duration(conflicts)*policyPause); err != nil {
				return v, err
			}
			stale = true
		default:
			return v, err
		}
	}
}

// mayWritePolicy says whether the policy's changes may be written as they are now. They were decided on before, but what was
// read since may have changed them.
func (r *Reconciler[T, L]) mayWritePolicy(obj T, v view[T, L]) bool {
	if !obj.GetDeletionTimestamp().IsZero() {
		return true
	}
	return decide(r.facts(obj, v, r.plan(v))).action == actionUpdate
}

func (r *Reconciler[T, L]) setPolicy(ctx context.Context, d *draft[T], v view[T, L], kind Policied[T]) (stored iampolicy.Policy, err error) {
	name := "setting the IAM policy of the " + r.kind.Traits().Name
	err = r.behindGate(ctx, d, v.binding, name, func(ctx context.Context) (err error) {
		stored, err = kind.SetPolicy(ctx, v.ref, v.policy.plan.Next)
		return err
	})
	return stored, err
}

// claiming is how long a deletion waits at most for the other manifests that grant the same to note that it is theirs.
const claiming = time.Minute

// pause waits for a random part of a time, so that writers who met once do not meet again.
func pause(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(rand.N(most))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// revoke carries out deletionPolicy Delete where only a policy is held: what the manifest granted goes, and nothing else.
func (r *Reconciler[T, L]) revoke(ctx context.Context, d *draft[T], v view[T, L]) outcome {
	if v.policy == nil {
		return r.release(ctx, d, done{"Orphaned", fmt.Sprintf("left the grants on %s as they are", r.kind.ExternalName(v.ref))})
	}
	switch orphan, err := r.definitionGoes(ctx, d.obj); {
	case err != nil:
		return failed("reading the CustomResourceDefinition, which must be known before anything is revoked", err)
	case orphan:
		return r.release(ctx, d, done{"Orphaned", "left the grants as they are, because the CustomResourceDefinition is being deleted"})
	}
	plan, unclaimed := v.policy.changes(), v.policy.plan.Unclaimed
	if len(unclaimed) > 0 && r.now().Before(d.obj.GetDeletionTimestamp().Add(claiming)) {
		return outcome{reason: v1alpha1.ReasonDeleting, looked: true, drift: plan, after: time.Second, message: fmt.Sprintf(
			"waiting for another manifest, which grants it too, to note that %s to %s is its own now", unclaimed[0].Role, unclaimed[0].Member)}
	}
	if v.policy.writes() && r.awaitsApproval(d.obj, plan) {
		return r.held(d, v, plan, awaitApproval("this revokes what the manifest granted"))
	}
	v, err := r.writePolicy(ctx, d, v, false)
	switch {
	case err != nil:
		out := failed("revoking what the manifest granted", err)
		out.looked, out.drift = true, v.policy.changes()
		return out
	case v.policy.unwritable() != "":
		return outcome{reason: v1alpha1.ReasonInvalid, message: v.policy.unwritable(), looked: true, drift: v.policy.changes()}
	}
	told := fmt.Sprintf("revoked what the manifest granted on %s: %d changes", r.kind.ExternalName(v.ref), len(plan))
	return r.release(ctx, d, done{"Deleted", told})
}
