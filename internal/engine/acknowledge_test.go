package engine

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/queue"
)

// TestWhatComesNextAfterALook: only who waits for the end of a write to acknowledge a glass goes before everybody else.
func TestWhatComesNextAfterALook(t *testing.T) {
	soon := time.Now().Add(time.Second)
	broken := &v1alpha1.BreakGlass{Scope: v1alpha1.BreakGlassOnObject}
	for name, tc := range map[string]struct {
		out   outcome
		glass *v1alpha1.BreakGlass
		want  *int
	}{
		"all is well":                    {outcome{}, nil, new(handler.LowPriority)},
		"something is to be tried again": {outcome{after: time.Second}, nil, nil},
		"acknowledged":                   {outcome{}, broken, new(0)},
		"acknowledged, and limited":      {outcome{after: time.Second}, broken, new(0)},
		"a write is in flight":           {outcome{inFlight: flight{until: soon}}, broken, new(queue.Urgent)},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := testReconciler(t)
			topic := shopTopic()
			topic.Status.BreakGlass = tc.glass
			p, err := r.newPass(t.Context(), topic)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.next(tc.out, p)
			if err != nil || (got.Priority == nil) != (tc.want == nil) || tc.want != nil && *got.Priority != *tc.want {
				t.Errorf("%+v, error %v", got, err)
			}
			if !tc.out.inFlight.until.IsZero() && got.RequeueAfter > 2*time.Second {
				t.Errorf("it comes after %s", got.RequeueAfter)
			}
		})
	}
}

// TestWhoIsAskedToAcknowledge: not those whose glass was acknowledged before, be it that the process has just begun.
func TestWhoIsAskedToAcknowledge(t *testing.T) {
	told, untold, inFlight := shopTopic(), shopTopic(), shopTopic()
	for _, obj := range []*v1alpha1.Topic{told, inFlight} {
		obj.Status.BreakGlass = &v1alpha1.BreakGlass{Scope: v1alpha1.BreakGlassOnNamespace}
	}
	meta.SetStatusCondition(&told.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionBreakGlass, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonOpen})
	meta.SetStatusCondition(&inFlight.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionBreakGlass, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonWriteInFlight})
	told.Name, untold.Name, inFlight.Name = "told", "untold", "in-flight"
	r, _ := testReconciler(t, told, untold, inFlight)
	got := map[string]bool{}
	for _, request := range unacknowledgedIn(r.source(), r.kind)(t.Context(), shopNamespace(nil)) {
		got[request.Name] = true
	}
	if len(got) != 2 || !got["untold"] || !got["in-flight"] {
		t.Errorf("asked are %v", got)
	}
	if asked := unacknowledged(t.Context(), told); len(asked) > 0 {
		t.Errorf("asked is %v", asked)
	}
}

// TestAGlassIsNotAcknowledgedBeforeTheOtherShardsWriteIsOver: its process may have been inside a write when the Namespace moved, and the one
// that takes over, however long it has run, cannot know.
func TestAGlassIsNotAcknowledgedBeforeTheOtherShardsWriteIsOver(t *testing.T) {
	r, _ := testReconciler(t, shopTopic())
	now := time.Now()
	r.now = func() time.Time { return now }
	r.tenants.now = r.now
	r.writes = newWriteLog(defaultUnanswered, false)
	step(t, r, v1alpha1.ReasonUpToDate)
	now = now.Add(time.Hour)
	moveShop(t, r)
	moved := now
	edit(t, r, breakGlass)
	acknowledgement := func() *metav1.Condition {
		t.Helper()
		topic, err := reconcileOnce(t, r)
		if err != nil {
			t.Fatal(err)
		}
		if last := topic.Status.BreakGlass.LastWrite; !strings.Contains(last, "another shard") {
			t.Errorf("the last write is %q", last)
		}
		return meta.FindStatusCondition(topic.Status.Conditions, v1alpha1.ConditionBreakGlass)
	}
	for _, after := range []time.Duration{time.Second, time.Minute + defaultUnanswered - time.Second} {
		now = moved.Add(after)
		if is := acknowledgement(); is.Status != metav1.ConditionUnknown || is.Reason != v1alpha1.ReasonWriteInFlight {
			t.Errorf("%s after the move: %+v", after, is)
		}
	}
	now = moved.Add(time.Minute + defaultUnanswered)
	if is := acknowledgement(); is.Status != metav1.ConditionTrue {
		t.Errorf("when the write is over: %+v", is)
	}
}

// TestNoDefinitionOfRecordsStopsNothing: where there is none, be it before an upgrade of the CustomResourceDefinitions or during the end of them,
// resources are created, a glass is closed and a manifest goes.
func TestNoDefinitionOfRecordsStopsNothing(t *testing.T) {
	r, topics := testReconciler(t, shopTopic())
	unknown := &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: v1alpha1.GroupVersion.Group, Kind: "BreakGlassRecord"}}
	r.uncached = interceptor.NewClient(r.client.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if _, is := obj.(*v1alpha1.BreakGlassRecord); is {
				return unknown
			}
			return c.Get(ctx, key, obj, opts...)
		},
	})
	step(t, r, v1alpha1.ReasonUpToDate)
	if len(topics.live) != 1 {
		t.Errorf("live are %v", topics.live)
	}
	edit(t, r, breakGlass)
	step(t, r, v1alpha1.ReasonUpToDate)
	edit(t, r, closeGlass)
	if closed := step(t, r, v1alpha1.ReasonUpToDate); closed.Status.BreakGlass != nil || len(closed.Status.BreakGlassHistory) != 1 {
		t.Errorf("open is %+v, behind it %+v", closed.Status.BreakGlass, closed.Status.BreakGlassHistory)
	}
	if err := r.client.Delete(t.Context(), shopTopic()); err != nil {
		t.Fatal(err)
	}
	if stored, err := reconcileOnce(t, r); stored != nil || err != nil {
		t.Errorf("there is %v, error %v", stored, err)
	}
}
