package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/metrics"
)

// guardBinding is the binding of the admission policy that vouches for who broke the glass.
const guardBinding = "holdfast-guard-break-glass"

// attendGlass reads the glass of an object and brings its record up to date. On the object it clears away what is over, and
// co-owns what is not; a Namespace has its own controller for that.
func (r *Reconciler[T, L]) attendGlass(ctx context.Context, d *draft[T], namespace *corev1.Namespace) (breakglass.Glass, error) {
	annotations, now := d.obj.GetAnnotations(), r.now()
	glass := breakglass.Read(annotations, namespace.Annotations, now)
	open := d.obj.GetCommonStatus().BreakGlass
	past, expired := breakglass.Past(annotations, v1alpha1.BreakGlassOnObject, now)
	if open != nil && open.Scope == v1alpha1.BreakGlassOnNamespace {
		_, expired = breakglass.Past(namespace.Annotations, v1alpha1.BreakGlassOnNamespace, now)
	}
	if changes := breakglass.Clear(annotations, open == nil, now); len(changes) > 0 {
		if err := clearAway(ctx, r.client, d.obj, changes); err != nil {
			return glass, err
		}
	} else if err := coOwn(ctx, r.client, r.scheme, d.obj); err != nil {
		return glass, err
	}
	d.stored.SetResourceVersion(d.obj.GetResourceVersion())
	if open == nil && expired && !wasRecorded(d.obj, past) { // it opened and ran out while nobody looked
		if err := r.noticeGlass(ctx, d, breakglass.Seen{Glass: past, Now: now}); err != nil {
			return glass, err
		}
	}
	return glass, r.noticeGlass(ctx, d, breakglass.Seen{
		Glass: glass, Expired: expired, ClosedBy: closedBy(d.obj, namespace), Now: now,
	})
}

// wasRecorded says whether a glass whose time is over is the newest in the history.
func wasRecorded(obj v1alpha1.Object, past breakglass.Glass) bool {
	history := obj.GetCommonStatus().BreakGlassHistory
	return len(history) > 0 && history[0].Until != nil && history[0].Until.Time.Equal(past.Until) && history[0].Reason == past.Reason
}

// closedBy is who closed the glass whose record is open.
func closedBy(obj v1alpha1.Object, namespace *corev1.Namespace) string {
	open := obj.GetCommonStatus().BreakGlass
	switch {
	case open == nil:
		return ""
	case open.Scope == v1alpha1.BreakGlassOnNamespace:
		return namespace.Annotations[v1alpha1.BreakGlassClosedByAnnotation]
	default:
		return obj.GetAnnotations()[v1alpha1.BreakGlassClosedByAnnotation]
	}
}

// noticeGlass records what is seen of the glass. Once, when it is seen broken first, it also finds out whether the policies
// are in force, and which write had passed the gate before.
func (r *Reconciler[T, L]) noticeGlass(ctx context.Context, d *draft[T], seen breakglass.Seen) error {
	status := d.obj.GetCommonStatus()
	if seen.Glass.Open() {
		if open := status.BreakGlass; open != nil && open.Scope == seen.Glass.Scope {
			seen.Verified = seen.Glass.By != ""
		} else {
			verified, err := r.guarded(ctx)
			if err != nil {
				return err
			}
			seen.Verified = verified && seen.Glass.By != ""
			if seen.LastWrite, err = r.writeUnderWay(ctx, d.obj, seen); err != nil {
				return err
			}
		}
	}
	if seen.Glass.Open() {
		status.Approved = nil // an approval does not outlive the incident: what is there now, somebody has to see first
	}
	d.told = append(d.told, breakglass.Advance(status, seen)...)
	return nil
}

// writeUnderWay names the write that may have been under way when the glass was broken: one of this process that ended in
// the second in which the annotation was stored, or later. The API server dates fields to the second.
func (r *Reconciler[T, L]) writeUnderWay(ctx context.Context, obj T, seen breakglass.Seen) (string, error) {
	if r.writes.since(obj.GetUID(), seen.Now.Add(-justNow)) == "" {
		return "", nil
	}
	annotated := client.Object(obj.DeepCopyObject().(T))
	key := client.ObjectKeyFromObject(obj)
	if seen.Glass.Scope == v1alpha1.BreakGlassOnNamespace {
		annotated, key = &corev1.Namespace{}, client.ObjectKey{Name: obj.GetNamespace()}
	}
	if err := r.uncached.Get(ctx, key, annotated); err != nil {
		return "", fmt.Errorf("finding out when the glass was broken: %w", err)
	}
	return r.writes.since(obj.GetUID(), annotatedAt(annotated, v1alpha1.BreakGlassAnnotation).Add(-clockSkew)), nil
}

// clockSkew is by how much the clocks of the API server and of this process may differ, for naming a write too much rather
// than one too few.
const clockSkew = 2 * time.Second

// justNow is how long a write is remembered at least: longer than it takes to see an annotation.
const justNow = time.Minute

// guarded reads whether the admission policies are in force that vouch for names.
func (r *Reconciler[T, L]) guarded(ctx context.Context) (bool, error) {
	var binding metav1.PartialObjectMetadata
	binding.SetGroupVersionKind(schema.GroupVersionKind{
		Group: "admissionregistration.k8s.io", Version: "v1", Kind: "ValidatingAdmissionPolicyBinding",
	})
	err := r.uncached.Get(ctx, client.ObjectKey{Name: guardBinding}, &binding)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("finding out whether the admission policies are installed: %w", err)
	}
	return err == nil, nil
}

// tellGlass tells what happened to the glass once that is stored: events, the audit log, the gauges.
func (r *Reconciler[T, L]) tellGlass(ctx context.Context, d *draft[T]) {
	name := r.kind.Traits().Name
	for _, event := range d.told {
		r.events.Eventf(d.obj, nil, corev1.EventTypeWarning, event.Reason, "BreakGlass", "%s", event.Message)
		log.FromContext(ctx).WithName("audit").Info(event.Message, "event", event.Reason)
	}
	d.told = nil
	if open := d.obj.GetCommonStatus().BreakGlass; open != nil {
		metrics.Glasses.Open(name, d.obj.GetNamespace(), d.obj.GetName(), open.Since.Time)
	} else {
		metrics.Glasses.Close(name, d.obj.GetNamespace(), d.obj.GetName())
	}
}

// writeLog remembers the last write of each object, in this process.
type writeLog struct {
	mu   sync.Mutex
	last map[types.UID]writeMark
}

// writeMark is a write that passed the gate.
type writeMark struct {
	name  string
	began time.Time
	ended time.Time
	// unknown says that no answer came: Google may still be carrying it out.
	unknown bool
}

func newWriteLog() *writeLog { return &writeLog{last: map[types.UID]writeMark{}} }

// note remembers a write, and forgets those that are long over.
func (w *writeLog) note(uid types.UID, mark writeMark) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other, m := range w.last {
		if mark.ended.Sub(m.ended) > 2*justNow {
			delete(w.last, other)
		}
	}
	w.last[uid] = mark
}

// since describes the object's last write if it ended after a time; empty if none did.
func (w *writeLog) since(uid types.UID, t time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, there := w.last[uid]
	if !there || m.ended.Before(t) {
		return ""
	}
	answer := "answered " + m.ended.UTC().Format(time.RFC3339)
	if m.unknown {
		answer = "not answered by " + m.ended.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("%s: passed the gate %s, %s", m.name, m.began.UTC().Format(time.RFC3339), answer)
}

// inFlight says until when a write without an answer may still be carried out by Google; zero for none.
func (w *writeLog) inFlight(uid types.UID, now time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, there := w.last[uid]
	if over := m.ended.Add(unanswered); there && m.unknown && now.Before(over) {
		return over
	}
	return time.Time{}
}

// unanswered is how long after its time-out Google may still carry out a call that it received.
const unanswered = 30 * time.Second
