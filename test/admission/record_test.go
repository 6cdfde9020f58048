package admission

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	corev1 "k8s.io/api/core/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestNobodyButTheOperatorsWritesRecords of who broke the glass: neither who may edit everything, nor a service account that is
// cluster-admin. Who restores backups may, and so clears out old ones.
func TestNobodyButTheOperatorsWritesRecords(t *testing.T) {
	grant(t, "record-keeper", "holdfast-restore")
	const aPerson, onlyHoldfast = "restore on breakglassrecords.gcp.holdfast.dev is missing", "only Holdfast does"
	made := func(name string) *v1alpha1.BreakGlassRecord {
		return &v1alpha1.BreakGlassRecord{
			ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: name},
			Spec:       v1alpha1.BreakGlassRecordSpec{ExternalName: "//storage.googleapis.com/logs", Project: "shop-prod"},
		}
	}
	record := made("logs")
	if err := asUser(t, operator).Create(ctx, record); err != nil {
		t.Fatalf("the operator: %v", err)
	}
	tries := map[string]func(user string) error{
		"create": func(user string) error { return asUser(t, user).Create(ctx, made("forged-"+user[:3])) },
		"patch": func(user string) error {
			return asUser(t, user).Patch(ctx, record.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"spec": {"episodes": []}}`)))
		},
		"label": func(user string) error {
			return asUser(t, user).Patch(ctx, record.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"labels": {"by": "`+user[:3]+`"}}}`)))
		},
		"own": func(user string) error {
			return asUser(t, user).Patch(ctx, record.DeepCopy(), client.RawPatch(types.MergePatchType,
				[]byte(`{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "`+user[:3]+`"}]}}`)))
		},
		"delete": func(user string) error { return asUser(t, user).Delete(ctx, record.DeepCopy()) },
	}
	for how, try := range tries {
		for user, refusal := range map[string]string{bob: aPerson, gitops: onlyHoldfast, ada: aPerson} {
			if err := try(user); err == nil {
				t.Errorf("%s by %s is let through", how, user)
			} else {
				expectRefusal(t, err, refusal)
			}
		}
	}
	expectRefusal(t, tries["delete"](operator), onlyHoldfast)
	if err := tries["patch"](operator); err != nil {
		t.Errorf("the operator: %v", err)
	}
	for _, how := range []string{"create", "patch", "delete"} {
		if err := tries[how]("record-keeper"); err != nil {
			t.Errorf("%s by who restores backups: %v", how, err)
		}
	}
}

// TestRecordsGoWithTheirNamespace, which is deleted when Holdfast is uninstalled: the controller that empties it is a service account.
func TestRecordsGoWithTheirNamespace(t *testing.T) {
	const controller = "system:serviceaccount:kube-system:namespace-controller"
	grant(t, controller, "cluster-admin")
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "uninstalled", Finalizers: []string{"example.com/wait"}}}
	if err := asUser(t, "").Create(ctx, space); err != nil {
		t.Fatal(err)
	}
	record := &v1alpha1.BreakGlassRecord{
		ObjectMeta: metav1.ObjectMeta{Namespace: "uninstalled", Name: "logs"}, Spec: v1alpha1.BreakGlassRecordSpec{ExternalName: "//x/y", Project: "shop-prod"},
	}
	if err := asUser(t, "").Create(ctx, record); err != nil {
		t.Fatal(err)
	}
	expectRefusal(t, asUser(t, controller).Delete(ctx, record.DeepCopy()), "only Holdfast does")
	if err := asUser(t, "").Delete(ctx, space); err != nil {
		t.Fatal(err)
	}
	if err := poll(func() (bool, error) {
		err := asUser(t, controller).Delete(ctx, record.DeepCopy())
		return err == nil || apierrors.IsNotFound(err), nil
	}); err != nil {
		t.Error("the record stays in a namespace that goes")
	}
}
