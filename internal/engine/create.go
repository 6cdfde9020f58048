package engine

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// pauseSettles is how often a resource that was just made is looked for.
const pauseSettles = 3 * time.Second

// goesOn is what a write ended with that is no failure: the next pass goes on from there.
type goesOn struct{ message string }

func (g *goesOn) Error() string { return g.message }

// create makes the resource, or brings it back where it was deleted and perhaps can be. attempted is when it was last tried
// before, of which nobody knows how it ended; nil if it never was.
//
// Where Google gives a resource nothing to mark it with, status.createTime is the proof that what is found is our own: it was
// recorded before the call, after a look that found nothing. It is taken back if the call is known to have failed.
func (r *Reconciler[T, L]) create(ctx context.Context, d *draft[T], v view[T, L], attempted *metav1.Time) (view[T, L], error) {
	status, name := d.obj.GetCommonStatus(), r.kind.Traits().Name
	call := Call[L]{Name: "creating the " + name, Do: func(ctx context.Context, _ L) (L, error) {
		return r.kind.Create(ctx, v.ref, d.obj)
	}}
	if v.undelete != "" {
		call = Call[L]{Name: "undeleting the " + name, Do: func(ctx context.Context, _ L) (L, error) {
			return any(r.kind).(Undeleter[L]).Undelete(ctx, v.ref, v.undelete)
		}}
	}
	created, err := r.call(ctx, d, v, call)
	var broken *glassBroken
	switch notSent := errors.Is(err, errStale) || errors.As(err, &broken); {
	case err == nil:
		return created, nil
	case notSent:
		status.CreateTime = attempted
	case v.undelete != "" && (gcp.IsNotFound(err) || gcp.IsInvalid(err)):
		status.Identity, status.CreateTime = "", nil
		return v, &goesOn{"the deleted " + name + " cannot be brought back any more and will be created anew: " + gcp.Classify(err).Message}
	case gcp.IsAlreadyExists(err) && attempted != nil && status.Identity == "":
		return v, &goesOn{"it was created before, though the answer was lost; it is looked for"}
	case !gcp.IsUnavailable(err):
		status.CreateTime = attempted
	}
	return v, err
}

// undeletable is the identity of the object's resource, if one of its kind can be brought back after it was deleted.
func (r *Reconciler[T, L]) undeletable(obj T) string {
	if _, ok := any(r.kind).(Undeleter[L]); !ok {
		return ""
	}
	return obj.GetCommonStatus().Identity
}

// settles says whether the resource may be there though a read does not show it: it was about to be created a moment ago.
func (r *Reconciler[T, L]) settles(obj T) bool {
	at := obj.GetCommonStatus().CreateTime
	return at != nil && r.now().Before(at.Add(r.kind.Traits().Settles))
}

// madeUnrecorded says whether the resource that is there is one that the object made, though the answer was lost.
func (r *Reconciler[T, L]) madeUnrecorded(obj T) bool {
	status := obj.GetCommonStatus()
	return r.kind.Traits().Settles > 0 && status.CreateTime != nil && status.Identity == ""
}
