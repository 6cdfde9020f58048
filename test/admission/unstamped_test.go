package admission

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestWithoutStampsThePoliciesHoldTheSame, as config/before-1.36 has them, where people write their names themselves.
func TestWithoutStampsThePoliciesHoldTheSame(t *testing.T) {
	removeStamps(t)
	limited(t)
	namespace := tenant(t)
	obj := manifest(t, "Bucket", namespace)
	by := func(user, until string) string {
		return annotations(`"holdfast.dev/break-glass": "` + reason + `", "holdfast.dev/break-glass-by": "` + user + `", "holdfast.dev/break-glass-until": "` + until + `"`)
	}
	patch := func(user string, text []byte) error {
		return asUser(t, user).Patch(ctx, obj.DeepCopy(), client.RawPatch(types.MergePatchType, text))
	}
	const notMore = "break-glass may change only the annotations"
	expectRefusal(t, patch("break-glass", merged(by("break-glass", in(time.Hour)), besides["grant themselves something"])), notMore)
	expectRefusal(t, patch("break-glass", merged(by("break-glass", in(time.Hour)), besides["have Flux's next apply remove a field"])), notMore)
	expectRefusal(t, patch("break-glass", []byte(by("edit", in(time.Hour)))), "must be your own name, break-glass")
	expectRefusal(t, patch("break-glass", []byte(by("break-glass", "2099-01-02T00:00:00Z"))), "may be at most 72h ahead")
	expectRefusal(t, patch("edit", []byte(`{"metadata": {"managedFields": [{}]}, "spec": {"iam": {"bindings": [{"role": "roles/r", "members": ["allUsers"]}]}}}`)), "edit may not grant anything to allUsers")
	forged := forgeries["one entry that has a label"](nil)
	live := obj.DeepCopy()
	if err := asUser(t, "edit").Get(ctx, client.ObjectKeyFromObject(obj), live); err != nil {
		t.Fatal(err)
	}
	live.SetManagedFields(append(live.GetManagedFields(), forged...))
	if err := asUser(t, "edit").Update(ctx, live); err != nil {
		t.Fatalf("forging: %v", err)
	}
	expectRefusal(t, patch("break-glass", []byte(by("break-glass", "2099-01-02T00:00:00Z"))), "may be at most 72h ahead")
	if err := patch("break-glass", []byte(by("break-glass", in(time.Hour)))); err != nil {
		t.Errorf("on call: %v", err)
	}
	expectRefusal(t, patch(gitops, []byte(`{"metadata": {"finalizers": null}}`)), "may not remove "+v1alpha1.Finalizer)
	expectRefusal(t, patch(gitops, []byte(annotations(`"holdfast.dev/break-glass": null`))), "only a person may")
	expectRefusal(t, patch("break-glass", []byte(annotations(`"holdfast.dev/break-glass": null, "holdfast.dev/break-glass-by": null, "holdfast.dev/break-glass-until": null`))), "must be your own name")
	closing := annotations(`"holdfast.dev/break-glass": null, "holdfast.dev/break-glass-by": null, "holdfast.dev/break-glass-until": null, "holdfast.dev/break-glass-closed-by": "break-glass"`)
	if err := patch("break-glass", []byte(closing)); err != nil {
		t.Errorf("closing: %v", err)
	}
}
