package admission

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestTheStorageVersionMigratorPasses: it is a service account that writes each object as it is, by a patch that names nothing but the object. No
// policy may stop it, whatever the object has, or a version of the API could never be retired.
func TestTheStorageVersionMigratorPasses(t *testing.T) {
	installStamps(t)
	const migrator = "system:serviceaccount:kube-system:storage-version-migrator-controller"
	grant(t, migrator, "cluster-admin")
	record := &v1alpha1.BreakGlassRecord{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "migrated", Labels: map[string]string{"kept": "yes"}},
		Spec:       v1alpha1.BreakGlassRecordSpec{ExternalName: "//storage.googleapis.com/migrated", Project: "shop-prod"},
	}
	if err := asUser(t, operator).Create(ctx, record); err != nil {
		t.Fatal(err)
	}
	objects := map[string]client.Object{"BreakGlassRecord": record}
	for _, kind := range served(t) {
		obj := preparedKind(t, kind, map[string]string{glassKey: reason, untilKey: later, approveKey: "0123456789abcdef"})
		objects[kind.String()] = obj
	}
	for name, obj := range objects {
		patch := fmt.Sprintf(`{"metadata": {"uid": %q, "resourceVersion": %q}}`, obj.GetUID(), obj.GetResourceVersion())
		if err := asUser(t, migrator).Patch(ctx, obj, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
