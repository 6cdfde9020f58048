package engine

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/holdfast-dev/holdfast/config/admission"
	"github.com/holdfast-dev/holdfast/internal/breaker"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// Options are what the reconcilers of all kinds share.
type Options struct {
	// Kinds are all kinds: those that manifests can refer to are among them.
	Kinds []kind.Kind
	// Stores are those of the manager's cache, which was made with their CacheOptions.
	Stores *Stores
	// OwnerID names this installation in the ownership labels.
	OwnerID string
	// Workers says how many objects of a kind are reconciled concurrently, by the name of the kind. Default: 1.
	Workers func(k kind.Kind) int
	// Sweep says when projects are swept, and when an object is looked at again that no list shows. PolicySweep says when IAM policies are,
	// which no list shows.
	Sweep, PolicySweep sweep.Schedule
	// Gate is what every write passes: one in a process.
	Gate *Gate
	// Projects knows the numbers of projects.
	Projects Projects
	// Identities says who we are to Google.
	Identities Identities
	// SelfMembers are further members of IAM policies by which we have our access, as IAM writes them.
	SelfMembers []string
	// Turns has the line for Google's quotas.
	Turns Turns
	// Metrics is what passes are measured in.
	Metrics *metrics.Collector
	// Shard is the shard whose Namespaces' objects are reconciled, as v1alpha1.ShardLabel has it. Default: those without the label.
	Shard string
	// Assets lists what changed in all projects of a scope, every sweep interval; nil for nobody. FullSweep is how often what they cover is
	// looked at all the same. Default: sweep.DefaultFull.
	Assets    sweep.Assets
	FullSweep time.Duration
	// Namespace is the operator's own. Default: holdfast-system.
	Namespace string
	// User is the name by which the API server, and so the admission policies, know the operator. Default: admission.Operator.
	User string
	// Handover is how long a write of another process may take, whose Namespace has moved to this shard since. Default: gcp.DefaultTimeout.
	Handover time.Duration
	// Unanswered is how long after its time-out Google may still carry out a call that it received. Default: 30 s.
	Unanswered time.Duration
	// Breaker is how much may be destroyed without a person.
	Breaker Breaker
}

// Breaker is how the breaker works.
type Breaker struct {
	// Limits are how much may be destroyed. Default: breaker.DefaultLimits.
	Limits breaker.Limits
	// Gathering is how long what is to be destroyed is gathered before it is decided about. Default: 10 s.
	Gathering time.Duration
	// Record is the ConfigMap in the operator's namespace that has on record what was destroyed. Default: holdfast-breaker, and the shard after it.
	Record string
}

// defaultNamespace is the operator's namespace, unless it is told another.
const defaultNamespace = "holdfast-system"

// Namespaces are patched for their glass alone, which config/admission/operator.yaml sees to.
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Setup makes the manager reconcile the manifests of all kinds, and keep the glass of Namespaces.
func Setup(ctx context.Context, mgr ctrl.Manager, opts Options) error {
	_, err := SetupFleet(ctx, mgr, opts)
	return err
}

// SetupFleet does so, and returns what the operator knows, for others.
func SetupFleet(ctx context.Context, mgr ctrl.Manager, opts Options) (*Fleet, error) {
	tenants, err := setUpTenants(ctx, mgr, opts.Shard, cmp.Or(opts.Handover, gcp.DefaultTimeout))
	if err != nil {
		return nil, fmt.Errorf("setting up the watch on Namespaces: %w", err)
	}
	if err := opts.Stores.watch(ctx, mgr.GetCache(), opts.Kinds); err != nil {
		return nil, fmt.Errorf("setting up the watch on manifests: %w", err)
	}
	source := cached{opts.Stores, mgr.GetClient(), tenants}
	all := &inventory.Inventory{Source: source, Kinds: opts.Kinds, OwnerID: opts.OwnerID, Now: time.Now, Contested: tenants.contested}
	guards := newGuards(mgr.GetAPIReader(), cmp.Or(opts.User, admission.Operator))
	if err := mgr.Add(guards); err != nil {
		return nil, fmt.Errorf("setting up the watch on admission policies: %w", err)
	}
	requests, limits := &looks{inventory: all, of: map[string]*Reconciler{}}, newEventLimits()
	coverage := coverageOf(opts)
	circuit, err := setUpCircuit(mgr, opts, source, requests)
	if err != nil {
		return nil, err
	}
	for _, k := range opts.Kinds {
		r := &Reconciler{
			kind: k, inventory: all, client: mgr.GetClient(), uncached: mgr.GetAPIReader(), gate: opts.Gate,
			projects: opts.Projects, identities: opts.Identities, selfMembers: opts.SelfMembers,
			turns: opts.Turns, kept: newWaitingTurns(), missing: newAbsences(), throttled: newAbsences(),
			firstLooks: newFirstLooks(k.Traits), unrecorded: newUnrecorded(),
			emptyings: newEmptyings(workers(opts, k)),
			sweep:     opts.Sweep, policySweep: opts.PolicySweep, policies: newDues(time.Now), coverage: coverage, metrics: opts.Metrics,
			events: mgr.GetEventRecorder("holdfast"), eventLimits: limits, scheme: mgr.GetScheme(),
			writes: newWriteLog(cmp.Or(opts.Unanswered, defaultUnanswered), !k.Labels), now: time.Now,
			guards: guards, tenants: tenants, circuit: circuit, home: cmp.Or(opts.Namespace, defaultNamespace), due: newDues(time.Now),
		}
		requests.of[k.Kind] = r
		if err := setUpKind(ctx, mgr, r, source, opts); err != nil {
			return nil, err
		}
	}
	sweeps, err := setUpSweeps(ctx, mgr, opts, requests, source, coverage)
	if err != nil {
		return nil, err
	}
	if err := setUpAssets(mgr, opts, requests, sweeps, coverage); err != nil {
		return nil, err
	}
	fleet := &Fleet{all, tenants, selves{opts.Identities, tenants, opts.SelfMembers}}
	return fleet, setUpNamespaces(mgr, opts.Shard)
}

func setUpKind(ctx context.Context, mgr ctrl.Manager, r *Reconciler, source cached, opts Options) error {
	k, obj := r.kind, r.kind.New()
	opts.Metrics.Watch(k.Label(), metrics.Kind{Sweep: max(r.checks().Interval, opts.fullSweep()), Count: count(ctx, mgr, r.tenants, obj)})
	control := ctrl.NewControllerManagedBy(mgr).
		Named(k.Label()).
		For(obj, builder.WithPredicates(worthALook())).
		Watches(obj, urgently(unacknowledged), builder.WithPredicates(breaks())).
		Watches(&corev1.Namespace{}, urgently(unacknowledgedIn(source, k)), builder.WithPredicates(breaks())).
		Watches(obj, handler.EnqueueRequestsFromMapFunc(nextIn(source, r.inventory, k)), builder.WithPredicates(goes())).
		Watches(obj, handler.EnqueueRequestsFromMapFunc(losers(r.inventory, k)), builder.WithPredicates(letsGo(k))).
		Watches(obj, handler.EnqueueRequestsFromMapFunc(holders(source, k)), builder.WithPredicates(comesToHold(k))).
		Watches(obj, handler.EnqueueRequestsFromMapFunc(sharers(r.inventory, k)), builder.WithPredicates(concerns(k))).
		Watches(
			&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(successors(source, r.inventory, k)), builder.WithPredicates(bindingChanged()),
		).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(inNamespace(source, k)), builder.WithPredicates(saysAnotherThing())).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(contesting(source, r.inventory, k)), builder.WithPredicates(claimChanged())).
		Watches(
			&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(lookAtActedAs(source, r, opts.Kinds)), builder.WithPredicates(actsAsAnother()),
		).
		WatchesRawSource(r.due.source()).
		WithOptions(shared(ctx, r.inventory, k, workers(opts, k)))
	for _, referred := range opts.Kinds {
		if referred.Referent != nil {
			whoRefers := handler.EnqueueRequestsFromMapFunc(referrers(source, referred, k))
			control.Watches(referred.New(), whoRefers, builder.WithPredicates(resolves(referred)))
			whoNames := handler.EnqueueRequestsFromMapFunc(namers(source, referred, k))
			control.Watches(referred.New(), whoNames, builder.WithPredicates(becomesReady()))
		}
	}
	// From the first moment that this process leads: what was created before, the one before may have written for.
	if err := mgr.Add(manager.RunnableFunc(func(context.Context) error { r.writes.begin(r.now()); return nil })); err != nil {
		return fmt.Errorf("setting up the log of writes: %w", err)
	}
	return control.Complete(r)
}

// setUpCircuit makes the breaker of the process.
func setUpCircuit(mgr ctrl.Manager, opts Options, source cached, requests *looks) (*circuit, error) {
	record := breakerRecord
	if opts.Shard != "" {
		record += "-" + opts.Shard
	}
	c := &circuit{
		client: mgr.GetClient(), reader: mgr.GetAPIReader(),
		key:     client.ObjectKey{Namespace: cmp.Or(opts.Namespace, defaultNamespace), Name: cmp.Or(opts.Breaker.Record, record)},
		gathers: cmp.Or(opts.Breaker.Gathering, defaultGathering), limits: cmp.Or(opts.Breaker.Limits, breaker.DefaultLimits()),
		now: time.Now, metrics: opts.Metrics, asked: map[types.UID]asker{}, released: requests.heldBack,
	}
	c.survey = surveyOf(source, opts.Kinds, c)
	if err := mgr.Add(c); err != nil {
		return nil, fmt.Errorf("setting up the breaker: %w", err)
	}
	return c, nil
}

func workers(opts Options, k kind.Kind) int {
	if opts.Workers == nil {
		return 1
	}
	return opts.Workers(k)
}

// The pauses between tries of what fails grow from the first to the last.
const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = 2 * time.Minute
)
