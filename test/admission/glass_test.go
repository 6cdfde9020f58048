package admission

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	glassKey    = v1alpha1.BreakGlassAnnotation
	byKey       = v1alpha1.BreakGlassByAnnotation
	untilKey    = v1alpha1.BreakGlassUntilAnnotation
	closedByKey = v1alpha1.BreakGlassClosedByAnnotation
	approveKey  = v1alpha1.ApproveAnnotation
	approveBy   = v1alpha1.ApproveByAnnotation
	reason      = "INC-4711: partner needs access"
)

// deed is something that a person does to the annotations: keys to set, and to remove where the value is nil.
type deed struct {
	// before is what is there when the person comes; ada did it.
	before map[string]string
	// by hand is what the person writes where nothing stamps names; nil for the same as stamped.
	set    map[string]any
	byHand map[string]any
	// after is what is there if it is let through.
	after map[string]string
	// refusal is what everybody is told, also those with the verb; empty if they are let through.
	refusal string
	// objectOnly says that it makes no sense on a Namespace.
	objectOnly bool
}

var (
	broken = map[string]string{glassKey: reason, byKey: ada}
	later  = time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
)

var deeds = map[string]deed{
	"open": {
		set: map[string]any{glassKey: reason}, byHand: map[string]any{glassKey: reason, byKey: ada},
		after: broken,
	},
	"open until": {
		set: map[string]any{glassKey: reason, untilKey: later}, byHand: map[string]any{glassKey: reason, untilKey: later, byKey: ada},
		after: map[string]string{glassKey: reason, untilKey: later, byKey: ada},
	},
	"change the reason": {
		before: broken, set: map[string]any{glassKey: "INC-4712: another partner"},
		after: map[string]string{glassKey: "INC-4712: another partner", byKey: ada},
	},
	"extend": {
		before: broken, set: map[string]any{untilKey: later},
		after: map[string]string{glassKey: reason, untilKey: later, byKey: ada},
	},
	"close": {
		before: broken, set: map[string]any{glassKey: nil}, byHand: map[string]any{glassKey: nil, byKey: nil, closedByKey: ada},
		after: map[string]string{closedByKey: ada},
	},
	"forge by": {
		set: map[string]any{glassKey: reason, byKey: "eve"}, refusal: "holdfast.dev/break-glass-by says who broke the glass and must be your own name",
	},
	"change by": {
		before: broken, set: map[string]any{byKey: "eve"}, refusal: "holdfast.dev/break-glass-by cannot be changed or removed on its own",
	},
	"remove by": {
		before: broken, set: map[string]any{byKey: nil}, refusal: "holdfast.dev/break-glass-by cannot be changed or removed on its own",
	},
	"forge closed-by": {
		before: broken, set: map[string]any{glassKey: nil, closedByKey: "eve"}, refusal: "holdfast.dev/break-glass-closed-by says who closed the glass and must be your own name",
	},
	"closed-by out of nothing": {
		set: map[string]any{closedByKey: ada}, refusal: "holdfast.dev/break-glass-closed-by can be set only when the glass is closed",
	},
	"a reason too short": {
		set: map[string]any{glassKey: "because", byKey: ada}, refusal: "needs a reason of at least ten characters",
	},
	"an empty reason": {
		set: map[string]any{glassKey: "", byKey: ada}, refusal: "needs a reason of at least ten characters",
	},
	"a time that is none": {
		set: map[string]any{glassKey: reason, byKey: ada, untilKey: "tomorrow"}, refusal: "must be a time in RFC 3339",
	},
	"approve": {
		set: map[string]any{approveKey: "0123456789abcdef"}, byHand: map[string]any{approveKey: "0123456789abcdef", approveBy: ada},
		after: map[string]string{approveKey: "0123456789abcdef", approveBy: ada}, objectOnly: true,
	},
	"forge approve-by": {
		set: map[string]any{approveKey: "0123456789abcdef", approveBy: "eve"}, refusal: "holdfast.dev/approve-by says who approved and must be your own name", objectOnly: true,
	},
}

// styles are the ways in which annotations are written.
var styles = map[string]func(kube client.Client, obj *unstructured.Unstructured, set map[string]any) error{
	"merge patch": func(kube client.Client, obj *unstructured.Unstructured, set map[string]any) error {
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": set}})
		if err != nil {
			return err
		}
		return kube.Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch))
	},
	"update": func(kube client.Client, obj *unstructured.Unstructured, set map[string]any) error {
		obj.SetAnnotations(edited(obj.GetAnnotations(), set))
		return kube.Update(ctx, obj)
	},
	"client-side apply": func(kube client.Client, obj *unstructured.Unstructured, set map[string]any) error {
		withRecord := maps.Clone(set)
		withRecord["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
		patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": withRecord}})
		if err != nil {
			return err
		}
		return kube.Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch), client.FieldOwner("kubectl-client-side-apply"))
	},
	"server-side apply": func(kube client.Client, obj *unstructured.Unstructured, set map[string]any) error {
		applied := &unstructured.Unstructured{}
		applied.SetGroupVersionKind(obj.GroupVersionKind())
		applied.SetName(obj.GetName())
		applied.SetNamespace(obj.GetNamespace())
		applied.SetLabels(map[string]string{"team": "shop"})
		applied.SetAnnotations(edited(obj.GetAnnotations(), set))
		return kube.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner("owner"), client.ForceOwnership)
	},
}

func edited(annotations map[string]string, set map[string]any) map[string]string {
	out := maps.Clone(annotations)
	if out == nil {
		out = map[string]string{}
	}
	for key, value := range set {
		if text, ok := value.(string); ok {
			out[key] = text
		} else {
			delete(out, key)
		}
	}
	return out
}

func TestGlassWithoutStamps(t *testing.T) {
	removeStamps(t)
	eachDeed(t, false)
}

func TestGlassWithStamps(t *testing.T) {
	needStamps(t)
	eachDeed(t, true)
}

func eachDeed(t *testing.T, stamped bool) {
	for name, d := range deeds {
		for style, write := range styles {
			for _, scope := range []string{"object", "namespace"} {
				if scope == "namespace" && d.objectOnly {
					continue
				}
				for _, user := range []string{ada, bob, gitops} {
					t.Run(strings.Join([]string{name, style, scope, user}, "/"), func(t *testing.T) {
						t.Parallel()
						tryDeed(t, d, write, scope, user, stamped)
					})
				}
			}
		}
	}
}

func tryDeed(t *testing.T, d deed, write func(client.Client, *unstructured.Unstructured, map[string]any) error, scope, user string, stamped bool) {
	obj := prepared(t, scope, d.before)
	set := d.set
	if !stamped && d.byHand != nil {
		set = d.byHand
	}
	err := write(asUser(t, user), obj, set)
	switch {
	case user == gitops:
		expectRefusal(t, err, "service account "+gitops+" may not change holdfast.dev/")
	case user == bob:
		expectRefusal(t, err, "bob may not ")
	case d.refusal != "":
		expectRefusal(t, err, d.refusal)
	case err != nil:
		t.Errorf("refused: %v", err)
	default:
		expectAnnotations(t, obj, d.after)
	}
}

var objects atomic.Int64

// prepared makes an object, or a Namespace, with annotations that ada wrote.
func prepared(t *testing.T, scope string, annotations map[string]string) *unstructured.Unstructured {
	t.Helper()
	if scope == "object" {
		return preparedKind(t, v1alpha1.GroupVersion.WithKind("Topic"), annotations)
	}
	return preparedKind(t, corev1.SchemeGroupVersion.WithKind("Namespace"), annotations)
}

func preparedKind(t *testing.T, kind schema.GroupVersionKind, annotations map[string]string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(kind)
	if kind.Group == v1alpha1.GroupVersion.Group {
		obj.SetNamespace(metav1.NamespaceDefault)
	}
	obj.SetName(fmt.Sprintf("thing-%d", objects.Add(1)))
	obj.SetLabels(map[string]string{"team": "shop"})
	obj.SetAnnotations(maps.Clone(annotations))
	person := asUser(t, ada)
	if err := person.Apply(ctx, client.ApplyConfigurationFromUnstructured(obj), client.FieldOwner("owner")); err != nil {
		t.Fatalf("preparing: %v", err)
	}
	if err := person.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
		t.Fatalf("preparing: %v", err)
	}
	return obj
}

func asUser(t *testing.T, user string) client.Client {
	t.Helper()
	kube, err := as(user)
	if err != nil {
		t.Fatal(err)
	}
	return kube
}

func expectRefusal(t *testing.T, err error, sentence string) {
	t.Helper()
	if err == nil {
		t.Errorf("let through; want a refusal with %q", sentence)
	} else if !strings.Contains(err.Error(), sentence) {
		t.Errorf("refused with\n  %v\nwant\n  %s", err, sentence)
	}
}

// expectAnnotations holds the stored annotations of ours against what they should be.
func expectAnnotations(t *testing.T, obj *unstructured.Unstructured, want map[string]string) {
	t.Helper()
	stored := obj.DeepCopy()
	if err := asUser(t, ada).Get(ctx, client.ObjectKeyFromObject(obj), stored); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for key, value := range stored.GetAnnotations() {
		if strings.HasPrefix(key, "holdfast.dev/") {
			got[key] = value
		}
	}
	if !maps.Equal(want, got) {
		t.Errorf("annotations are %v, want %v", got, want)
	}
}
