package engine

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// Options are what the reconcilers of all kinds share.
type Options struct {
	// OwnerID names this installation in the ownership labels.
	OwnerID string
	// Workers is how many objects of the kind are worked on at a time.
	Workers int
	// Sweep says when an object is looked at again.
	Sweep sweep.Schedule
	// Lease says until when this process may write.
	Lease Lease
	// Projects knows the numbers of projects.
	Projects Projects
	// Identities says who we are to Google.
	Identities Identities
	// Census says whether to count, every sweep interval, what nobody declared.
	Census bool
	// Unanswered is how long after its time-out Google may still carry out a call that it received. Default: 30 s.
	Unanswered time.Duration
}

// Namespaces are patched for their glass alone, which config/admission/operator.yaml sees to.
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=validatingadmissionpolicybindings,resourceNames=holdfast-guard-break-glass,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=gcp.holdfast.dev,resources=buckets;topics;serviceaccounts;projectpolicies,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=gcp.holdfast.dev,resources=buckets/status;topics/status;serviceaccounts/status;projectpolicies/status,verbs=get;patch
// +kubebuilder:rbac:groups=gcp.holdfast.dev,resources=buckets/finalizers;topics/finalizers;serviceaccounts/finalizers;projectpolicies/finalizers,verbs=update;patch
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,resourceNames=buckets.gcp.holdfast.dev;topics.gcp.holdfast.dev;serviceaccounts.gcp.holdfast.dev;projectpolicies.gcp.holdfast.dev,verbs=get

// Setup makes the manager hold a kind's resources.
func Setup[T v1alpha1.Object, L any](ctx context.Context, mgr ctrl.Manager, kind Kind[T, L], opts Options) error {
	obj := kind.New()
	index := func(o client.Object) []string { return []string{resourceKey(o.(T), kind.Traits())} }
	if err := mgr.GetFieldIndexer().IndexField(ctx, obj, resourceIDIndex, index); err != nil {
		return fmt.Errorf("indexing %ss: %w", kind.Traits().label(), err)
	}
	r := &Reconciler[T, L]{
		kind:       kind,
		ownerID:    opts.OwnerID,
		client:     mgr.GetClient(),
		uncached:   mgr.GetAPIReader(),
		gate:       &gate{reader: mgr.GetAPIReader(), lease: opts.Lease, now: time.Now},
		projects:   opts.Projects,
		identities: opts.Identities,
		sweep:      opts.Sweep,
		events:     mgr.GetEventRecorder("holdfast"),
		scheme:     mgr.GetScheme(),
		writes:     newWriteLog(cmp.Or(opts.Unanswered, defaultUnanswered)),
		now:        time.Now,
	}
	metrics.Fleet.Watch(kind.Traits().label(), metrics.Kind{Sweep: opts.Sweep.Interval, Count: count(ctx, mgr, obj)})
	control := ctrl.NewControllerManagedBy(mgr).
		Named(kind.Traits().label()).
		For(obj, builder.WithPredicates(worthALook())).
		Watches(obj, handler.EnqueueRequestsFromMapFunc(sameResource(mgr, kind)), builder.WithPredicates(comesOrGoes())).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(inNamespace(mgr, obj)), builder.WithPredicates(annotationsChanged())).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: opts.Workers,
			RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		})
	if policied, ok := any(kind).(Policied[T]); ok {
		refs := func(o client.Object) []string { return accountRefs(policied, o.(T)) }
		if err := mgr.GetFieldIndexer().IndexField(ctx, obj, accountIndex, refs); err != nil {
			return fmt.Errorf("indexing the references of %ss: %w", kind.Traits().label(), err)
		}
		control.Watches(&v1alpha1.ServiceAccount{}, handler.EnqueueRequestsFromMapFunc(referrers(mgr, obj)), builder.WithPredicates(resolves()))
	}
	if lister, ok := any(kind).(Lister); ok && opts.Census {
		if err := setUpCensus(ctx, mgr, &census[T]{obj, kind.Traits(), lister, mgr.GetClient(), mgr.GetScheme(), opts.Sweep}); err != nil {
			return err
		}
	}
	return control.Complete(r)
}

// The pauses between tries of what fails grow from the first to the last.
const (
	firstRetry = 200 * time.Millisecond
	lastRetry  = 2 * time.Minute
)

// worthALook lets through what a person or a tool did, and that an object is gone; not our own status, but for the record of the
// glass: a pass that saw the object as it was before may have left it as it is.
func worthALook() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() ||
				!e.ObjectNew.GetDeletionTimestamp().IsZero() && e.ObjectOld.GetDeletionTimestamp().IsZero() ||
				!maps.Equal(ours(e.ObjectOld), ours(e.ObjectNew)) ||
				recordedScope(e.ObjectOld.(v1alpha1.Object)) != recordedScope(e.ObjectNew.(v1alpha1.Object)) ||
				hasFinalizer(e.ObjectOld) && !hasFinalizer(e.ObjectNew)
		},
	}
}

// comesOrGoes lets through what changes who holds a resource that several manifests declare.
func comesOrGoes() predicate.Predicate {
	return predicate.Funcs{
		UpdateFunc: func(e event.UpdateEvent) bool {
			return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration()
		},
	}
}

// annotationsChanged lets through Namespaces whose binding or glass changed.
func annotationsChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(event.CreateEvent) bool { return true },
		UpdateFunc: func(e event.UpdateEvent) bool { return !maps.Equal(ours(e.ObjectOld), ours(e.ObjectNew)) },
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// ours are the annotations that mean something to Holdfast.
func ours(obj client.Object) map[string]string {
	out := map[string]string{}
	for key, value := range obj.GetAnnotations() {
		if strings.HasPrefix(key, "holdfast.dev/") {
			out[key] = value
		}
	}
	return out
}

// sameResource maps an object to the others whose resource has the same name.
func sameResource[T v1alpha1.Object, L any](mgr ctrl.Manager, kind Kind[T, L]) handler.MapFunc {
	return func(ctx context.Context, obj client.Object) []reconcile.Request {
		declared := obj.(T)
		project := cmp.Or(declared.GetCommonStatus().Project, declared.GetCommonSpec().ProjectID)
		if project == "" { // as its namespace says
			var namespace corev1.Namespace
			if err := mgr.GetClient().Get(ctx, client.ObjectKey{Name: obj.GetNamespace()}, &namespace); err == nil {
				project = namespace.Annotations[v1alpha1.ProjectIDAnnotation]
			}
		}
		others, err := namesakes(ctx, mgr.GetClient(), mgr.GetScheme(), declared, kind.Traits(), project)
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "finding the other manifests of a resource; the sweep will")
			return nil
		}
		requests := make([]reconcile.Request, 0, len(others))
		for _, other := range others {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(other)})
		}
		return requests
	}
}

// inNamespace maps a Namespace to the objects of a kind in it.
func inNamespace(mgr ctrl.Manager, kind v1alpha1.Object) handler.MapFunc {
	return func(ctx context.Context, namespace client.Object) []reconcile.Request {
		list, err := listOf(mgr.GetScheme(), kind)
		if err == nil {
			err = mgr.GetClient().List(ctx, list, client.InNamespace(namespace.GetName()))
		}
		if err != nil {
			ctrl.LoggerFrom(ctx).Error(err, "finding the objects of a namespace; the sweep will")
			return nil
		}
		return requests(list)
	}
}

// listOf returns an empty list of an object's kind.
func listOf(scheme *runtime.Scheme, obj v1alpha1.Object) (client.ObjectList, error) {
	gvk, err := apiutil.GVKForObject(obj, scheme)
	if err != nil {
		return nil, err
	}
	gvk.Kind += "List"
	made, err := scheme.New(gvk)
	if err != nil {
		return nil, err
	}
	list, ok := made.(client.ObjectList)
	if !ok {
		return nil, fmt.Errorf("%s is no list", gvk)
	}
	return list, nil
}
