package engine

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/queue"
)

// acknowledge ends a pass whose glass is broken and not acknowledged yet, before it calls Google: people wait for that, and many glasses may be
// broken at the same time. A pass that looks what differs follows in turn, with everybody else's.
func (p *pass) acknowledge(context.Context) *outcome {
	if recordedScope(p.obj) == "" || p.acknowledged() {
		return nil
	}
	told := meta.FindStatusCondition(p.stored.GetCommonStatus().Conditions, v1alpha1.ConditionBreakGlass)
	inFlight := p.inFlight()
	is := glassCondition(p.obj.GetCommonStatus().BreakGlass, inFlight)
	if told != nil && told.Status == is.Status && told.Reason == is.Reason { // that a write is in flight is told already
		return nil
	}
	return &outcome{acknowledges: true, inFlight: inFlight}
}

// acknowledged says whether the status has told that no write is in flight: that stays so, for no other write has begun since.
func (p *pass) acknowledged() bool { return acknowledged(p.stored) }

func acknowledged(obj v1alpha1.Object) bool {
	return recordedScope(obj) != "" && meta.IsStatusConditionTrue(obj.GetCommonStatus().Conditions, v1alpha1.ConditionBreakGlass)
}

// reportAcknowledged ends a pass that acknowledges a glass, or says which write it waits for.
func (r *Reconciler) reportAcknowledged(ctx context.Context, p *pass, out outcome) (reconcile.Result, error) {
	urgent, usual := queue.Urgent, 0
	result := reconcile.Result{RequeueAfter: pauseStale, Priority: &usual}
	if until := out.inFlight.until; !until.IsZero() {
		result = reconcile.Result{RequeueAfter: min(max(until.Sub(r.now()), pauseStale), pauseRunning), Priority: &urgent}
	}
	if readyCondition(p.obj) == nil { // a status has all conditions or none
		setConditions(p.obj, outcome{
			reason: v1alpha1.ReasonProgressing, message: "break-glass is acknowledged; checking for differences", inFlight: out.inFlight,
		})
		p.obj.GetCommonStatus().ObservedGeneration = p.obj.GetGeneration()
	}
	switch err := p.storeGlass(ctx, out.inFlight); {
	case isStale(err):
		result = reconcile.Result{RequeueAfter: pauseStale, Priority: &urgent}
	case err != nil:
		return reconcile.Result{}, err
	}
	r.measureEnd(p.draft, v1alpha1.ReasonBreakGlass)
	return result, nil
}

// breaks lets through objects, and Namespaces, whose glass has just been broken, and at the start all whose glass is broken.
func breaks() predicate.Predicate {
	broken := func(obj client.Object) string { return obj.GetAnnotations()[v1alpha1.BreakGlassAnnotation] }
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return broken(e.Object) != "" },
		UpdateFunc: func(e event.UpdateEvent) bool {
			return broken(e.ObjectNew) != "" && broken(e.ObjectNew) != broken(e.ObjectOld)
		},
		DeleteFunc: func(event.DeleteEvent) bool { return false },
	}
}

// urgently asks for a look that comes before all others at what an object is mapped to.
func urgently(find handler.MapFunc) handler.EventHandler {
	type requests = workqueue.TypedRateLimitingInterface[reconcile.Request]
	ask := func(ctx context.Context, obj client.Object, q requests) {
		priority := queue.Urgent
		q.(priorityqueue.PriorityQueue[reconcile.Request]).AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, find(ctx, obj)...)
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q requests) { ask(ctx, e.Object, q) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q requests) { ask(ctx, e.ObjectNew, q) },
	}
}

// unacknowledged maps an object to itself, unless its glass is acknowledged already.
func unacknowledged(_ context.Context, obj client.Object) []reconcile.Request {
	return waitingForIt([]v1alpha1.Object{obj.(v1alpha1.Object)})
}

// unacknowledgedIn maps a Namespace to the objects in it that have not acknowledged a glass.
func unacknowledgedIn(c cached, k kind.Kind) handler.MapFunc {
	return func(ctx context.Context, namespace client.Object) []reconcile.Request {
		in, err := c.by(ctx, k, namespaceIndex, namespace.GetName())
		if err != nil { // they are looked at all the same, with everybody else's
			log.FromContext(ctx).Error(err, "listing the objects whose glass is to be acknowledged", "namespace", namespace.GetName())
		}
		return waitingForIt(in)
	}
}

func waitingForIt(objects []v1alpha1.Object) []reconcile.Request {
	var out []reconcile.Request
	for _, obj := range objects {
		if !acknowledged(obj) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(obj)})
		}
	}
	return out
}
