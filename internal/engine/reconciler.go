package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/sweep"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// Projects knows the numbers of projects, which prove whose a bucket is.
type Projects interface {
	// ProjectNumber returns the number of a project ID, as the given service account sees it (empty: as the manager).
	ProjectNumber(ctx context.Context, impersonate, projectID string) (uint64, error)
}

// Identities knows whom Google Cloud takes us for.
type Identities interface {
	// Identity returns the e-mail by which Google knows us when we act as a service account (empty: as the manager).
	Identity(ctx context.Context, impersonate string) (email string, err error)
}

// Reconciler holds the resources of one kind to their manifests.
type Reconciler[T v1alpha1.Object, L any] struct {
	kind     Kind[T, L]
	ownerID  string
	client   client.Client // reads from the cache
	uncached client.Reader
	gate     *gate
	projects Projects
	// identities says who we are to Google.
	identities Identities
	sweep      sweep.Schedule
	events     events.EventRecorder
	scheme     *runtime.Scheme
	writes     *writeLog
	now        func() time.Time
}

// Reconcile brings one object a step further: what there is to do is done in one pass.
func (r *Reconciler[T, L]) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	r.writes.begin(r.now())
	obj := r.kind.New()
	switch err := r.client.Get(ctx, req.NamespacedName, obj); {
	case apierrors.IsNotFound(err):
		metrics.Fleet.Forget(r.measured(req.NamespacedName))
		return reconcile.Result{}, nil
	case err != nil:
		return reconcile.Result{}, err
	}
	d := newDraft(r.client, obj)
	d.began = r.now()
	out := r.pass(ctx, d)
	return r.report(ctx, d, out)
}

// pass is an object's way.
func (r *Reconciler[T, L]) pass(ctx context.Context, d *draft[T]) outcome {
	obj := d.obj
	deleting := !obj.GetDeletionTimestamp().IsZero()
	if deleting && !hasFinalizer(obj) {
		return outcome{gone: true}
	}

	var namespace corev1.Namespace
	if err := r.client.Get(ctx, client.ObjectKey{Name: obj.GetNamespace()}, &namespace); err != nil {
		return failed("reading the Namespace", err)
	}
	glass, err := r.attendGlass(ctx, d, &namespace)
	if err != nil {
		return failed("attending to the glass", err)
	}
	binding, refusal := tenancy.Resolve(namespace.Name, namespace.Annotations, obj.GetCommonSpec().ProjectID, obj.GetCommonStatus().Project)
	p := place{binding: binding, glass: glass}
	switch {
	case refusal != nil && deleting && glass.Open():
		return outcome{reason: v1alpha1.ReasonBreakGlass, message: deletionWaits}
	case refusal != nil && deleting:
		return r.removeUnbound(ctx, d, refusal)
	case refusal != nil:
		return outcome{reason: refusal.Reason, message: refusal.Message}
	}

	ctx = gcp.WithProject(ctx, binding.Project) // whose limits the calls count against, also where they name no project
	if err := r.ensureFinalizer(ctx, d); err != nil {
		return failed("adding the finalizer", err)
	}
	others, err := r.rivals(ctx, obj, binding.Project)
	if err != nil {
		return failed("looking for other manifests of the same resource", err)
	}
	if winner := r.clashing(obj, others).winnerOver(obj); winner != nil && !(deleting && glass.Open()) {
		return r.yield(ctx, d, winner)
	}

	if deleting && !glass.Open() && obj.GetCommonSpec().Management == v1alpha1.ManagementObserve {
		return r.release(ctx, d, done{"Released", untouched})
	}
	v, err := r.look(ctx, obj, p, others)
	switch {
	case gcp.IsNotFound(err) && r.kind.Traits().PolicyOnly:
		return outcome{reason: v1alpha1.ReasonNotFound, message: fmt.Sprintf("%s does not exist", r.kind.ExternalName(v.ref))}
	case gcp.IsDenied(err) && deleting && !glass.Open() && orphans(obj):
		return r.releaseMarked(ctx, d, gcp.Classify(err).Message)
	case err != nil:
		return failed(fmt.Sprintf("looking at the %s", r.kind.Traits().Name), err)
	case deleting && (v.exists || glass.Open() || orphans(obj) || !r.settles(obj)):
		return r.remove(ctx, d, v, others)
	case !v.exists && r.settles(obj): // which is no absence: neither is it made again, nor taken for deleted
		return outcome{reason: v1alpha1.ReasonProgressing, message: "created a moment ago; Google does not show it yet", after: pauseSettles}
	default:
		return r.settle(ctx, d, v)
	}
}

// place is where an object stands in Kubernetes.
type place struct {
	binding tenancy.Binding
	glass   breakglass.Glass
}

// view is what a pass knows of the resource after looking.
type view[T v1alpha1.Object, L any] struct {
	place
	ref          Ref
	exists       bool
	live         L
	identity     Identity
	held         bool
	wrongProject bool
	// described is live as a spec; applied are the fields known to be the object's own; diff holds both against the manifest.
	described T
	applied   []string
	diff      diff.Result[T]
	// policy is the IAM policy; nil where the manifest says nothing of it.
	policy *policyView
	// undelete is the identity of the deleted resource that can perhaps be brought back; empty for none.
	undelete string
}

// look makes the one read of Google Cloud, and another one where the manifest speaks of the IAM policy, and compares.
func (r *Reconciler[T, L]) look(ctx context.Context, obj T, p place, others rivals[T]) (view[T, L], error) {
	v := view[T, L]{place: p, ref: Ref{
		Project:     p.binding.Project,
		ID:          r.resourceID(obj, p.binding.Project),
		Impersonate: p.binding.Impersonate,
		Ownership:   r.marks(obj),
	}}
	live, err := r.kind.Observe(ctx, v.ref)
	switch {
	case gcp.IsNotFound(err):
		v = r.compare(obj, v, r.kind.New())
		v.undelete = r.undeletable(obj)
	case err != nil:
		return v, err
	default:
		if v, err = r.see(ctx, obj, v, live); err != nil {
			return v, err
		}
	}
	return r.seePolicy(ctx, obj, v, others)
}

// see takes in a live state, read or returned by a write.
func (r *Reconciler[T, L]) see(ctx context.Context, obj T, v view[T, L], live L) (view[T, L], error) {
	v.exists, v.live, v.identity = true, live, r.kind.Identify(live)
	if v.identity.ProjectNumber != 0 {
		number, err := r.projects.ProjectNumber(ctx, v.ref.Impersonate, v.ref.Project)
		if err != nil {
			return v, fmt.Errorf("proving that the %s belongs to project %q: %w", r.kind.Traits().Name, v.ref.Project, err)
		}
		if v.wrongProject = number != v.identity.ProjectNumber; v.wrongProject {
			return v, nil
		}
	}
	v.held = isHeld(obj.GetCommonStatus().Identity, v.identity, r.marks(obj)) || r.madeUnrecorded(obj)
	return r.compare(obj, v, r.kind.Describe(live)), nil
}

func (r *Reconciler[T, L]) compare(obj T, v view[T, L], described T) view[T, L] {
	v.described = described
	if v.held {
		v.applied = applied(obj, described)
	}
	v.diff = diff.Compare(obj, described, v.applied, r.kind.Traits().Fields)
	return v
}

// marks are the ownership labels of an object's resource; nil for a kind that has no labels.
func (r *Reconciler[T, L]) marks(obj T) map[string]string {
	if !r.kind.Traits().Labels {
		return nil
	}
	return ownership(r.ownerID, obj)
}

// resourceID is the name of the object's resource in Google Cloud: the project itself where only its policy is held.
func (r *Reconciler[T, L]) resourceID(obj T, project string) string {
	if r.kind.Traits().PolicyOnly {
		return project
	}
	return resourceID(obj)
}

// resourceID is the name that an object gives to its resource.
func resourceID(obj v1alpha1.Object) string {
	if id := obj.GetCommonSpec().ResourceID; id != "" {
		return id
	}
	return obj.GetName()
}

// settle brings the resource to the manifest, or says why not.
func (r *Reconciler[T, L]) settle(ctx context.Context, d *draft[T], v view[T, L]) outcome {
	plan := r.plan(v)
	choice := decide(r.facts(d.obj, v, plan))
	switch choice.action {
	case actionHold:
		return r.held(d, v, plan, choice)
	case actionCreate, actionUpdate:
		return r.write(ctx, d, v, plan)
	default:
		return r.nothingToWrite(d, v, choice)
	}
}

func (r *Reconciler[T, L]) facts(obj T, v view[T, L], plan diff.Changes) facts {
	f := facts{
		spec: *obj.GetCommonSpec(), traits: r.kind.Traits(), changes: plan, granting: v.granting(),
		exists: v.exists, held: v.held, mark: readMark(v.identity.Labels, r.marks(obj)), owner: foreignOwner(v.identity.Labels),
		wrongProject: v.wrongProject, recorded: obj.GetCommonStatus().Identity != "",
		glassOpen: v.glass.Open(), approved: isApproved(obj, plan, r.kind.Traits().Fields),
	}
	if v.policy != nil {
		f.policyHold, f.waits = v.policy.plan.Hold, v.policy.awaits()
		if f.idle = len(v.diff.Changes) == 0 && !v.policy.writes(); f.idle {
			f.unwritable = v.policy.unwritable()
		}
		f.sharing = f.traits.PolicyOnly && v.policy.in.Mode == v1alpha1.IAMAdditive
	}
	return f
}

// plan is what would be written.
func (r *Reconciler[T, L]) plan(v view[T, L]) diff.Changes {
	changes := v.diff.Changes
	if of := v.policy.changes(); len(of) > 0 {
		changes = slices.Concat(changes, of)
		slices.SortFunc(changes, func(a, b diff.Change) int { return strings.Compare(a.Path, b.Path) })
	}
	switch {
	case v.exists || v.wrongProject:
		return changes
	case v.undelete != "":
		return undeletion(r.kind.ExternalName(v.ref), v.undelete)
	}
	return creation(r.kind.ExternalName(v.ref), changes)
}

func (r *Reconciler[T, L]) nothingToWrite(d *draft[T], v view[T, L], choice decision) outcome {
	out := outcome{reason: choice.reason, message: choice.message, looked: !v.wrongProject, drift: r.plan(v)}
	applied := choice.reason == v1alpha1.ReasonUpToDate || choice.reason == v1alpha1.ReasonAwaitingReference
	if applied && d.obj.GetCommonSpec().Management != v1alpha1.ManagementObserve {
		if !v.held && !(r.kind.Traits().PolicyOnly && v.policy.in.Mode == v1alpha1.IAMAdditive) {
			out.done = done{"Adopted", "took over " + r.kind.ExternalName(v.ref) + ", which matches; nothing was written"}
		}
		if status := d.obj.GetCommonStatus(); status.Approved != nil { // it was applied, though its reply was lost
			status.PlanSequence++
		}
		d.hold(identityOf(v.identity, r.marks(d.obj)), v.diff.Managed)
		holdPolicy(d.obj, v.policy)
	}
	r.show(d, v)
	return out
}

func (r *Reconciler[T, L]) held(d *draft[T], v view[T, L], plan diff.Changes, choice decision) outcome {
	waiting := heldPlan(d.obj, choice.message, plan)
	message := fmt.Sprintf("%s. To let it be written: kubectl annotate --overwrite -n %s %s %s %s=%s", choice.message,
		d.obj.GetNamespace(), resourceArgument(r.scheme, d.obj), d.obj.GetName(), v1alpha1.ApproveAnnotation, waiting.Hash)
	r.show(d, v)
	return outcome{reason: choice.reason, message: message, looked: true, drift: r.plan(v), plan: waiting}
}

// isStale says whether an error of the API server means that the object was not the newest.
func isStale(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsNotFound(err) || errors.Is(err, errStale)
}
