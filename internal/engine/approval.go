package engine

import (
	"context"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// endApproval takes an approval off the object once it was used, so that it is good for no plan again, whatever becomes of the status that counts
// the plans: it may be restored from a backup, or lost. It comes after the status is stored, which knows what is left of the approved plan; if this
// process ends in between, a later pass that finds nothing to do takes it off.
func (p *pass) endApproval(ctx context.Context, out outcome) error {
	if !p.approvalIsOver(out) {
		return nil
	}
	err := clearAway(ctx, p.writer, p.obj, map[string]any{v1alpha1.ApproveAnnotation: nil, v1alpha1.ApproveByAnnotation: nil})
	if err == nil { // nothing is planned with it any more
		delete(p.obj.GetAnnotations(), v1alpha1.ApproveAnnotation)
		delete(p.obj.GetAnnotations(), v1alpha1.ApproveByAnnotation)
	}
	return err
}

// approvalIsOver says whether there is an approval, not of the plan as it is now, nor of one that has begun, and something was written or nothing
// is left to be. One of a plan that is another now for some other reason stays: what was seen may be over in a moment.
func (p *pass) approvalIsOver(out outcome) bool {
	hash, given := p.obj.GetAnnotations()[v1alpha1.ApproveAnnotation]
	if !given || p.Hash == "" || hash == p.Hash || p.record.Approved != nil || p.seen.Fields.Err != nil || p.seen.Policy.Err != nil {
		return false
	}
	return standingOf(out.reason) == atRest || p.sent.fields || p.sent.policy
}
