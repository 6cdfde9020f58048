package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breaker"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// destroys says whether what the pass writes destroys something that nobody has approved.
func (p *pass) destroys() bool { return p.Destructive.Any() && !p.Approved }

// isAllowed says whether an administrator lets everything through in the namespace, by what the cache has.
func (p *pass) isAllowed() bool { return breaker.Allowed(p.namespace.Annotations, p.now()) }

// mayDestroy asks the breaker to let through what the pass is about to destroy. It is asked before anything is recorded as about to be written,
// and before each write.
func (p *pass) mayDestroy(ctx context.Context) error {
	if !p.destroys() {
		return nil
	}
	intent := breaker.Intent{UID: p.obj.GetUID(), Generation: p.obj.GetGeneration(), Ends: p.Destructive.Ends}
	err := p.circuit.ask(ctx, asker{Intent: intent, namespace: p.obj.GetNamespace()}, p.isAllowed())
	if err != nil && p.wasReady {
		p.circuit.ready.Store(intent.UID, intent.Generation)
	}
	return err
}

// waitForBreaker ends a pass that may not destroy what it is about to; nil if it may.
func (p *pass) waitForBreaker(ctx context.Context) *outcome {
	err := p.mayDestroy(ctx)
	var held *onHold
	if errors.As(err, &held) {
		p.Verdict = plan.Verdict{Rule: p.Verdict.Rule, Action: plan.Hold, Reason: v1alpha1.ReasonDestructionOnHold, Message: p.holding(held)}
		out := p.hold()
		return &out
	}
	if err != nil {
		out := failed(reading, "asking whether this may be destroyed", err)
		return &out
	}
	return nil
}

// holding says what is on hold, why, and who can let it through by what.
func (p *pass) holding(held *onHold) string {
	namespace := p.obj.GetNamespace()
	return fmt.Sprintf("on hold: %s. %s. Whoever has the verb allow-destructive (ClusterRole holdfast-allow-destructive) lets the whole namespace do so, for an "+
		"hour: kubectl annotate --overwrite namespace %s %s=$(date -u -d '+1 hour' +%%FT%%TZ)",
		plan.List(p.Destructive.Whys), held, namespace, v1alpha1.AllowDestructiveUntilAnnotation)
}
