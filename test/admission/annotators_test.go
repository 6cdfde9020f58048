package admission

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// bind gives somebody ClusterRoles in a namespace alone.
func bind(t *testing.T, namespace, user string, roles ...string) {
	t.Helper()
	for _, role := range roles {
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: user + "-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		}
		if err := asUser(t, "").Create(ctx, binding); err != nil {
			t.Fatal(err)
		}
	}
}

// tenant makes a namespace with people who have there what their names say: Kubernetes' own roles view, edit and admin, and Holdfast's.
func tenant(t *testing.T) (namespace string) {
	t.Helper()
	obj := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "tenant-"}}
	if err := asUser(t, "").Create(ctx, obj); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"view", "edit", "admin"} {
		bind(t, obj.Name, role, role)
	}
	for _, role := range []string{"break-glass", "break-glass-namespaces", "approve", "bind", "grant", "allow-destructive"} {
		bind(t, obj.Name, role, "holdfast-"+role)
	}
	bind(t, obj.Name, "edit-on-call", "edit", "holdfast-break-glass", "holdfast-approve")
	last := func() (bool, error) {
		err := asUser(t, "edit-on-call").Create(ctx, &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: obj.Name, Name: "probe"}}, client.DryRunAll)
		return err == nil, client.IgnoreNotFound(client.IgnoreAlreadyExists(ignoreForbidden(err)))
	}
	if err := poll(last); err != nil {
		t.Fatal(err)
	}
	return obj.Name
}

func ignoreForbidden(err error) error {
	if apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

// manifest is an object of a kind as Flux applied it.
func manifest(t *testing.T, kind, namespace string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"management": "Approve"}}}
	obj.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind))
	obj.SetNamespace(namespace)
	obj.SetName(fmt.Sprintf("thing-%d", objects.Add(1)))
	obj.SetLabels(map[string]string{"team": "shop"})
	obj.SetAnnotations(map[string]string{"example.com/owner": "shop"})
	obj.SetFinalizers([]string{v1alpha1.Finalizer})
	if err := asUser(t, "").Apply(ctx, client.ApplyConfigurationFromUnstructured(obj), client.FieldOwner("kustomize-controller")); err != nil {
		t.Fatal(err)
	}
	return obj
}

// merged is several merge patches in one.
func merged(patches ...string) []byte {
	out := map[string]any{}
	for _, patch := range patches {
		var one map[string]any
		if err := json.Unmarshal([]byte(patch), &one); err != nil {
			panic(err)
		}
		merge(out, one)
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	return text
}

func merge(into, from map[string]any) {
	for key, value := range from {
		inner, isMap := value.(map[string]any)
		if outer, ok := into[key].(map[string]any); ok && isMap {
			merge(outer, inner)
		} else {
			into[key] = value
		}
	}
}

// besides is what those who may only annotate would like to do, by itself and together with what they may.
var besides = map[string]string{
	"grant themselves something": `{"spec": {"iam": {"bindings": [{"role": "roles/owner", "members": ["user:oncall@example.com"]}]},
		"bindings": [{"role": "roles/owner", "members": ["user:oncall@example.com"]}]}}`,
	"change what deleting does":         `{"spec": {"deletionPolicy": "Delete"}}`,
	"write what they approve":           `{"spec": {"management": "Manage"}}`,
	"empty the spec":                    `{"spec": null}`,
	"label":                             `{"metadata": {"labels": {"team": "mine"}}}`,
	"take the labels away":              `{"metadata": {"labels": null}}`,
	"set another annotation":            `{"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}}`,
	"ask for a reconcile":               `{"metadata": {"annotations": {"holdfast.dev/reconcile-requested-at": "now"}}}`,
	"change another annotation":         `{"metadata": {"annotations": {"example.com/owner": "me"}}}`,
	"remove another annotation":         `{"metadata": {"annotations": {"example.com/owner": null}}}`,
	"set one that looks like ours":      `{"metadata": {"annotations": {"holdfast.dev/break-glass-max": "1h", "holdfast.dev/approver": "me"}}}`,
	"add a finalizer":                   `{"metadata": {"finalizers": ["holdfast.dev/finalizer", "example.com/mine"]}}`,
	"remove the finalizers":             `{"metadata": {"finalizers": null}}`,
	"become the owner":                  `{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}]}}`,
	"empty the record of who owns what": `{"metadata": {"managedFields": [{}]}}`,
	"have Flux's next apply remove a field": `{"metadata": {"managedFields": [{"manager": "kustomize-controller", "operation": "Apply", "apiVersion": "gcp.holdfast.dev/v1alpha1",
		"time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {"f:team": {}}, "f:finalizers": {"v:\"holdfast.dev/finalizer\"": {}},
		"f:annotations": {"f:example.com/owner": {}}}, "f:spec": {"f:management": {}, "f:deletionPolicy": {}}}}]}}`,
	"have another tool's next apply remove an annotation": `{"metadata": {"managedFields": [{"manager": "tool", "operation": "Apply", "apiVersion": "gcp.holdfast.dev/v1alpha1",
		"time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:annotations": {"f:example.com/owner": {}}}}}]}}`,
	"have the label's owner forget it": `{"metadata": {"managedFields": [{"manager": "kustomize-controller", "operation": "Apply", "apiVersion": "gcp.holdfast.dev/v1alpha1",
		"time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:management": {}}}}]}}`,
}

// TestOnCallAndApproversWriteNothingButTheirAnnotations: their roles grant patch, since RBAC knows nothing narrower.
func TestOnCallAndApproversWriteNothingButTheirAnnotations(t *testing.T) {
	installStamps(t)
	namespace := tenant(t)
	may := map[string]string{
		"break-glass": annotations(`"holdfast.dev/break-glass": "` + reason + `"`),
		"approve":     annotations(`"holdfast.dev/approve": "0123456789abcdef"`),
	}
	for _, kind := range kinds(t) {
		for user, theirs := range may {
			obj := manifest(t, kind.Kind, namespace)
			for name, patch := range besides {
				for _, sent := range [][]byte{[]byte(patch), merged(patch, theirs)} {
					err := asUser(t, user).Patch(ctx, obj.DeepCopy(), client.RawPatch(types.MergePatchType, sent))
					if err == nil {
						t.Errorf("%s: %s may %s: %s", kind.Name, user, name, sent)
					} else if !strings.Contains(err.Error(), user+" may ") && !apierrors.IsInvalid(err) {
						t.Errorf("%s: %s: %s is refused with %v", kind.Name, user, name, err)
					}
				}
			}
			if err := asUser(t, user).Patch(ctx, obj, client.RawPatch(types.MergePatchType, []byte(theirs))); err != nil {
				t.Errorf("%s: %s: %v", kind.Name, user, err)
			}
		}
	}
}

// TestOnCallAndApproversApplyNothingElse: neither by server-side apply, which may create what is not there, nor by an update.
func TestOnCallAndApproversApplyNothingElse(t *testing.T) {
	installStamps(t)
	namespace := tenant(t)
	obj := manifest(t, "Bucket", namespace)
	glass := func(name string) *unstructured.Unstructured {
		applied := &unstructured.Unstructured{}
		applied.SetGroupVersionKind(obj.GroupVersionKind())
		applied.SetNamespace(namespace)
		applied.SetName(name)
		applied.SetAnnotations(map[string]string{glassKey: reason})
		return applied
	}
	apply := func(applied *unstructured.Unstructured) error {
		return asUser(t, "break-glass").Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner("on-call"), client.ForceOwnership)
	}
	expectRefusal(t, apply(glass("new")), `cannot create resource "buckets"`)
	withSpec := glass(obj.GetName())
	withSpec.Object["spec"] = map[string]any{"management": "Manage"}
	expectRefusal(t, apply(withSpec), "break-glass may change only the annotations of break-glass and approval of buckets.gcp.holdfast.dev: for everything else the RBAC verb update is missing")
	asFlux := glass(obj.GetName())
	err := asUser(t, "break-glass").Apply(ctx, client.ApplyConfigurationFromUnstructured(asFlux), client.FieldOwner("kustomize-controller"), client.ForceOwnership)
	expectRefusal(t, err, "break-glass may change only the annotations") // it would remove what Flux owns and this does not list
	if err := apply(glass(obj.GetName())); err != nil {
		t.Errorf("breaking the glass: %v", err)
	}
	expectRefusal(t, asUser(t, "break-glass").Update(ctx, obj), `cannot update resource "buckets"`)
	expectRefusal(t, asUser(t, "break-glass").Delete(ctx, obj), `cannot delete resource "buckets"`)
}

// TestVerbsAreNotTakenForEachOther: who may break the glass may not approve, and the other way round.
func TestVerbsAreNotTakenForEachOther(t *testing.T) {
	installStamps(t)
	namespace := tenant(t)
	obj := manifest(t, "Topic", namespace)
	expectRefusal(t, annotate(t, "break-glass", obj.DeepCopy(), `{"holdfast.dev/approve": "0123456789abcdef"}`), "the RBAC verb approve on topics.gcp.holdfast.dev is missing")
	expectRefusal(t, annotate(t, "approve", obj.DeepCopy(), `{"holdfast.dev/break-glass": "`+reason+`"}`), "the RBAC verb break-glass on topics.gcp.holdfast.dev is missing")
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	expectRefusal(t, annotate(t, "break-glass-namespaces", space.DeepCopy(), `{"holdfast.dev/project-id": "bank-prod"}`), "the RBAC verb bind on namespaces is missing")
	expectRefusal(t, annotate(t, "bind", space.DeepCopy(), `{"holdfast.dev/break-glass": "`+reason+`"}`), "the RBAC verb break-glass on namespaces is missing")
}

// TestAnnotatorsOfNamespacesWriteNothingElse: neither those who may break a Namespace's glass nor those who may bind it, or let be destroyed in it.
func TestAnnotatorsOfNamespacesWriteNothingElse(t *testing.T) {
	installStamps(t)
	namespace := tenant(t)
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if err := asUser(t, "").Patch(ctx, space.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(annotations(`"example.com/owner": "shop"`)))); err != nil {
		t.Fatal(err)
	}
	may := map[string]string{
		"break-glass-namespaces": annotations(`"holdfast.dev/break-glass": "` + reason + `"`),
		"bind":                   annotations(`"holdfast.dev/project-id": "shop-prod"`),
		"allow-destructive":      annotations(`"holdfast.dev/allow-destructive-until": "` + in(time.Hour) + `"`),
	}
	tries := map[string]string{
		"label":                     `{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}`,
		"add a finalizer":           `{"metadata": {"finalizers": ["example.com/mine"]}}`,
		"become the owner":          `{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "x", "uid": "x"}]}}`,
		"change another annotation": annotations(`"example.com/owner": "me"`),
		"remove another annotation": annotations(`"example.com/owner": null`),
		"add another annotation":    annotations(`"scheduler.alpha.kubernetes.io/node-selector": "x=y"`),
		"have a tool remove a label": `{"metadata": {"managedFields": [{"manager": "tool", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
			"fieldsV1": {"f:metadata": {"f:labels": {"f:kubernetes.io/metadata.name": {}}}}}]}}`,
	}
	for user, theirs := range may {
		for name, patch := range tries {
			for _, sent := range [][]byte{[]byte(patch), merged(patch, theirs)} {
				err := asUser(t, user).Patch(ctx, space.DeepCopy(), client.RawPatch(types.MergePatchType, sent))
				expectRefusal(t, err, user+" may change only the annotations of break-glass and of the binding of namespace "+namespace)
				if err == nil {
					t.Errorf("%s may %s", user, name)
				}
			}
		}
		if err := asUser(t, user).Patch(ctx, space.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(theirs))); err != nil {
			t.Errorf("%s: %v", user, err)
		}
	}
	beside := `{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged", "holdfast.dev/shard": "eu"}}}`
	expectRefusal(t, asUser(t, "bind").Patch(ctx, space.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(beside))), "bind may change only the annotations")
	for _, value := range []string{`"eu"`, `"us"`, `null`} {
		shard := client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"labels": {"holdfast.dev/shard": `+value+`}}}`))
		if err := asUser(t, "bind").Patch(ctx, space.DeepCopy(), shard); err != nil {
			t.Errorf("who may bind the Namespace does not set its shard to %s: %v", value, err)
		}
		expectRefusal(t, asUser(t, "break-glass-namespaces").Patch(ctx, space.DeepCopy(),
			client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"labels": {"holdfast.dev/shard": "nobodys"}}}`))), "the RBAC verb bind on namespaces is missing")
	}
}

// TestWhoMayUpdateIsNotLimited: an editor who is on call as well edits as before, by Kubernetes' own role edit.
func TestWhoMayUpdateIsNotLimited(t *testing.T) {
	installStamps(t)
	namespace := tenant(t)
	obj := manifest(t, "Bucket", namespace)
	patch := merged(besides["write what they approve"], besides["label"], annotations(`"holdfast.dev/break-glass": "`+reason+`"`))
	if err := asUser(t, "edit-on-call").Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch)); err != nil {
		t.Error(err)
	}
	for _, user := range []string{"edit", "admin"} {
		if err := asUser(t, user).Patch(ctx, manifest(t, "Bucket", namespace), client.RawPatch(types.MergePatchType, []byte(besides["change what deleting does"]))); err != nil {
			t.Errorf("%s: %v", user, err)
		}
		for _, key := range []string{`"holdfast.dev/break-glass": "INC-4712: another reason"`, `"holdfast.dev/approve": "0123456789abcdef"`} {
			expectRefusal(t, annotate(t, user, obj.DeepCopy(), "{"+key+"}"), user+" may not ")
		}
	}
	expectRefusal(t, annotate(t, "view", obj.DeepCopy(), `{"x": "y"}`), `cannot patch resource "buckets"`)
}

// TestOnCallAfterManyOthers: however many tools have written an object, those who may annotate it still can.
func TestOnCallAfterManyOthers(t *testing.T) {
	installStamps(t)
	namespace := tenant(t)
	obj := manifest(t, "Bucket", namespace)
	for i := range 12 { // more than the API server keeps apart
		patch := annotations(fmt.Sprintf(`"example.com/tool-%d": "was here"`, i))
		if err := asUser(t, "edit").Patch(ctx, obj.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch)), client.FieldOwner(fmt.Sprint("tool-", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := annotate(t, "break-glass", obj.DeepCopy(), `{"holdfast.dev/break-glass": "`+reason+`"}`); err != nil {
		t.Error(err)
	}
	if err := annotate(t, "break-glass", obj.DeepCopy(), `{"holdfast.dev/break-glass": null}`); err != nil {
		t.Error(err)
	}
}
