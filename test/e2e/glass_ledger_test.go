package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	typed "github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// as returns a client that acts as somebody.
func (w *world) as(user string) client.Client {
	w.t.Helper()
	w.peopleLock.Lock()
	defer w.peopleLock.Unlock()
	if w.people[user] == nil {
		kube, err := installed.NewClient(w.config, user, client.Options{Scheme: scheme, Mapper: w.kube.RESTMapper()})
		w.must(err)
		w.people[user] = kube
	}
	return w.people[user]
}

// annotations are what `kubectl annotate` is given: nil removes.
type annotations map[string]any

// write annotates an object as `kubectl annotate` does.
func (a annotations) write(ctx context.Context, kube client.Client, obj client.Object) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": a}})
	if err != nil {
		return err
	}
	changed := obj.DeepCopyObject().(client.Object)
	return kube.Patch(ctx, changed, client.RawPatch(types.MergePatchType, patch), client.FieldOwner("kubectl-annotate"))
}

// annotates makes somebody annotate an object, who must be let.
func (w *world) annotates(user string, obj client.Object, a annotations) {
	w.t.Helper()
	if err := a.write(w.t.Context(), w.as(user), obj); err != nil {
		w.t.Fatalf("%s annotates %s: %v", user, obj.GetName(), err)
	}
}

// breakGlass makes Ada break the glass.
func (w *world) breakGlass(obj client.Object) {
	w.t.Helper()
	w.annotates(installed.Ada, obj, annotations{v1alpha1.BreakGlassAnnotation: incident})
}

// closeGlass makes Ada close it.
func (w *world) closeGlass(obj client.Object) {
	w.t.Helper()
	w.annotates(installed.Ada, obj, annotations{v1alpha1.BreakGlassAnnotation: nil})
}

// approveDeletion approves the deletion of an object if it waits for that, because the object was deleted while the glass was broken.
func (w *world) approveDeletion(obj v1alpha1.Object) {
	w.t.Helper()
	if w.read(obj) != nil || obj.GetDeletionTimestamp().IsZero() {
		return
	}
	c, plan := condition(obj, v1alpha1.ConditionReady), obj.GetCommonStatus().Plan
	if c != nil && c.Reason == v1alpha1.ReasonAwaitingApproval && plan != nil && obj.GetAnnotations()[v1alpha1.ApproveAnnotation] != plan.Hash {
		approve(w, obj)
	}
}

// goneOnceApproved waits until an object is gone, whose deletion may have to be approved.
func (w *world) goneOnceApproved(obj v1alpha1.Object) {
	w.t.Helper()
	w.eventually(obj.GetName()+" to be gone", func() (bool, string) {
		w.approveDeletion(obj)
		return apierrors.IsNotFound(w.read(obj)), describe(obj)
	})
}

// space is the world's Namespace.
func (w *world) space() *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
}

// glass waits until the condition BreakGlass of an object has a status.
func (w *world) glass(obj v1alpha1.Object, status metav1.ConditionStatus) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("BreakGlass of %s to be %s", obj.GetName(), status), func() (bool, string) {
		w.get(obj)
		c := condition(obj, v1alpha1.ConditionBreakGlass)
		return c != nil && c.Status == status, describe(obj)
	})
}

// ledger knows when each glass was broken for certain, and holds the calls that arrived at Google Cloud against that.
type ledger struct {
	*world
	mu     sync.Mutex
	broken []*broken
}

// broken is a time in which a glass was broken for certain.
type broken struct {
	holder string
	// stored is when the API server had answered that it is, closing when somebody set out to close it.
	stored, closing time.Time
}

// newLedger makes a ledger of a world whose controllers do not run yet.
func newLedger(w *world) *ledger {
	w.turnstile = &turnstile{}
	return &ledger{world: w}
}

// holder names what a glass is on.
func holder(obj client.Object) string {
	if _, is := obj.(*corev1.Namespace); is {
		return "namespace"
	}
	return resourceOf(obj)
}

// resourceOf is how the path of a request ends that is about an object, such as topics/orders.
func resourceOf(obj client.Object) string {
	gvk, err := apiutil.GVKForObject(obj, scheme)
	if err != nil {
		panic(err)
	}
	return registered(gvk.Kind).Plural + "/" + obj.GetName()
}

// breaks makes Ada break a glass, or keep it broken: until a time, or without end if that is zero.
func (l *ledger) breaks(obj client.Object, until time.Time) error {
	a := annotations{v1alpha1.BreakGlassAnnotation: incident, v1alpha1.BreakGlassUntilAnnotation: nil}
	if !until.IsZero() {
		a[v1alpha1.BreakGlassUntilAnnotation] = until.UTC().Format(time.RFC3339)
		l.ends(obj, until)
	}
	err := a.write(l.t.Context(), l.as(installed.Ada), obj)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.broken = append(l.broken, &broken{holder: holder(obj), stored: time.Now(), closing: until})
	}
	return err
}

// closes makes Ada close a glass.
func (l *ledger) closes(obj client.Object) error {
	l.ends(obj, time.Now())
	return annotations{v1alpha1.BreakGlassAnnotation: nil}.write(l.t.Context(), l.as(installed.Ada), obj)
}

// ends says that a glass is not broken for certain any more from a time on.
func (l *ledger) ends(obj client.Object, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.broken {
		if b.holder == holder(obj) && (b.closing.IsZero() || b.closing.After(at)) {
			b.closing = at
		}
	}
}

// covers says whether a read began and ended while a glass was broken for certain.
func (b *broken) covers(read request) bool {
	return read.began.After(b.stored) && (b.closing.IsZero() || read.ended.Before(b.closing))
}

// check holds the writes about an object's resource since a mark against the promises: none whose gate read came after the
// glass was broken, and none while the status says BreakGlass=True.
func (l *ledger) check(mark int64, obj v1alpha1.Object) {
	l.t.Helper()
	resource := resourceOf(obj)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, write := range l.writesAbout(mark, obj) {
		gate, passed := l.turnstile.gateBefore(resource, write.Time)
		if !passed {
			l.t.Errorf("%s went round the gate", write.Method)
			continue
		}
		if status, is := l.turnstile.statusBefore(resource, write.Time); is && status.acknowledges {
			l.t.Errorf("%s went out at %s while the status says BreakGlass=True, stored at %s", write.Method, clock(write.Time), clock(status.began))
		}
		for _, b := range l.broken {
			if b.holder != resource && b.holder != "namespace" {
				continue
			}
			if b.covers(gate.object) && b.holder == resource || b.covers(gate.namespace) && b.holder == "namespace" {
				l.t.Errorf("%s went out at %s though its gate read at %s came after the glass of the %s was broken at %s",
					write.Method, clock(write.Time), clock(gate.object.began), b.holder, clock(b.stored))
			}
		}
	}
}

func clock(t time.Time) string { return t.Format("05.000000") }

// writesAbout are the writes about an object's resource that arrived since a mark. Some calls do not say in their path which it is, but
// with another name than the object's, or not at all: they are about any.
func (w *world) writesAbout(mark int64, obj client.Object) []traffic.Entry {
	var out []traffic.Entry
	for _, e := range w.cloud.Traffic.WritesSince(mark) {
		aboutAny := e.Method == buckets.creating || e.Service == string(typed.ServiceIAM) || e.Service == string(typed.ServiceResourceManager)
		if e.Resource == obj.GetName() || aboutAny {
			out = append(out, e)
		}
	}
	return out
}
