package admission

import (
	"encoding/json"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// many are annotations, labels or whatever, more than anybody needs.
func many(n int) map[string]string {
	out := make(map[string]string, n)
	for i := range n {
		out[fmt.Sprintf("a%x", i)] = ""
	}
	return out
}

// crowded was there before the policies, with more annotations than they allow.
var crowded = &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{
	Namespace: metav1.NamespaceDefault, Name: "crowded", Annotations: many(3000), Finalizers: []string{v1alpha1.Finalizer},
}}

// TestNoEditorCrowdsOutEverybodyElse: metadata that the policies would go through for too long is refused, on every way to it.
func TestNoEditorCrowdsOutEverybodyElse(t *testing.T) {
	namespace := tenant(t)
	entries := func(n int, fields string) (all []metav1.ManagedFieldsEntry) {
		for i := range n {
			all = append(all, entry(fmt.Sprint("tool-", i), "Apply", "2026-01-01T00:00:00Z", fields))
		}
		return all
	}
	owned := map[string]any{}
	for key := range many(1000) {
		owned["f:"+key] = map[string]any{}
	}
	owns := func(path ...string) string {
		var fields any = owned
		for i := range path {
			fields = map[string]any{path[len(path)-1-i]: fields}
		}
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	finalizers := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("example.com/f%d", i))
		}
		return all
	}
	owners := func(n int) (all []metav1.OwnerReference) {
		for i := range n {
			all = append(all, metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: fmt.Sprint("c", i), UID: types.UID(fmt.Sprint(i))})
		}
		return all
	}
	tries := map[string]struct {
		change  func(*metav1.ObjectMeta)
		refusal string
	}{
		"40,000 annotations":            {func(m *metav1.ObjectMeta) { m.Annotations = many(40_000) }, "metadata.annotations: 40000 are too many"},
		"one annotation too many":       {func(m *metav1.ObjectMeta) { m.Annotations = many(257) }, "metadata.annotations: 257 are too many"},
		"as many annotations as may be": {func(m *metav1.ObjectMeta) { m.Annotations = many(256) }, ""},
		"one label too many":            {func(m *metav1.ObjectMeta) { m.Labels = many(257) }, "metadata.labels: 257 are too many"},
		"as many finalizers as may be":  {func(m *metav1.ObjectMeta) { m.Finalizers = append(finalizers(32), v1alpha1.Finalizer) }, ""},
		"one finalizer too many":        {func(m *metav1.ObjectMeta) { m.Finalizers = finalizers(33) }, "metadata.finalizers: 33 are too many"},
		"one owner too many":            {func(m *metav1.ObjectMeta) { m.OwnerReferences = owners(33) }, "metadata.ownerReferences: 33 are too many"},
		"many field managers": {func(m *metav1.ObjectMeta) {
			m.ManagedFields = entries(200, `{"f:metadata": {"f:labels": {"f:none": {}}}}`)
		}, "entries are too many"},
		"one that owns many annotations": {func(m *metav1.ObjectMeta) { m.ManagedFields = entries(1, owns("f:metadata", "f:annotations")) }, "an entry has more fields than an object may have"},
		"one that owns many labels":      {func(m *metav1.ObjectMeta) { m.ManagedFields = entries(1, owns("f:metadata", "f:labels")) }, "an entry has more fields than an object may have"},
		"one that owns a large spec":     {func(m *metav1.ObjectMeta) { m.ManagedFields = entries(1, owns("f:spec")) }, "an entry has more fields than an object may have"},
	}
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "t-", Labels: map[string]string{"team": "shop"}}}
			created := topic.DeepCopy()
			try.change(&created.ObjectMeta)
			if err := asUser(t, "edit").Create(ctx, topic); err != nil {
				t.Fatal(err)
			}
			try.change(&topic.ObjectMeta)
			for how, err := range map[string]error{"create": asUser(t, "edit").Create(ctx, created), "update": asUser(t, "edit").Update(ctx, topic)} {
				if try.refusal == "" && err != nil {
					t.Errorf("%s: %.500s", how, err)
				} else if try.refusal != "" {
					expectRefusal(t, err, try.refusal)
				}
			}
		})
	}
}

// TestAFullObjectIsStillAttended: where an editor has used all that there is, the glass is broken, approved, co-owned and let go of as ever.
func TestAFullObjectIsStillAttended(t *testing.T) {
	installStamps(t)
	namespace := tenant(t)
	topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "full", Annotations: many(256), Labels: many(256)}}
	for i := range 31 {
		topic.Finalizers = append(topic.Finalizers, fmt.Sprintf("example.com/f%d", i))
	}
	if err := asUser(t, "edit").Create(ctx, topic); err != nil {
		t.Fatal(err)
	}
	for i := range 64 {
		topic.ManagedFields = append(topic.ManagedFields, entry(fmt.Sprint("tool-", i), "Apply", "2026-01-01T00:00:00Z", aLabel))
	}
	topic.ManagedFields = topic.ManagedFields[len(topic.ManagedFields)-64:]
	if err := asUser(t, "edit").Update(ctx, topic); err != nil {
		t.Fatal(err)
	}
	for _, set := range []map[string]string{{"a1": "x"}, {v1alpha1.ReconcileRequestedAtAnnotation: "now"}} {
		expectRefusal(t, byApplyOf(t, "edit", topic, set, "another-tool"), "metadata.managedFields: 65 entries are too many")
	}
	attended := topic.DeepCopy()
	attended.Finalizers = append(attended.Finalizers, v1alpha1.Finalizer)
	for _, step := range []struct {
		name string
		err  error
	}{
		{"the operator takes it", asUser(t, operator).Patch(ctx, attended, client.MergeFrom(topic), client.FieldOwner("holdfast"))},
		{"the glass is broken", annotate(t, "break-glass", topic.DeepCopy(), `{"holdfast.dev/break-glass": "`+reason+`"}`)},
		{"it is changed by apply", byApplyOf(t, "break-glass", topic, map[string]string{glassKey: "INC-4712: once more"}, "incident")},
		{"the operator co-owns it", byApplyOf(t, operator, topic, map[string]string{glassKey: "INC-4712: once more", byKey: "break-glass"}, "holdfast")},
		{"a plan is approved", annotate(t, "approve", topic.DeepCopy(), `{"holdfast.dev/approve": "0123456789abcdef"}`)},
		{"the glass is closed", annotate(t, "break-glass", topic.DeepCopy(), `{"holdfast.dev/break-glass": null}`)},
		{"the operator clears who closed it", annotate(t, operator, topic.DeepCopy(), `{"holdfast.dev/break-glass-closed-by": null}`)},
		{"the operator lets go", asUser(t, operator).Patch(ctx, topic.DeepCopy(), client.RawPatch(types.JSONPatchType, []byte(`[{"op": "remove", "path": "/metadata/finalizers/31"}]`)))},
	} {
		if step.err != nil {
			t.Errorf("%s: %.600s", step.name, step.err)
		}
	}
}

// byApplyOf sets annotations by server-side apply as a field manager.
func byApplyOf(t *testing.T, user string, obj client.Object, set map[string]string, manager string) error {
	t.Helper()
	applied := manifestOf(obj)
	applied.SetAnnotations(set)
	return asUser(t, user).Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner(manager), client.ForceOwnership)
}

// TestACrowdedObjectFromBeforeIsRepaired: the operator takes and lets go of it, the glass is broken on it, and whoever may edit it makes it smaller.
func TestACrowdedObjectFromBeforeIsRepaired(t *testing.T) {
	installStamps(t)
	patch := func(user, text string) error {
		return asUser(t, user).Patch(ctx, crowded.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(text)))
	}
	for _, step := range []struct{ name, user, patch string }{
		{"the operator lets go", operator, `{"metadata": {"finalizers": null}}`},
		{"the operator takes it", operator, `{"metadata": {"finalizers": ["` + v1alpha1.Finalizer + `"]}}`},
		{"the glass is broken", ada, annotations(`"holdfast.dev/break-glass": "` + reason + `"`)},
		{"it is closed", ada, annotations(`"holdfast.dev/break-glass": null`)},
		{"an annotation less", bob, annotations(`"a1": null`)},
		{"an annotation for another", bob, annotations(`"a2": null, "b2": ""`)},
		{"the spec", bob, `{"spec": {"management": "Observe"}}`},
	} {
		if err := patch(step.user, step.patch); err != nil {
			t.Errorf("%s: %.600s", step.name, err)
		}
	}
	expectRefusal(t, patch(bob, annotations(`"b1": "", "b3": ""`)), "metadata.annotations: 3001 are too many")
	expectRefusal(t, patch(bob, `{"metadata": {"annotations": null}}`), "bob may not change holdfast.dev/break-glass here")
	rest := `[{"op": "replace", "path": "/metadata/annotations", "value": {"holdfast.dev/break-glass-closed-by": "ada"}}]`
	if err := asUser(t, bob).Patch(ctx, crowded.DeepCopy(), client.RawPatch(types.JSONPatchType, []byte(rest))); err != nil {
		t.Errorf("all annotations but ours: %.600s", err)
	}
}

// TestNamespacesAreNotCrowdedEither: the policies go through theirs, too.
func TestNamespacesAreNotCrowdedEither(t *testing.T) {
	err := asUser(t, bob).Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "crowded", Annotations: many(1001)}})
	expectRefusal(t, err, "metadata.annotations: 1001 are too many: namespaces may have 1000 besides those of Holdfast")
	if err := asUser(t, bob).Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "full", Annotations: many(1000)}}); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
}
