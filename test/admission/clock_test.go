package admission

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// entry is one of managedFields, as a client may write it.
func entry(manager, operation, when, fields string) metav1.ManagedFieldsEntry {
	at, err := time.Parse(time.RFC3339, when)
	if err != nil {
		panic(err)
	}
	return metav1.ManagedFieldsEntry{
		Manager: manager, Operation: metav1.ManagedFieldsOperationType(operation), APIVersion: v1alpha1.GroupVersion.String(), FieldsType: "FieldsV1",
		Time: &metav1.Time{Time: at}, FieldsV1: metav1.NewFieldsV1(fields),
	}
}

const (
	farAhead = "2098-12-31T00:00:00Z"
	aLabel   = `{"f:metadata": {"f:labels": {"f:team": {}}}}`
	theGlass = `{"f:metadata": {"f:annotations": {"f:holdfast.dev/break-glass": {}, "f:holdfast.dev/break-glass-until": {}, "f:holdfast.dev/break-glass-closed-by": {}}}}`
)

// forgeries are managedFields that somebody writes to turn the guard's clock.
var forgeries = map[string]func(was []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry{
	"one entry that has a label": func(was []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
		return append(was, entry("clockmaker", "Update", farAhead, aLabel))
	},
	"one that was applied": func(was []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
		return append(was, entry("clockmaker", "Apply", farAhead, aLabel))
	},
	"one that has the glass": func(was []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
		return append(was, entry("clockmaker", "Update", farAhead, theGlass))
	},
	"one that applied the glass": func(was []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
		return append(was, entry("clockmaker", "Apply", farAhead, theGlass))
	},
	"that of those who annotate": func(was []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
		return append(was, entry("admission.test", "Update", farAhead, theGlass))
	},
	"that of old entries": func(was []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
		return append(was, entry("ancient-changes", "Update", farAhead, theGlass))
	},
	"so many that the true one is merged with them": func([]metav1.ManagedFieldsEntry) (forged []metav1.ManagedFieldsEntry) {
		for i := range 10 {
			forged = append(forged, entry(fmt.Sprint("clockmaker-", i), "Update", farAhead, aLabel))
		}
		return forged
	},
	"so many, old entries among them": func([]metav1.ManagedFieldsEntry) (forged []metav1.ManagedFieldsEntry) {
		for i := range 9 {
			forged = append(forged, entry(fmt.Sprint("clockmaker-", i), "Update", farAhead, theGlass))
		}
		return append(forged, entry("ancient-changes", "Update", farAhead, theGlass))
	},
	"none at all": func([]metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry { return []metav1.ManagedFieldsEntry{{}} },
}

// setParameters sets annotations of kube-system for the rest of the test, which must not run beside others.
func setParameters(t *testing.T, patch string) {
	t.Helper()
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem}}
	if err := annotate(t, "", system.DeepCopy(), patch); err != nil {
		t.Fatalf("setting parameters: %v", err)
	}
}

// limited sets how long a glass may be broken for the rest of the test, which must not run beside others.
func limited(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { setParameters(t, `{"holdfast.dev/break-glass-max": null}`) })
	setParameters(t, `{"holdfast.dev/break-glass-max": "72h"}`)
	eventuallyRefused(t, `{"holdfast.dev/break-glass": "INC-1: a good reason", "holdfast.dev/break-glass-until": "2099-01-02T00:00:00Z", "holdfast.dev/break-glass-by": "ada"}`)
}

// byApply sets annotations by server-side apply.
func byApply(t *testing.T, user string, obj client.Object, set map[string]string) error {
	t.Helper()
	applied := manifestOf(obj)
	applied.SetAnnotations(set)
	return asUser(t, user).Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner("incident"), client.ForceOwnership)
}

// manifestOf is an apply configuration of an object that says nothing.
func manifestOf(obj client.Object) *unstructured.Unstructured {
	applied := &unstructured.Unstructured{}
	gvks, _, err := scheme.ObjectKinds(obj)
	if err != nil {
		panic(err)
	}
	applied.SetGroupVersionKind(gvks[0])
	applied.SetNamespace(obj.GetNamespace())
	applied.SetName(obj.GetName())
	return applied
}

// TestNoEditorTurnsTheClock: however an editor writes managedFields, those who may break the glass can, and not for longer than the limit.
func TestNoEditorTurnsTheClock(t *testing.T) {
	installStamps(t)
	grant(t, "hal", "holdfast-break-glass") // and nothing else
	limited(t)
	for name, forge := range forgeries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			topic := topicIn(t, nil, nil)
			topic.Labels = map[string]string{"team": "shop"}
			if err := asUser(t, bob).Update(ctx, topic); err != nil {
				t.Fatal(err)
			}
			topic.ManagedFields = forge(topic.ManagedFields)
			if err := asUser(t, bob).Update(ctx, topic); err != nil {
				t.Fatalf("forging: %v", err)
			}
			forever := map[string]string{glassKey: reason, untilKey: "2099-01-02T00:00:00Z"}
			const tooLong, unknown = "may be at most 72h ahead", "what time it is cannot be known"
			if err := annotate(t, ada, topic.DeepCopy(), `{"holdfast.dev/break-glass": "`+reason+`", "holdfast.dev/break-glass-until": "2099-01-02T00:00:00Z"}`); err == nil {
				t.Error("broken for 72 years")
			}
			expectRefusal(t, byApply(t, ada, topic.DeepCopy(), forever), tooLong)
			tomorrow := map[string]string{glassKey: reason, untilKey: in(24 * time.Hour)}
			err := annotate(t, "hal", topic.DeepCopy(), `{"holdfast.dev/break-glass": "`+reason+`", "holdfast.dev/break-glass-until": "`+tomorrow[untilKey]+`"}`)
			switch name {
			case "none at all", "so many that the true one is merged with them":
				expectRefusal(t, err, unknown)
				if err := byApply(t, "hal", topic.DeepCopy(), tomorrow); err != nil {
					t.Errorf("not even as the refusal says: %v", err)
				}
			default:
				if err != nil {
					t.Errorf("refused: %v", err)
				}
			}
		})
	}
}

// TestNobodyTurnsTheClockForHerself: neither in the request that breaks the glass, nor in one that creates the object.
func TestNobodyTurnsTheClockForHerself(t *testing.T) {
	installStamps(t)
	limited(t)
	for name, forge := range forgeries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			topic := topicIn(t, nil, nil)
			topic.Labels = map[string]string{"team": "shop"}
			topic.Annotations = map[string]string{glassKey: reason, untilKey: "2099-01-02T00:00:00Z"}
			topic.ManagedFields = forge(topic.ManagedFields)
			expectRefusal(t, asUser(t, ada).Update(ctx, topic), "holdfast.dev/break-glass-until ")
			created := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{
				Namespace: topic.Namespace, Name: "created", Labels: topic.Labels, Annotations: topic.Annotations, ManagedFields: forge(nil),
				CreationTimestamp: metav1.Date(2098, 12, 31, 0, 0, 0, 0, time.UTC),
			}}
			expectRefusal(t, asUser(t, ada).Create(ctx, created.DeepCopy()), "may be at most 72h ahead")
			created.Annotations = map[string]string{glassKey: reason, untilKey: in(24 * time.Hour)}
			if err := asUser(t, ada).Create(ctx, created); err != nil {
				t.Errorf("until tomorrow: %v", err)
			}
		})
	}
}

// TestTheOperatorClosesNoGlassByAForgedClock: not even together with an editor.
func TestTheOperatorClosesNoGlassByAForgedClock(t *testing.T) {
	installStamps(t)
	clearing := `{"holdfast.dev/break-glass": null, "holdfast.dev/break-glass-by": null, "holdfast.dev/break-glass-until": null, "holdfast.dev/break-glass-closed-by": "expired"}`
	for name, forge := range forgeries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			topic := topicIn(t, map[string]string{glassKey: reason, byKey: ada, untilKey: in(time.Hour)}, nil)
			topic.ManagedFields = forge(topic.ManagedFields)
			if err := asUser(t, bob).Update(ctx, topic); err != nil {
				t.Fatalf("forging: %v", err)
			}
			expectRefusal(t, annotate(t, operator, topic, clearing), "only a person may")
		})
	}
}

// TestTwoChangesInASecond: the second is dated like the first, and is not refused for that.
func TestTwoChangesInASecond(t *testing.T) {
	installStamps(t)
	limited(t)
	topic := topicIn(t, nil, nil)
	for i := range 5 {
		patch := fmt.Sprintf(`{"holdfast.dev/break-glass": "%s, %d", "holdfast.dev/break-glass-until": "%s"}`, reason, i, in(time.Duration(i+1)*time.Hour))
		if err := annotate(t, ada, topic.DeepCopy(), patch); err != nil {
			t.Error(err)
		}
	}
}
