package engine

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// waitForUnanswered has a deletion wait until Google can no more be carrying out what was written for the resource and not answered. Carried out
// after the manifest is gone, a create would leave what nobody holds, and a delete would take what has come by the same name since.
func (p *pass) waitForUnanswered(context.Context) *outcome {
	if !p.deleting() || plan.Orphans(p.obj) || p.env.Glass.Open() {
		return nil
	}
	over := p.writes.unansweredUntil(p.obj, p.env.Ref, len(p.env.Rivals) > 0, p.lastMove())
	if wait := over.Sub(p.now()); wait > 0 {
		return silently(wait)
	}
	return nil
}

// release lets the object go: it removes the finalizer. What is on record of its glass stays.
func (p *pass) release(ctx context.Context) outcome {
	if err := p.keepHistory(ctx); err != nil {
		return failed(updating, "letting go of the manifest", err)
	}
	if err := p.setFinalizer(ctx, false); err != nil {
		return failed(updating, "removing the finalizer", err)
	}
	return outcome{gone: true, done: p.Verdict.Deed}
}

// unmark takes the ownership labels off the resource, and lets the object go.
func (p *pass) unmark(ctx context.Context) outcome {
	ref := p.env.Ref
	ref.Ownership = nil
	for _, write := range p.kind.Fields.Update(ref, p.seen.Fields.Live.Object, nil) {
		switch err := p.call(ctx, write); {
		case gcp.IsDenied(err) && !wasNotSent(err): // an orphan need not be reachable
			p.Verdict.Deed.Message += "; its ownership labels could not be removed: " + gcp.Classify(err).Message
			return p.release(ctx)
		case err != nil:
			return p.undeleted(ctx, "removing the ownership labels", err)
		}
	}
	return p.release(ctx)
}

// undeleted ends a pass that could not carry out a deletion: unless the project is shut down, with what to do if it never can be.
func (p *pass) undeleted(ctx context.Context, doing string, err error) outcome {
	p.doubtProjectAfter(ctx, err)
	if p.env.ProjectShutDown {
		p.reassess()
	}
	if p.env.ProjectShutDown && p.Verdict.Action == plan.Release {
		return p.release(ctx)
	}
	out := p.answered(deleting, doing, err)
	out.looked, out.drift = true, p.Changes
	return p.orLetGo(out)
}

// orLetGo adds to an outcome that keeps a manifest from being deleted until a person does something how to let go of it.
func (p *pass) orLetGo(out outcome) outcome {
	if standingOf(out.reason) == stalled && out.reason != v1alpha1.ReasonNotEmpty && out.reason != v1alpha1.ReasonBreakGlass {
		out.message += ". " + plan.LettingGo(p.manifest())
	}
	return out
}

// destroy deletes the resource, or revokes what the manifest granted, and lets the object go; unless the kind's definition is being deleted by
// now: then all its objects are, and nobody asked for their resources to go.
func (p *pass) destroy(ctx context.Context) outcome {
	switch goes, err := p.definitionGoes(ctx); {
	case err != nil:
		return failed(reading, "reading the CustomResourceDefinition, which must be known before anything is deleted", err)
	case goes && !p.env.DefinitionGoes:
		p.env.DefinitionGoes = true
		p.reassess()
		return *p.carryOut(ctx)
	case p.Verdict.Action == plan.Revoke:
		return p.revoke(ctx)
	default:
		return p.deleteResource(ctx)
	}
}

// revoke takes back what the manifest granted, and nothing else.
func (p *pass) revoke(ctx context.Context) outcome {
	p.before, p.record = p.record, p.Assessment.Record
	deed := p.Verdict.Deed // of all that was to be revoked
	err := p.writePolicy(ctx)
	if err != nil {
		p.forgetUnsent()
	}
	p.reassess()
	switch {
	case err != nil:
		return p.undeleted(ctx, "revoking what the manifest granted", err)
	case p.Policy.Unwritable() != "":
		return p.orLetGo(outcome{reason: v1alpha1.ReasonInvalid, message: p.Policy.Unwritable(), looked: true, drift: p.Changes})
	case p.Verdict.Action != plan.Revoke: // somebody else wrote meanwhile, and what is to be revoked now is another plan
		return *p.carryOut(ctx)
	}
	p.Verdict.Deed = deed
	return p.release(ctx)
}

// deleteResource deletes the resource, its contents first if that was asked for.
func (p *pass) deleteResource(ctx context.Context) outcome {
	if out := p.free(ctx); out != nil {
		return *out
	}
	if plan.Empties(p.manifest()) {
		if out := p.takePlace(); out != nil {
			return *out
		}
		if out := p.empty(ctx); out != nil {
			return *out
		}
	}
	err := p.call(ctx, kind.Write{Name: "deleting the " + p.kind.Name, Do: func(ctx context.Context, live kind.Live) (kind.Live, error) {
		return live, p.kind.Fields.Delete(ctx, p.env.Ref, live)
	}})
	switch {
	case gcp.IsNotEmpty(err) && p.emptying != nil:
		return p.stillNotEmpty(ctx, err)
	case err != nil:
		out := p.undeleted(ctx, "deleting, as spec.deletionPolicy "+string(p.obj.GetCommonSpec().DeletionPolicy)+" says", err)
		if gcp.IsNotEmpty(err) {
			out.message += p.kind.NotEmpty
		}
		return out
	}
	return p.release(ctx)
}

// free makes the changes without which contents cannot be deleted, and no others: the manifest goes, but people can still edit what keeps
// its resource from going, too.
func (p *pass) free(ctx context.Context) *outcome {
	if len(p.Freeing) == 0 {
		return nil
	}
	freeing := p.Freeing
	p.before = p.record
	p.record = p.Assessment.Record // under whose approval what follows is done
	if err := p.save(ctx); err != nil {
		p.record = p.before
		return p.unfreed("recording what is about to be written", err)
	}
	want := diff.Apply(p.seen.Fields.Live.Object, freeing, p.kind.FieldTraits)
	for _, write := range p.kind.Fields.Update(p.env.Ref, want, freeing) {
		if err := p.call(ctx, write); err != nil {
			p.forgetUnsent()
			return p.unfreed("applying "+plan.List(freeing.Paths())+", so that the contents can be deleted", err)
		}
	}
	p.reassess()
	switch {
	case p.Verdict.Action != plan.Delete:
		return p.carryOut(ctx)
	case len(p.Freeing) > 0:
		message := stillDiffers(p.Freeing)
		return &outcome{reason: v1alpha1.ReasonNotApplied, message: message, looked: true, drift: p.Changes, err: errors.New(message)}
	}
	p.tell(ctx, p.obj, outcome{done: plan.Deed{Reason: "Updated", Message: "changed " + plan.List(freeing.Paths())}}, nil)
	return nil
}

// unfreed ends a pass that could not make the changes that free contents.
func (p *pass) unfreed(doing string, err error) *outcome {
	out := p.orLetGo(p.answered(updating, doing, err))
	out.looked, out.drift = true, p.Changes
	return &out
}

// readDefinition finds out, before a deletion is planned, whether it is one that nobody asked for. If that cannot be read it is read again
// before anything is deleted.
func (p *pass) readDefinition(ctx context.Context) *outcome {
	if p.deleting() && !p.env.Glass.Open() && !plan.Orphans(p.obj) {
		goes, err := p.definitionGoes(ctx)
		p.env.DefinitionGoes = err == nil && goes
	}
	return nil
}

// definitionGoes reads, uncached, whether the kind's definition is being deleted.
func (p *pass) definitionGoes(ctx context.Context) (bool, error) {
	var definition metav1.PartialObjectMetadata
	definition.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	if err := p.uncached.Get(ctx, client.ObjectKey{Name: p.kind.Plural + "." + v1alpha1.GroupVersion.Group}, &definition); err != nil {
		return false, err
	}
	return !definition.GetDeletionTimestamp().IsZero(), nil
}
