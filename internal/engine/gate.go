package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// Lease says until when this process may write: the leader's renew deadline.
type Lease interface {
	// Deadline is when the lease runs out unless it is renewed; ok is false when no lease is needed.
	Deadline() (deadline time.Time, ok bool)
}

// errStale says that the object is no longer the one that was planned with. It is planned anew.
var errStale = errors.New("the object changed since it was planned with")

// glassBroken is the gate's answer while the glass is broken.
type glassBroken struct{ glass breakglass.Glass }

func (g *glassBroken) Error() string {
	return fmt.Sprintf("the glass is broken on the %s: %s", g.glass.Scope, g.glass.Reason)
}

// gate stands right before every write to Google Cloud. There is one, and no way around it.
type gate struct {
	reader client.Reader // uncached
	lease  Lease
	now    func() time.Time
}

// pass reads the object and its Namespace, uncached, and lets a write go out only if the object is still exactly the one
// that was planned with, is bound as planned, and neither glass is broken; and only while the lease lasts. The
// returned context ends with the lease, and must be cancelled after the write.
func (g *gate) pass(ctx context.Context, planned v1alpha1.Object, binding tenancy.Binding) (context.Context, context.CancelFunc, error) {
	fresh := planned.DeepCopyObject().(v1alpha1.Object)
	if err := g.reader.Get(ctx, client.ObjectKeyFromObject(planned), fresh); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil, nil, errStale
		}
		return nil, nil, fmt.Errorf("no write without reading the object first: %w", err)
	}
	var namespace corev1.Namespace
	if err := g.reader.Get(ctx, client.ObjectKey{Name: planned.GetNamespace()}, &namespace); err != nil {
		return nil, nil, fmt.Errorf("no write without reading the Namespace first: %w", err)
	}
	if glass := breakglass.Read(fresh.GetAnnotations(), namespace.Annotations, g.now()); glass.Open() {
		return nil, nil, &glassBroken{glass}
	}
	if fresh.GetUID() != planned.GetUID() || fresh.GetResourceVersion() != planned.GetResourceVersion() {
		return nil, nil, errStale
	}
	now, refusal := tenancy.Resolve(namespace.Name, namespace.Annotations, fresh.GetCommonSpec().ProjectID, fresh.GetCommonStatus().Project)
	if refusal != nil || now != binding {
		return nil, nil, errStale
	}
	return g.withinLease(ctx)
}

func (g *gate) withinLease(ctx context.Context) (context.Context, context.CancelFunc, error) {
	deadline, needed := g.lease.Deadline()
	if !needed {
		ctx, cancel := context.WithCancel(ctx)
		return ctx, cancel, nil
	}
	if !g.now().Before(deadline) {
		return nil, nil, errors.New("no write after the leader's lease has run out")
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	return ctx, cancel, nil
}
