package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// listing holds a list of a project's resources, as one identity sees them, against the manifests that are reached with it.
type listing struct {
	r *Reconciler
	// missing are the manifests whose resources the list has not shown yet, by their Ref.ID.
	missing map[string][]types.NamespacedName
	// unmanaged are the resources that it has shown and that no manifest declares.
	unmanaged map[string]bool
	// failed is why manifests could not be looked for.
	failed error
	// began says that some of the list was seen.
	began bool
}

func newListing(r *Reconciler, members []member, unmanaged map[string]bool) *listing {
	l := &listing{r: r, missing: map[string][]types.NamespacedName{}, unmanaged: unmanaged}
	for _, m := range members {
		l.missing[m.ref.ID] = append(l.missing[m.ref.ID], client.ObjectKeyFromObject(m.obj))
	}
	return l
}

// take lists. What the list does not show is missing only once all of it was seen.
func (l *listing) take(ctx context.Context, of kind.Ref) error {
	err := l.r.kind.Fields.List(ctx, of, func(page []kind.Listed) bool {
		l.began = true
		for _, resource := range page {
			if l.failed = l.see(ctx, of.Project, resource); l.failed != nil {
				return false
			}
		}
		return true
	})
	if err := cmp.Or(err, l.failed, ctx.Err()); err != nil {
		return err
	}
	for _, names := range l.missing {
		for _, name := range names {
			if l.failed = l.r.checkUnlisted(ctx, name, 0); l.failed != nil {
				return l.failed
			}
		}
	}
	return nil
}

// unseen are the manifests whose resources the list has not shown.
func (l *listing) unseen() []types.NamespacedName {
	return slices.Concat(slices.Collect(maps.Values(l.missing))...)
}

// see checks the manifests of a resource that the list shows.
func (l *listing) see(ctx context.Context, project string, resource kind.Listed) error {
	names, reached := l.missing[resource.ID]
	delete(l.missing, resource.ID)
	if !reached {
		declaring, err := l.r.inventory.Declaring(ctx, l.r.kind, project, resource.ID)
		if len(declaring) == 0 && err == nil {
			l.unmanaged[resource.ID] = true
		}
		return err
	}
	for _, name := range names {
		check := l.r.checkListed
		if resource.Partial {
			check = func(ctx context.Context, name types.NamespacedName, _ kind.Live) error {
				return l.r.checkUnlisted(ctx, name, 0)
			}
		}
		if err := check(ctx, name, resource.Live); err != nil {
			return err
		}
	}
	return nil
}

// checkListed checks an object by what a list shows of its resource. A look is asked for unless a pass would find nothing to do.
func (r *Reconciler) checkListed(ctx context.Context, name types.NamespacedName, live kind.Live) error {
	p, err := r.settledPass(ctx, name)
	switch {
	case p == nil:
		return err
	case p.shows(ctx, live):
		r.metrics.Looked(r.measured(name), p.obj, p.began, r.now())
		return r.forgetIfGone(ctx, name)
	default:
		r.due.ask(name, 0)
	}
	return nil
}

// forgetIfGone forgets once more an object that has gone, or that another shard has become responsible for, while its policy was read.
func (r *Reconciler) forgetIfGone(ctx context.Context, name types.NamespacedName) error {
	err := r.client.Get(ctx, name, r.kind.New())
	if apierrors.IsNotFound(err) || err == nil && !r.tenants.ownsIn(name.Namespace) {
		r.forget(name)
		return nil
	}
	return err
}

// checkUnlisted asks for a look at an object after a time, because no list shows its resource.
func (r *Reconciler) checkUnlisted(ctx context.Context, name types.NamespacedName, after time.Duration) error {
	p, err := r.settledPass(ctx, name)
	if p != nil {
		r.due.ask(name, after)
	}
	return err
}

// preparation is the way of an object up to where it is known what its resource should be like, without anything being written.
var preparation = []phase{
	{"see whose glass is broken", (*pass).seeGlass},
	{"locate the resource", (*pass).locate},
	{"find rivals and references", (*pass).relate},
}

// settledPass begins a pass over an object that is settled; nil if it is not, or is gone. One that is not is looked at by itself: it waits for that
// already, or else something has changed that nobody has told.
func (r *Reconciler) settledPass(ctx context.Context, name types.NamespacedName) (*pass, error) {
	obj := r.kind.New()
	if err := r.client.Get(ctx, name, obj); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	p, err := r.newPass(ctx, obj)
	if p == nil {
		return nil, err
	}
	if out := p.through(ctx, preparation); out != nil {
		return nil, out.err
	}
	if p.settled() {
		r.guards.note(obj)
		return p, nil
	}
	if left, waits := r.due.left(name); !waits || isReady(obj) && left > r.sweep.Interval {
		r.due.ask(name, 0)
	}
	return nil, nil
}

func (p *pass) seeGlass(context.Context) *outcome {
	p.env.Glass = breakglass.Read(p.obj.GetAnnotations(), p.namespace.Annotations, p.now())
	return nil
}

// shows says whether a pass that saw this of the resource would find nothing to do, and nothing to say that the status does not say already. The
// list of a project shows no resource of another one.
func (p *pass) shows(ctx context.Context, live kind.Live) bool {
	p.seen.Fields = plan.FieldsSeen{Looked: true, Exists: true, Live: live}
	p.missing.drop(p.name())
	p.observeDuePolicy(ctx)
	p.knowSelf(ctx)
	p.reassess()
	if p.Verdict.Action != plan.Leave || p.Verdict.Reason != v1alpha1.ReasonUpToDate {
		return false
	}
	out := p.leave()
	if out.done != (plan.Deed{}) || out.after != 0 {
		return false
	}
	p.noteExposure()
	if p.seen.Policy.Looked { // otherwise nothing is known that the conditions could say
		setConditions(p.obj, out)
	}
	p.fill()
	patch, err := statusPatch(p.stored, p.obj, "")
	return err == nil && patch == nil
}

// observeDuePolicy reads the resource's policy if that is due. One that our own limits keep from being read is read with the next sweep.
func (p *pass) observeDuePolicy(ctx context.Context) {
	name := p.name()
	if !plan.MentionsPolicy(p.manifest(), p.record) {
		p.policies.drop(name)
		return
	}
	switch left, known := p.policies.left(name); {
	case !known: // this process has just begun
		p.policies.set(name, p.policySweep.First())
		return
	case left > 0:
		return
	}
	p.seen.Policy = p.observePolicy(p.calling(ctx))
	if err := p.seen.Policy.Err; err != nil && err.Ours {
		p.seen.Policy = plan.PolicySeen{}
		return
	}
	p.policies.drop(name)
	p.policies.set(name, p.policySweep.Next())
	p.noteChecked()
}
