package admission

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	shard  = "system:serviceaccount:holdfast-system:holdfast-manager-1"
	velero = "system:serviceaccount:velero:velero"
	forged = `{"status": {"externalName": "//storage.googleapis.com/somebody-elses", "project": "bank-prod"}}`
)

// statusWrites are the ways in which status is written.
func statusWrites(t *testing.T, user string, obj *unstructured.Unstructured) map[string]error {
	t.Helper()
	person := asUser(t, user)
	updated := obj.DeepCopy()
	if err := unstructured.SetNestedField(updated.Object, "//storage.googleapis.com/x", "status", "externalName"); err != nil {
		t.Fatal(err)
	}
	applied := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"externalName": "//storage.googleapis.com/y"}}}
	applied.SetGroupVersionKind(obj.GroupVersionKind())
	applied.SetNamespace(obj.GetNamespace())
	applied.SetName(obj.GetName())
	return map[string]error{
		"update":            person.Status().Update(ctx, updated),
		"merge patch":       person.Status().Patch(ctx, obj.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(forged))),
		"JSON patch":        person.Status().Patch(ctx, obj.DeepCopy(), client.RawPatch(types.JSONPatchType, []byte(`[{"op": "add", "path": "/status/externalName", "value": "//storage.googleapis.com/z"}]`))),
		"server-side apply": person.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner("x"), client.ForceOwnership),
	}
}

// TestNobodyButTheOperatorsWritesStatus: neither an editor whose role has it, nor a service account that is cluster-admin.
func TestNobodyButTheOperatorsWritesStatus(t *testing.T) {
	grant(t, "restorer", "holdfast-restore")
	grant(t, velero, "holdfast-restore")
	grant(t, shard, "edit-without-verbs")
	const aPerson, onlyHoldfast = "the RBAC verb restore is missing. The ClusterRole holdfast-restore has it", "only Holdfast does"
	refused := map[string]string{bob: aPerson, gitops: onlyHoldfast, velero: onlyHoldfast, shard: onlyHoldfast}
	for _, kind := range served(t) {
		obj := preparedKind(t, kind, nil)
		for user, refusal := range refused {
			for how, err := range statusWrites(t, user, obj) {
				if err == nil {
					t.Errorf("%s: %s by %s is let through", kind, how, user)
				} else {
					expectRefusal(t, err, refusal)
				}
			}
		}
		for _, user := range []string{operator, "restorer", ""} {
			if err := asUser(t, user).Status().Patch(ctx, obj.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"status": {"externalName": "x"}}`))); err != nil {
				t.Errorf("%s: %q: %v", kind, user, err)
			}
		}
	}
}

// TestListedOperatorsAndToolsWriteStatus: the shards of Holdfast, and what restores backups if it has the verb as well. The list is for all,
// so nothing runs beside it.
func TestListedOperatorsAndToolsWriteStatus(t *testing.T) {
	const shard, velero, other = "system:serviceaccount:holdfast-shards:one", "system:serviceaccount:backup:velero", "system:serviceaccount:backup:other"
	for _, user := range []string{shard, velero, other} {
		grant(t, user, "edit-without-verbs")
	}
	t.Cleanup(func() {
		setParameters(t, `{"holdfast.dev/operators": null, "holdfast.dev/restore-service-accounts": null}`)
	})
	setParameters(t, `{"holdfast.dev/operators": "system:serviceaccount:x:y, `+shard+`", "holdfast.dev/restore-service-accounts": "`+velero+`"}`)
	obj := prepared(t, "object", nil)
	write := func(user string) error {
		return asUser(t, user).Status().Patch(ctx, obj.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"status": {"externalName": "x"}}`)))
	}
	if err := poll(func() (bool, error) { return write(shard) == nil, nil }); err != nil {
		t.Error("the shard is refused")
	}
	if err := write(operator); err != nil {
		t.Errorf("the operator that need not be listed: %v", err)
	}
	expectRefusal(t, write(velero), "the RBAC verb restore is missing") // it is listed, and has not got the verb
	grant(t, velero, "holdfast-restore")
	if err := poll(func() (bool, error) { return write(velero) == nil, nil }); err != nil {
		t.Error("what restores backups is refused")
	}
	expectRefusal(t, write(other), "only Holdfast does")
	expectRefusal(t, asUser(t, shard).Patch(ctx, obj.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"spec": {"management": "Observe"}}`))),
		"may change only its finalizer and the break-glass and approval annotations of an object")
}

// TestNobodyCreatesAnObjectWithAStatus: the API server drops it, however the object is created.
func TestNobodyCreatesAnObjectWithAStatus(t *testing.T) {
	create := map[string]func(*unstructured.Unstructured) error{
		"create": func(obj *unstructured.Unstructured) error { return asUser(t, bob).Create(ctx, obj) },
		"server-side apply": func(obj *unstructured.Unstructured) error {
			return asUser(t, bob).Apply(ctx, client.ApplyConfigurationFromUnstructured(obj), client.FieldOwner("x"))
		},
		"server-side apply of the status": func(obj *unstructured.Unstructured) error {
			return asUser(t, bob).Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(obj), client.FieldOwner("x"))
		},
	}
	for name, create := range create {
		t.Run(name, func(t *testing.T) {
			obj := prepared(t, "object", nil)
			obj.SetName(obj.GetName() + "-new")
			obj.SetUID("")
			obj.SetResourceVersion("")
			obj.SetManagedFields(nil)
			if err := unstructured.SetNestedField(obj.Object, "//storage.googleapis.com/x", "status", "externalName"); err != nil {
				t.Fatal(err)
			}
			if err := create(obj); name == "server-side apply of the status" {
				if err == nil {
					t.Error("let through")
				}
				return
			} else if err != nil {
				t.Fatal(err)
			}
			var stored v1alpha1.Topic
			if err := asUser(t, ada).Get(ctx, client.ObjectKeyFromObject(obj), &stored); err != nil || stored.Status.ExternalName != "" {
				t.Errorf("stored as %q, %v", stored.Status.ExternalName, err)
			}
		})
	}
}
