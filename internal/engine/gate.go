package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breaker"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// Lease says until when this process may write: the leader's renew deadline.
type Lease interface {
	// Deadline is when the lease runs out unless it is renewed; ok is false when no lease is needed.
	Deadline() (deadline time.Time, ok bool)
}

// errStale says that the object is no longer the one that was planned with. It is planned anew.
var errStale = errors.New("the object changed since it was planned with")

// errMoved says that the object's Namespace belongs to another shard now: whoever is responsible for that plans anew.
var errMoved = fmt.Errorf("%w: its Namespace belongs to another shard", errStale)

// isStale says whether an error of the API server means that the object was not the newest.
func isStale(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsNotFound(err) || errors.Is(err, errStale)
}

func staleOr(err error) error {
	if isStale(err) {
		return errStale
	}
	return err
}

// notSent is a write that the gate refused, or our own limits: it did not happen, and will not.
type notSent struct{ err error }

func (n *notSent) Error() string { return n.err.Error() }
func (n *notSent) Unwrap() error { return n.err }

// wasNotSent says whether an error means that nothing was sent.
func wasNotSent(err error) bool {
	var refused *notSent
	return errors.As(err, &refused)
}

// glassBroken is the gate's answer while the glass is broken.
type glassBroken struct {
	glass breakglass.Glass
	// rival is the manifest whose glass it is; nil for the one that was to be written for.
	rival *plan.Rival
}

func (g *glassBroken) Error() string {
	if g.rival != nil {
		return g.rival.HeldBy()
	}
	return fmt.Sprintf("break-glass is active on the %s: %s", g.glass.Scope, g.glass.Reason)
}

// Gate stands right before every write to Google Cloud. There is one in a process, and no way around it.
type Gate struct {
	reader client.Reader // uncached
	lease  Lease
	shard  string
	now    func() time.Time
}

// NewGate makes the gate of a process that is responsible for a shard, empty for the default one. It reads from the API server itself, not
// from a cache.
func NewGate(uncached client.Reader, lease Lease, shard string) *Gate {
	return &Gate{reader: uncached, lease: lease, shard: shard, now: time.Now}
}

// writeLasts is how long a write may take once it has passed the gate, however many calls it makes: a shard that a Namespace moves to writes nothing
// for so long.
const writeLasts = gcp.DefaultTimeout

// leads says whether this process may write as far as the lease goes, and for how long. While a machine is suspended the clock that Go measures by
// stands still, and the wall clock goes on; that one may be set back. So the lease is over once it is by either of them.
func (g *Gate) leads() (left time.Duration, leads bool) {
	deadline, needed := g.lease.Deadline()
	if !needed {
		return writeLasts, true
	}
	now := g.now()
	left = min(deadline.Sub(now), deadline.Round(0).Sub(now.Round(0)))
	return min(left, writeLasts), left > 0
}

// pass reads the object and the other manifests of its resource, all with their Namespaces and uncached, and lets a write go out only if the
// object is still exactly the one that the target names, is bound as it says, and no glass is broken that holds the resource; and only while
// the lease lasts. allowed says that the write is one that only an administrator's allowance lets through, which then is read, too. The returned
// context ends with the lease, or after writeLasts, and must be cancelled after the write. Any error is a *notSent.
func (g *Gate) pass(
	ctx context.Context, obj v1alpha1.Object, rivals []v1alpha1.Object, target plan.Target, allowed bool,
) (context.Context, context.CancelFunc, error) {
	passage := &passage{reader: g.reader, shard: g.shard, now: g.now(), allowed: allowed, namespaces: map[string]*corev1.Namespace{}}
	err := passage.check(ctx, obj, target)
	if err == nil {
		err = passage.checkRivals(ctx, rivals, target)
	}
	if err != nil {
		return nil, nil, &notSent{err}
	}
	left, leads := g.leads()
	if !leads {
		return nil, nil, &notSent{errors.New("no write after the leader's lease has run out")}
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	return ctx, cancel, nil
}

// passage is what the gate reads for one write.
type passage struct {
	reader     client.Reader
	shard      string
	now        time.Time
	allowed    bool
	namespaces map[string]*corev1.Namespace
}

func (p *passage) check(ctx context.Context, obj v1alpha1.Object, target plan.Target) error {
	fresh, err := p.manifest(ctx, obj)
	switch {
	case apierrors.IsNotFound(err):
		return errStale
	case err != nil:
		return err
	}
	in, err := p.namespace(ctx, obj.GetNamespace())
	switch {
	case err != nil:
		return err
	case tenancy.Shard(in.Labels) != p.shard:
		return errMoved
	case p.allowed && !breaker.Allowed(in.Annotations, p.now):
		return errStale
	}
	namespace := in.Annotations
	if glass := breakglass.Read(fresh.GetAnnotations(), namespace, p.now); glass.Open() {
		return &glassBroken{glass: glass}
	}
	binding, refusal := tenancy.Resolve(fresh.GetNamespace(), namespace, fresh.GetCommonSpec().ProjectID, plan.BoundTo(fresh.GetCommonStatus()))
	now := plan.Target{
		UID: fresh.GetUID(), Generation: fresh.GetGeneration(), ResourceVersion: fresh.GetResourceVersion(),
		Binding: binding, Limits: tenancy.ReadLimits(namespace),
	}
	if refusal != nil || now != target {
		return errStale
	}
	return nil
}

// checkRivals looks at the glass of the other manifests. One that is gone holds nothing any more.
func (p *passage) checkRivals(ctx context.Context, rivals []v1alpha1.Object, target plan.Target) error {
	for _, other := range rivals {
		fresh, err := p.manifest(ctx, other)
		switch {
		case apierrors.IsNotFound(err):
			continue
		case err != nil:
			return err
		}
		in, err := p.namespace(ctx, other.GetNamespace())
		if err != nil {
			return err
		}
		if rival := plan.NewRival(fresh, in.Annotations, target.Binding.Project, p.now); rival.Holds() {
			return &glassBroken{glass: rival.Glass, rival: &rival}
		}
	}
	return nil
}

// manifest reads a manifest anew.
func (p *passage) manifest(ctx context.Context, obj v1alpha1.Object) (v1alpha1.Object, error) {
	fresh := copyOf(obj)
	if err := p.reader.Get(ctx, client.ObjectKeyFromObject(obj), fresh); err != nil {
		return nil, fmt.Errorf("no write without reading the manifest %s/%s first: %w", obj.GetNamespace(), obj.GetName(), err)
	}
	return fresh, nil
}

// namespace reads a Namespace, once.
func (p *passage) namespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	if namespace, known := p.namespaces[name]; known {
		return namespace, nil
	}
	namespace := &corev1.Namespace{}
	if err := p.reader.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil {
		return nil, fmt.Errorf("no write without reading the Namespace %s first: %w", name, err)
	}
	p.namespaces[name] = namespace
	return namespace, nil
}
