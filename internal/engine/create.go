package engine

import (
	"context"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// continued is what a write ended with that is no failure: the next pass continues from there.
type continued struct{ message string }

func (g *continued) Error() string { return g.message }

// knowProject finds out, before something is created that names its project by number, what that number is; and ends the pass if our own limits do
// not allow it now. What was created could not be taken in otherwise, and would be read and stored once more. Other failures are told then.
func (p *pass) knowProject(ctx context.Context) *outcome {
	if p.Verdict.Action != plan.Create || !p.kind.Numbered {
		return nil
	}
	_, err := p.projects.ProjectNumber(ctx, p.env.Ref.Impersonate, p.env.Ref.Project)
	if !gcp.IsLimited(err) {
		return nil
	}
	wait := gcp.Classify(err).RetryAfter
	if p.turn != nil {
		p.turn.due = p.now().Add(wait)
	}
	p.keepTurn()
	return limited(wait)
}

// create makes the resource, or brings it back where it was deleted and perhaps can be.
//
// Where Google gives a resource nothing to mark it with, that it was about to be created was recorded before the call, after a look that found
// nothing: that is the proof that what is found is our own. Elsewhere the labels that go with the call prove it, also that this very manifest has
// created it. From then on the manifest is bound to the project. All of that is taken back if the call is known to have failed.
func (p *pass) create(ctx context.Context) error {
	write := kind.Write{Name: "creating the " + p.kind.Name, Do: func(ctx context.Context, _ kind.Live) (kind.Live, error) {
		return p.kind.Fields.Create(ctx, plan.Creating(p.manifest(), p.env.Ref), p.obj)
	}}
	if p.Undelete != "" {
		write = kind.Write{Name: "undeleting the " + p.kind.Name, Do: func(ctx context.Context, _ kind.Live) (kind.Live, error) {
			return p.kind.Fields.Undelete(ctx, p.env.Ref, p.Undelete)
		}}
	}
	err := p.call(ctx, write)
	switch {
	case err == nil:
		p.record = p.record.Created(p.env)
		if p.Undelete == "" {
			p.record.CreatedIdentity = p.seen.Fields.Live.Identity.UID
		}
	case wasNotSent(err):
	case p.Undelete != "" && gcp.IsAlreadyExists(err):
		p.record = p.record.NotWritten(p.before)
		return &continued{"Google does not show the " + p.kind.Name + " and will not bring it back, because it is not deleted; looking for it: " + gcp.Classify(err).Message}
	case p.Undelete != "" && (gcp.IsNotFound(err) || gcp.IsInvalid(err)):
		p.record = p.record.NotUndeletable()
		return &continued{"the deleted " + p.kind.Name + " cannot be brought back any more and will be recreated: " + gcp.Classify(err).Message}
	case gcp.IsAlreadyExists(err) && p.kind.Settles > 0 && p.before.CreateTime != nil && (p.record.Identity == "" || p.record.Unrestorable):
		return &continued{"it was created before, though the answer was lost; looking for it"}
	case didNotHappen(err):
		p.record = p.record.NotWritten(p.before)
	}
	return err
}
