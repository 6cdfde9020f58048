package admission

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// glassAt are the places where the glass can be broken for an object.
var glassAt = map[string]struct{ object, namespace map[string]string }{
	"on the object":    {object: broken},
	"on the namespace": {namespace: broken},
}

// topicIn makes a Topic in a Namespace of its own, with these finalizers alone: kubectl replace drops what was stamped.
func topicIn(t *testing.T, objectGlass, namespaceGlass map[string]string, finalizers ...string) *v1alpha1.Topic {
	t.Helper()
	namespace := prepared(t, "namespace", namespaceGlass)
	topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: namespace.GetName(), Name: namespace.GetName() + "-topic", Annotations: objectGlass, Finalizers: finalizers}}
	if err := asUser(t, ada).Create(ctx, topic); err != nil {
		t.Fatal(err)
	}
	topic.Finalizers = finalizers
	if err := asUser(t, ada).Update(ctx, topic); err != nil {
		t.Fatal(err)
	}
	return topic
}

// TestNobodyDeletesAndRecreatesPastAnOpenGlass: deleting marks the object, and it stays until a person closes the glass.
func TestNobodyDeletesAndRecreatesPastAnOpenGlass(t *testing.T) {
	const held = " while break-glass is active"
	for place, glass := range glassAt {
		for _, user := range []string{bob, gitops} {
			t.Run(place+"/"+user, func(t *testing.T) {
				t.Parallel()
				topic := topicIn(t, glass.object, glass.namespace, v1alpha1.Finalizer)
				person := asUser(t, user)
				for name, err := range map[string]error{
					"delete":            person.Delete(ctx, topic.DeepCopy()),
					"delete in front":   person.Delete(ctx, topic.DeepCopy(), client.PropagationPolicy(metav1.DeletePropagationForeground)),
					"delete at once":    person.Delete(ctx, topic.DeepCopy(), client.GracePeriodSeconds(0)),
					"delete everything": asUser(t, "").DeleteAllOf(ctx, &v1alpha1.Topic{}, client.InNamespace(topic.Namespace)),
				} {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
				if err := person.Get(ctx, client.ObjectKeyFromObject(topic), topic); err != nil || topic.DeletionTimestamp.IsZero() {
					t.Fatalf("the topic is %+v, %v", topic.ObjectMeta, err)
				}
				replaced := topic.DeepCopy()
				replaced.Finalizers = nil
				for _, err := range []error{
					person.Patch(ctx, topic.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"finalizers": null}}`))),
					person.Patch(ctx, topic.DeepCopy(), client.RawPatch(types.JSONPatchType, []byte(`[{"op": "remove", "path": "/metadata/finalizers"}]`))),
					person.Update(ctx, replaced),
				} {
					expectRefusal(t, err, held)
				}
				if err := person.Create(ctx, &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: topic.Namespace, Name: topic.Name}}); !apierrors.IsAlreadyExists(err) {
					t.Errorf("creating it again: %v", err)
				}
				stored := topic.DeepCopy()
				_ = person.Status().Patch(ctx, stored, client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"finalizers": null}, "status": {"url": "x"}}`)))
				if err := person.Get(ctx, client.ObjectKeyFromObject(topic), stored); err != nil || len(stored.Finalizers) == 0 {
					t.Errorf("after all that, the topic is %+v, %v", stored.ObjectMeta, err)
				}
			})
		}
	}
}

// TestNobodyDeletesWhatHasNoFinalizerUnderAnOpenGlass: it would be gone at once, with its glass, and what is created in its place has none.
func TestNobodyDeletesWhatHasNoFinalizerUnderAnOpenGlass(t *testing.T) {
	for place, glass := range glassAt {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			topic := topicIn(t, glass.object, glass.namespace)
			for _, user := range []string{bob, gitops, operator} {
				const refusal = " may not delete an object that does not have holdfast.dev/finalizer yet while break-glass is active"
				expectRefusal(t, asUser(t, user).Delete(ctx, topic.DeepCopy()), user+refusal)
				if user == gitops {
					expectRefusal(t, asUser(t, user).DeleteAllOf(ctx, &v1alpha1.Topic{}, client.InNamespace(topic.Namespace)), refusal)
				}
			}
			if err := asUser(t, ada).Delete(ctx, topic); err != nil {
				t.Errorf("ada, who may break the glass: %v", err)
			}
		})
	}
	if err := asUser(t, gitops).Delete(ctx, topicIn(t, nil, nil)); err != nil {
		t.Errorf("without a glass: %v", err)
	}
}

// TestNobodyEndsANamespaceByForceUnderItsGlass: what is in it would stay, and a Namespace created in its place has no glass.
func TestNobodyEndsANamespaceByForceUnderItsGlass(t *testing.T) {
	end := func(t *testing.T, user string, glass map[string]string) error {
		t.Helper()
		topic := topicIn(t, nil, glass, v1alpha1.Finalizer)
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: topic.Namespace}}
		if err := asUser(t, "").Delete(ctx, namespace); err != nil {
			t.Fatal(err)
		}
		if err := asUser(t, "").Get(ctx, client.ObjectKeyFromObject(namespace), namespace); err != nil {
			t.Fatal(err)
		}
		namespace.Spec.Finalizers = nil
		return asUser(t, user).SubResource("finalize").Update(ctx, namespace)
	}
	expectRefusal(t, end(t, bob, broken), "bob may not end namespace ")
	expectRefusal(t, end(t, gitops, broken), "by force while break-glass is active: only a person may")
	for user, glass := range map[string]map[string]string{
		ada: broken, "system:serviceaccount:kube-system:namespace-controller": broken, gitops: nil,
	} {
		if user != ada && user != gitops {
			grant(t, user, "cluster-admin")
		}
		if err := end(t, user, glass); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
}

// TestNoServiceAccountClosesAGlassInSteps: neither while the object is being deleted, nor by giving its annotations to another field manager.
func TestNoServiceAccountClosesAGlassInSteps(t *testing.T) {
	installStamps(t)
	topic := topicIn(t, broken, nil, v1alpha1.Finalizer)
	flux := asUser(t, gitops)
	if err := flux.Delete(ctx, topic.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	for _, patch := range []string{
		annotations(`"holdfast.dev/break-glass": null`), annotations(`"holdfast.dev/break-glass": null, "holdfast.dev/break-glass-by": null`),
		`{"metadata": {"annotations": null}}`, `{"metadata": {"annotations": null, "finalizers": null}}`,
		annotations(`"holdfast.dev/break-glass-until": "2026-01-01T00:00:00Z"`),
	} {
		expectRefusal(t, flux.Patch(ctx, topic.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch))), "only a person may")
	}
	owner := `{"metadata": {"managedFields": [{"manager": "flux", "operation": "Apply", "apiVersion": "gcp.holdfast.dev/v1alpha1", "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
		"fieldsV1": {"f:metadata": {"f:annotations": {"f:holdfast.dev/break-glass": {}, "f:holdfast.dev/break-glass-by": {}}, "f:finalizers": {"v:\"holdfast.dev/finalizer\"": {}}}}}]}}`
	if err := flux.Patch(ctx, topic.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(owner))); err != nil {
		t.Fatal(err)
	}
	applied := manifestOf(topic)
	expectRefusal(t, flux.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner("flux"), client.ForceOwnership), "only a person may")
}

// TestAListedServiceAccountNeedsTheVerbAllTheSame to let go of an object. The list is for all, so nothing runs beside it.
func TestAListedServiceAccountNeedsTheVerbAllTheSame(t *testing.T) {
	const pager = "system:serviceaccount:ops:pager"
	grant(t, pager, "edit-without-verbs")
	t.Cleanup(func() { setParameters(t, `{"holdfast.dev/break-glass-service-accounts": null}`) })
	setParameters(t, `{"holdfast.dev/break-glass-service-accounts": "`+pager+`"}`)
	topic := topicIn(t, broken, nil, v1alpha1.Finalizer)
	letGo := func() error {
		return asUser(t, pager).Patch(ctx, topic.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"finalizers": null}}`)))
	}
	if err := poll(func() (bool, error) {
		return strings.Contains(fmt.Sprint(letGo()), "get the RBAC verb break-glass on topics"), nil
	}); err != nil {
		t.Errorf("listed, and without the verb: %v", letGo())
	}
	grant(t, pager, "holdfast-break-glass")
	if err := poll(func() (bool, error) { return letGo() == nil, nil }); err != nil {
		t.Errorf("with the verb: %v", letGo())
	}
}
