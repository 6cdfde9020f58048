package admission

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const others = "example.com/others"

// TestAManifestBeginsWithTheFinalizer, unless it only observes: then nothing is written for it that its end would have to wait for.
func TestAManifestBeginsWithTheFinalizer(t *testing.T) {
	needStamps(t)
	cases := map[string]struct {
		least      string // of the Namespace; empty for unset
		management string
		finalizers []string
		want       []string
	}{
		"of whatever kind":                     {want: []string{v1alpha1.Finalizer}},
		"beside those of others":               {finalizers: []string{others}, want: []string{others, v1alpha1.Finalizer}},
		"that it says itself":                  {finalizers: []string{v1alpha1.Finalizer}, want: []string{v1alpha1.Finalizer}},
		"where plans wait":                     {management: "Approve", want: []string{v1alpha1.Finalizer}},
		"where plans wait in the namespace":    {least: "Approve", want: []string{v1alpha1.Finalizer}},
		"not what is observed":                 {management: "Observe"},
		"not what the namespace only observes": {least: "Observe", management: "Manage"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range served(t) {
				namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("finalized-%d", objects.Add(1))}}
				if tc.least != "" {
					namespace.Annotations = map[string]string{v1alpha1.LeastManagementAnnotation: tc.least}
				}
				if err := asUser(t, "").Create(ctx, namespace); err != nil {
					t.Fatal(err)
				}
				obj := &unstructured.Unstructured{Object: map[string]any{}}
				obj.SetGroupVersionKind(kind)
				obj.SetNamespace(namespace.Name)
				obj.SetName("orders-" + kind.Version)
				obj.SetFinalizers(tc.finalizers)
				if tc.management != "" {
					_ = unstructured.SetNestedField(obj.Object, tc.management, "spec", "management")
				}
				if err := asUser(t, ada).Create(ctx, obj); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.want, obj.GetFinalizers(), cmpopts.EquateEmpty()); d != "" {
					t.Errorf("finalizers of a %s (-want +got):\n%s", kind, d)
				}
			}
		})
	}
	record := &v1alpha1.BreakGlassRecord{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "finalized"}}
	if err := asUser(t, "").Create(ctx, record, client.DryRunAll); err == nil && len(record.Finalizers) > 0 {
		t.Errorf("a record, which is no manifest, has %v", record.Finalizers)
	}
}

// TestNoApplyRemovesTheFinalizer that its manifest does not mention: it belongs to no field manager, and is in no last applied configuration.
func TestNoApplyRemovesTheFinalizer(t *testing.T) {
	needStamps(t)
	flux := asUser(t, gitops)
	for name, apply := range map[string]func(t *testing.T, manifest *unstructured.Unstructured) error{
		"server-side": func(_ *testing.T, manifest *unstructured.Unstructured) error {
			return flux.Apply(ctx, client.ApplyConfigurationFromUnstructured(manifest), client.FieldOwner("kustomize-controller"), client.ForceOwnership)
		},
		"client-side": func(t *testing.T, manifest *unstructured.Unstructured) error {
			return applyClientSide(t, flux, manifest)
		},
	} {
		t.Run(name, func(t *testing.T) {
			manifest := manifestOf(&v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: fmt.Sprintf("applied-%d", objects.Add(1))}})
			for i, team := range []string{"shop", "bank", "bank"} {
				manifest.SetLabels(map[string]string{"team": team})
				if err := apply(t, manifest.DeepCopy()); err != nil {
					t.Fatalf("apply %d: %v", i, err)
				}
				live := manifest.DeepCopy()
				if err := flux.Get(ctx, client.ObjectKeyFromObject(manifest), live); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff([]string{v1alpha1.Finalizer}, live.GetFinalizers()); d != "" {
					t.Fatalf("finalizers after apply %d (-want +got):\n%s", i, d)
				}
				for _, f := range live.GetManagedFields() {
					if fields := map[string]map[string]any{}; json.Unmarshal(f.FieldsV1.GetRawBytes(), &fields) != nil || fields["f:metadata"]["f:finalizers"] != nil {
						t.Errorf("after apply %d, %s owns finalizers: %s", i, f.Manager, f.FieldsV1.GetRawString())
					}
				}
			}
		})
	}
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// applyClientSide does what kubectl apply does with custom resources.
func applyClientSide(t *testing.T, kube client.Client, manifest *unstructured.Unstructured) error {
	t.Helper()
	encode := func(obj *unstructured.Unstructured) []byte {
		text, err := json.Marshal(obj)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	manifest.SetAnnotations(map[string]string{lastApplied: string(encode(manifest))})
	live := manifest.DeepCopy()
	if err := kube.Get(ctx, client.ObjectKeyFromObject(manifest), live); err != nil {
		return kube.Create(ctx, manifest)
	}
	patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch([]byte(live.GetAnnotations()[lastApplied]), encode(manifest), encode(live))
	if err != nil {
		return err
	}
	return kube.Patch(ctx, live, client.RawPatch(types.MergePatchType, patch))
}
