package engine

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/plan"
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
// again if somebody did. A plan that turns out to need an approval, or that cannot be written, is left as it is. What is recorded as
// pending is always what the next write grants.
func (p *pass) writePolicy(ctx context.Context) error {
	if !plan.MentionsPolicy(p.manifest(), p.record) {
		return nil
	}
	if p.sent.fields { // which may have changed the policy, too
		p.readPolicyAgain(ctx)
	}
	for conflicts, refusals := 0, 0; ; {
		if writes, err := p.planPolicy(); err != nil || !writes {
			return err
		}
		stored, err := p.setPolicy(ctx)
		if err == nil {
			p.seen.Policy.Policy, p.seen.Policy.Written = stored, true
			p.record = p.record.Granted(p.manifest(), p.Policy, stored)
			return nil
		}
		if wasNotSent(err) || gcp.IsUnavailable(err) {
			return err
		}
		p.record = p.record.NotGranted(p.before)
		switch {
		case refusals < policyRefusals && p.refuse(err):
			refusals++
		case conflicts < policyConflicts && gcp.IsConflict(err):
			conflicts++
			if err := pause(ctx, time.Duration(conflicts)*policyPause); err != nil {
				return err
			}
			p.readPolicyAgain(ctx)
		default:
			return err
		}
	}
}

// planPolicy plans with what was read last, and says whether there is something that may be written.
func (p *pass) planPolicy() (writes bool, err error) {
	if p.seen.Policy.Err != nil {
		return false, p.seen.Policy.Err
	}
	p.reassess()
	return p.Policy.Writes() && (p.Verdict.Action == plan.Update || p.Verdict.Action == plan.Revoke), nil
}

func (p *pass) readPolicyAgain(ctx context.Context) {
	unseen := p.seen.Policy.Unseen
	p.seen.Policy = p.observePolicy(ctx)
	p.seen.Policy.Unseen = unseen
}

// setPolicy records what is about to be granted, and writes the policy.
func (p *pass) setPolicy(ctx context.Context) (stored iampolicy.Policy, err error) {
	p.sent.policy = false // this time
	p.record = p.record.AboutToGrant(p.manifest(), p.Assessment)
	if err := p.save(ctx); err != nil {
		return stored, &notSent{err}
	}
	p.recorded = true
	name := "setting the IAM policy of the " + p.kind.Name
	err = p.behindGate(ctx, name, &p.sent.policy, func(ctx context.Context) (err error) {
		stored, err = p.kind.Policy.Set(ctx, p.env.Ref, p.Policy.Plan.Next)
		return err
	})
	return stored, gcp.NameRoles(err, p.Policy.NotGrantable)
}

// refuse notes the members that Google does not accept, so that the next plan does without them; false if the error names none that was
// to be granted something. Those that were created a moment ago are tried again soon.
func (p *pass) refuse(err error) bool {
	named, ok := gcp.RefusedMember(err)
	if !ok {
		return false
	}
	members := p.Policy.Adds(func(member string) bool { return gcp.IsMember(member, named) })
	var refused []string
	for _, member := range members {
		if _, fresh := p.Policy.Fresh[member]; fresh {
			p.seen.Policy.Unseen = append(slices.Clone(p.seen.Policy.Unseen), member)
		} else {
			refused = append(refused, member)
		}
	}
	p.record = p.record.Refused(refused, gcp.Classify(err).Message, p.obj, p.env)
	return len(members) > 0
}

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
