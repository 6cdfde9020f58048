package engine

import (
	"cmp"
	"context"
	"time"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/observe"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// observe looks at each part of the resource: one read of its fields, unless a list says that it is not there (firstlook.go), and another one of
// its IAM policy where the manifest mentions it.
// A part that cannot be read does not keep the others from being looked at. One that our own limits keep from being read ends the pass.
func (p *pass) observe(ctx context.Context) *outcome {
	if p.kind.Fields != nil {
		p.seen.Fields = p.observeFields(ctx)
	}
	if plan.MentionsPolicy(p.manifest(), p.record) {
		p.seen.Policy = p.observePolicy(ctx)
	}
	p.noteAbsence()
	for _, err := range []*kind.Error{p.seen.Fields.Err, p.seen.Policy.Err} {
		if err != nil && err.Ours {
			return limited(err.RetryAfter)
		}
	}
	return p.awaitQuota()
}

// quotaPatience is for how long an object stays Ready that Google lets nobody look at because of a quota.
const quotaPatience = 5 * time.Minute

// awaitQuota ends the pass of an object that is Ready, and that Google has not let us look at because a quota is used up: that says nothing of
// the resource, and the rate of our calls adapts. What lasts is told.
func (p *pass) awaitQuota() *outcome {
	var longest time.Duration
	throttled := false
	for _, err := range []*kind.Error{p.seen.Fields.Err, p.seen.Policy.Err} {
		if err != nil && err.Class == kind.Throttled {
			throttled, longest = true, max(longest, cmp.Or(err.RetryAfter, pauseThrottled))
		}
	}
	if !throttled {
		p.throttled.drop(p.name())
		return nil
	}
	if p.fieldsDiffer() || p.deleting() || !p.wasReady || p.glassMatters() {
		return nil
	}
	if since := p.throttled.note(p.name(), p.now()).since; p.now().Sub(since) >= quotaPatience {
		return nil
	}
	return limited(min(longest, quotaPatience))
}

// fieldsDiffer says whether what was seen of the fields, whatever became of the policy, is not as it should be.
func (p *pass) fieldsDiffer() bool {
	if !p.seen.Fields.Looked {
		return false
	}
	p.reassess()
	return !p.seen.Fields.Exists || p.seen.Fields.Foreign || p.differs()
}

// noteAbsence keeps account of for how long, and how often, Google has said that the resource, or its policy, does not exist. One that is yet to
// be created is not missed.
func (p *pass) noteAbsence() {
	fields, policy, owned := p.seen.Fields, p.seen.Policy.Err, p.record.Identity != ""
	switch {
	case owned && (fields.Missing != nil || policy != nil && policy.Class == kind.NotFound):
		noted := p.missing.note(p.name(), p.now())
		p.seen.MissingSince, p.seen.Misses = noted.since, noted.looks
	case !owned, fields.Exists, fields.Err == nil && policy == nil:
		p.missing.drop(p.name())
	}
}

func (p *pass) observeFields(ctx context.Context) plan.FieldsSeen {
	switch absent, err := p.isListedAbsent(ctx); {
	case err != nil:
		return plan.FieldsSeen{Err: gcp.Classify(err)}
	case absent:
		p.listed = true
		return plan.FieldsSeen{Looked: true, Missing: p.notListed()}
	}
	return observe.Fields(ctx, p.kind, p.env.Ref, p.record, p.projects)
}

// see takes in a live state, read or returned by a write.
func (p *pass) see(ctx context.Context, live kind.Live) (plan.FieldsSeen, error) {
	return observe.Live(ctx, p.kind, p.env.Ref, p.record, live, p.projects)
}

// observePolicy reads the policy of a resource that is there and is the manifest's business.
func (p *pass) observePolicy(ctx context.Context) plan.PolicySeen {
	return observe.Policy(ctx, p.kind, p.env.Ref, p.seen.Fields)
}
