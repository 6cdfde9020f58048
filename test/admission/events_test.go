package admission

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// TestTheOperatorForgesNoEvents: it writes its own, about our kinds, with the rights that config/rbac gives it.
func TestTheOperatorForgesNoEvents(t *testing.T) {
	if err := installed.Manager(asUser(t, "")); err != nil {
		t.Fatal(err)
	}
	const refusal = "may write only its own events, about Holdfast's kinds"
	event := func(controller, apiVersion, kind string) *eventsv1.Event {
		return &eventsv1.Event{
			ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: fmt.Sprintf("event-%d", objects.Add(1))},
			EventTime:  metav1.NowMicro(), ReportingController: controller, ReportingInstance: "x", Type: corev1.EventTypeWarning, Reason: "Updated", Action: "Update",
			Regarding: corev1.ObjectReference{APIVersion: apiVersion, Kind: kind, Namespace: metav1.NamespaceDefault, Name: "x"},
		}
	}
	series := []byte(`{"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}}`)
	own := event("holdfast", v1alpha1.GroupVersion.String(), "Topic")
	if err := poll(func() (bool, error) { return asUser(t, operator).Create(ctx, own.DeepCopy()) == nil, nil }); err != nil {
		t.Fatal("it may not write its own")
	}
	for name, forged := range map[string]*eventsv1.Event{
		"another's":          event("kubelet", v1alpha1.GroupVersion.String(), "Topic"),
		"about a Pod":        event("holdfast", "v1", "Pod"),
		"about nothing":      event("holdfast", "", ""),
		"about what is like": event("holdfast", "gcp.holdfast.dev.example.com/v1", "Topic"),
	} {
		if err := asUser(t, operator).Create(ctx, forged.DeepCopy()); err == nil {
			t.Errorf("%s: let through", name)
		} else {
			expectRefusal(t, err, refusal)
		}
		if err := asUser(t, "").Create(ctx, forged); err != nil {
			t.Fatal(err)
		}
		expectRefusal(t, asUser(t, operator).Patch(ctx, forged, client.RawPatch(types.MergePatchType, series)), refusal)
	}
	if err := asUser(t, operator).Patch(ctx, own, client.RawPatch(types.MergePatchType, series)); err != nil {
		t.Errorf("its own again: %v", err)
	}
}
