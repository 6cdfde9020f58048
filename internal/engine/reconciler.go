package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/observe"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// Projects knows about projects.
type Projects interface {
	observe.Numbers
	// ShutDown says whether a project's deletion was requested, as the given service account sees it. With an error nothing is known.
	ShutDown(ctx context.Context, impersonate, projectID string) (bool, error)
}

// Identities knows whom Google Cloud takes us for.
type Identities interface {
	// Identity returns the e-mail by which Google knows us when we act as a service account (empty: as the manager).
	Identity(ctx context.Context, impersonate string) (email string, err error)
}

// Reconciler keeps the resources of one kind as their manifests say.
type Reconciler struct {
	kind      kind.Kind
	inventory *inventory.Inventory
	client    client.Client // reads from the cache
	uncached  client.Reader
	gate      *Gate
	projects  Projects
	// identities says who we are to Google.
	identities Identities
	// selfMembers are further members by which we have our access.
	selfMembers []string
	// turns has the line for Google's quotas, and kept the places in it of the objects that wait.
	turns Turns
	kept  *waitingTurns
	// missing has since when resources are not found.
	missing *absences
	// throttled has since when Google lets resources not be looked at because of a quota.
	throttled *absences
	// firstLooks has the lists that stand in for first reads.
	firstLooks *firstLooks
	// unrecorded has what this process has created and could not store yet.
	unrecorded *unrecorded
	// emptyings has the places of those that empty resources.
	emptyings *emptyings
	// sweep is when an object is looked at again that no list shows; policySweep when its policy is, which none does. policies are when the
	// policies of those are due whose fields a list shows.
	sweep, policySweep sweep.Schedule
	policies           *dues
	// coverage says what needs no look although its time has come. checked is when an object, or the policy of one, was last looked at that no
	// list shows: a time.Time, by the types.NamespacedName.
	coverage *sweep.Coverage
	checked  sync.Map
	events   events.EventRecorder
	// eventLimits are those of all kinds together.
	eventLimits *eventLimits
	metrics     *metrics.Collector
	scheme      *runtime.Scheme
	writes      *writeLog
	now         func() time.Time
	guards      *guards
	tenants     *tenants
	// circuit lets through what destroys something.
	circuit *circuit
	// home is the operator's own namespace, where BreakGlassRecords are.
	home string
	// due are the objects that are to be looked at in Google Cloud whatever their status says.
	due *dues
}

// passTimeout bounds a pass: a worker that waits for longer than this would better work on something else. What is left is for the next
// pass, which begins with what was recorded.
const passTimeout = 2 * time.Minute

// Reconcile brings one object a step further: what there is to do is done in one pass.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	r.writes.begin(r.now())
	obj := r.kind.New()
	switch err := r.client.Get(ctx, req.NamespacedName, obj); {
	case apierrors.IsNotFound(err):
		r.forget(req.NamespacedName)
		return reconcile.Result{}, nil
	case err != nil:
		return reconcile.Result{}, err
	}
	p, err := r.newPass(ctx, obj)
	switch {
	case err != nil: // it is not even known whose the object is
		return reconcile.Result{}, err
	case p == nil:
		r.forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	p.recallUnrecorded()
	defer p.forgetRecorded()
	bounded, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	defer p.releaseTurn()
	defer p.leavePlace(0)
	result, err := r.report(ctx, p, p.run(bounded))
	result.RequeueAfter = p.leavePlace(result.RequeueAfter)
	if p.background {
		result.Priority = new(handler.LowPriority)
	}
	if err != nil || result.RequeueAfter > 0 && !p.routine { // the pass that follows is to look, whatever the status says by then
		r.due.set(req.NamespacedName, result.RequeueAfter)
	}
	return result, err
}

// newPass begins a pass over an object; nil if another shard is responsible for it.
func (r *Reconciler) newPass(ctx context.Context, obj v1alpha1.Object) (*pass, error) {
	namespace, err := r.tenants.namespace(ctx, obj.GetNamespace())
	if err != nil || !r.tenants.owns(namespace) {
		return nil, err
	}
	p := &pass{Reconciler: r, draft: newDraft(r.client, r.uncached, obj), namespace: namespace}
	p.began = r.now()
	return p, nil
}

// forget drops what this process knows of an object that is gone, or that another shard is responsible for.
func (r *Reconciler) forget(name types.NamespacedName) {
	r.kept.drop(name)
	r.missing.drop(name)
	r.throttled.drop(name)
	r.unrecorded.drop(name)
	r.emptyings.drop(name)
	r.guards.forget(name)
	r.due.drop(name)
	r.policies.drop(name)
	r.checked.Delete(name)
	r.metrics.Forget(r.measured(name))
}

// pass is one look at an object and its resource, and what is done about them.
type pass struct {
	*Reconciler
	*draft

	namespace *corev1.Namespace
	env       plan.Environment
	seen      plan.Observation
	// ownEmail is that of Holdfast's own account; empty if nobody knows.
	ownEmail string
	plan.Assessment
	// turn lets the pass's calls go ahead; nil for none. asked says that the pass has come as far as to ask for one.
	turn  *waitingTurn
	asked bool
	// listed says that a list of the project, and no read, has shown that the resource is not there; read, that a list must not.
	listed, read bool
	// emptying is how far the emptying of the resource has come; nil where the pass has no place among those that empty. background says
	// that the passes that follow need not be soon: everybody else goes ahead.
	emptying   *emptying
	background bool
	// routine says that the pass that follows is there only to check a settled object once more.
	routine bool
	// before is the record before this pass was about to write anything.
	before plan.Record
	// recorded says that something is recorded as about to be written, be it that unstored says that the status need not say so yet; sent, for
	// which parts a write of it was let out.
	recorded, unstored bool
	sent               struct{ fields, policy bool }
}

// phase is a part of an object's way. One that returns an outcome ends the pass.
type phase struct {
	name string
	do   func(*pass, context.Context) *outcome
}

// phases are an object's way, in order.
var phases = []phase{
	{"leave alone what is released", (*pass).skipReleased},
	{"attend to the glass", (*pass).attendToGlass},
	{"locate the resource", (*pass).locate},
	{"add the finalizer", (*pass).ensureFinalizer},
	{"find rivals and references", (*pass).relate},
	{"leave alone what is settled, unless it is to be looked at", (*pass).rest},
	{"acknowledge a broken glass, before the first call", (*pass).acknowledge},
	{"wait, to delete, for what was not answered", (*pass).waitForUnanswered},
	{"decide what needs no look", (*pass).decideUnobserved},
	{"wait for a place among those that empty", (*pass).waitForPlace},
	{"read the definition, whose end is no deletion", (*pass).readDefinition},
	{"know ourselves", (*pass).knowSelf},
	{"wait for a turn", (*pass).waitForTurn},
	{"observe each part", (*pass).observe},
	{"ask whether the project is shut down, where that may explain what was seen", (*pass).doubtProject},
	{"recall what is on record of the glass", (*pass).recallHistory},
	{"assess", (*pass).assess},
	{"carry out", (*pass).carryOut},
}

// run is the way of an object.
func (p *pass) run(ctx context.Context) outcome {
	if out := p.through(ctx, phases); out != nil {
		return *out
	}
	return outcome{after: pauseStale} // the last phase always ends it
}

// through goes through phases until one ends the pass; nil if none does.
func (p *pass) through(ctx context.Context, phases []phase) *outcome {
	for _, phase := range phases {
		if out := phase.do(p, p.calling(ctx)); out != nil {
			return out
		}
	}
	return nil
}

// calling is a context for calls on the object's behalf. They count against the limits of the project, and are billed to it, also where they do
// not name it; and against the share of the namespace, and of who edited the manifest. Google's audit logs name it.
func (p *pass) calling(ctx context.Context) context.Context {
	ctx = gcp.WithEditor(gcp.WithNamespace(ctx, p.obj.GetNamespace()), editorOf(p.obj))
	ctx = gcp.WithReason(ctx, fmt.Sprintf("%s@%d", p.name(), p.obj.GetGeneration()))
	return p.withTurn(gcp.WithProject(ctx, p.env.Binding.Project))
}

func (p *pass) skipReleased(context.Context) *outcome {
	if p.deleting() && !hasFinalizer(p.obj) {
		return &outcome{gone: true}
	}
	return nil
}

func (p *pass) deleting() bool { return !p.obj.GetDeletionTimestamp().IsZero() }

func (p *pass) attendToGlass(ctx context.Context) *outcome {
	if err := p.attendGlass(ctx); err != nil {
		return because("attending to the glass", err)
	}
	return nil
}

func (p *pass) locate(context.Context) *outcome {
	glass := p.env.Glass
	p.env = p.inventory.Locate(p.kind, p.obj, p.namespace.Annotations)
	p.env.Glass = glass // as it was attended to
	if p.env.Refusal == nil {
		p.record = p.record.In(p.env.Ref.Project)
	}
	return nil
}

// ensureFinalizer adds the finalizer before anything is written on the object's behalf.
func (p *pass) ensureFinalizer(ctx context.Context) *outcome {
	if p.env.Refusal != nil || hasFinalizer(p.obj) || p.deleting() || p.observesOnly() {
		return nil
	}
	if err := p.setFinalizer(ctx, true); err != nil {
		return because("adding the finalizer", err)
	}
	return nil
}

func (p *pass) relate(ctx context.Context) *outcome {
	if p.env.Refusal != nil && !p.deleting() { // one that goes has to hand over what it granted, wherever that was
		return nil
	}
	if err := p.inventory.Relate(ctx, p.kind, p.obj, &p.env); err != nil {
		return because("reading the manifests that this one has to do with", err)
	}
	if slices.ContainsFunc(p.env.Rivals, plan.Rival.Holds) {
		p.heldByRival()
	}
	p.env.Since, p.env.Unwritten = p.responsibleSince(), p.unwritten()
	p.record = p.record.PassedOn(p.manifest(), p.env)
	return nil
}

func (p *pass) decideUnobserved(ctx context.Context) *outcome {
	if v := plan.AssessUnobserved(p.manifest(), p.record, p.env); v != nil {
		p.Verdict = *v
		return p.carryOut(ctx)
	}
	return nil
}

func (p *pass) assess(context.Context) *outcome {
	p.reassess()
	p.version = p.Target.ResourceVersion
	return nil
}

// reassess assesses with what is known now: an answer, a refusal, another record.
func (p *pass) reassess() { p.Assessment = plan.Assess(p.manifest(), p.record, p.seen, p.env) }

// carryOut does what the verdict says.
func (p *pass) carryOut(ctx context.Context) *outcome {
	var out outcome
	if !p.destroys() {
		p.circuit.forget(p.obj.GetUID())
	}
	if action := p.Verdict.Action; action != plan.Leave && action != plan.Hold {
		if wait := p.tenants.takeover(p.obj.GetNamespace()); wait > 0 {
			out := limited(wait)
			out.outOfLine = true
			return out
		}
		if out := p.waitForBreaker(ctx); out != nil {
			return out
		}
	}
	switch p.Verdict.Action {
	case plan.Hold:
		out = p.hold()
	case plan.Create, plan.Update:
		if out := p.knowProject(ctx); out != nil {
			return out
		}
		if out := p.waitToWrite(); out != nil {
			return out
		}
		out = p.write(ctx)
	case plan.Release:
		out = p.release(ctx)
	case plan.Unmark:
		out = p.unmark(ctx)
	case plan.Delete, plan.Revoke:
		out = p.destroy(ctx)
	default:
		out = p.leave()
	}
	return &out
}

// manifest is what people want.
func (p *pass) manifest() plan.Manifest { return plan.Manifest{Kind: p.kind, Object: p.obj} }

// because ends a pass with an error of the API server.
func because(doing string, err error) *outcome {
	out := failed(reading, doing, err)
	return &out
}
