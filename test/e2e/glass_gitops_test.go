package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// flux applies what is in git as Flux's kustomize-controller does: a dry run; then it renames what kubectl owns to be its
// own; then it applies with force, and what it owns and git does not have is removed.
type flux struct {
	*world
	kube client.Client
}

const fluxManager = "kustomize-controller"

func (w *world) flux() flux { return flux{w, w.as(installed.GitOps)} }

func (f flux) apply(git *unstructured.Unstructured) error {
	ctx := f.t.Context()
	dryRun := func(obj *unstructured.Unstructured, more ...client.ApplyOption) error {
		options := append([]client.ApplyOption{client.FieldOwner(fluxManager), client.ForceOwnership}, more...)
		return f.kube.Apply(ctx, client.ApplyConfigurationFromUnstructured(obj), options...)
	}
	if err := dryRun(git.DeepCopy(), client.DryRunAll); err != nil {
		return err
	}
	live := git.DeepCopy()
	if err := f.kube.Get(ctx, client.ObjectKeyFromObject(git), live); client.IgnoreNotFound(err) != nil {
		return err
	} else if err == nil {
		if err := f.takeOver(live); err != nil {
			return err
		}
	}
	return dryRun(git.DeepCopy())
}

// takeOver makes what kubectl owns Flux's.
func (f flux) takeOver(live *unstructured.Unstructured) error {
	var kept []metav1.ManagedFieldsEntry
	own := metav1.ManagedFieldsEntry{
		Manager: fluxManager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: live.GetAPIVersion(), FieldsType: "FieldsV1",
	}
	var fields fieldpath.Set
	for _, entry := range live.GetManagedFields() {
		if entry.Subresource != "" || !strings.HasPrefix(entry.Manager, "kubectl") && entry.Manager != fluxManager {
			kept = append(kept, entry)
			continue
		}
		var some fieldpath.Set
		if err := some.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
			return err
		}
		fields, own.Time = *fields.Union(&some), entry.Time
	}
	raw, err := fields.ToJSON()
	if err != nil {
		return err
	}
	own.FieldsV1 = metav1.NewFieldsV1(string(raw))
	patch, err := json.Marshal([]map[string]any{{"op": "replace", "path": "/metadata/managedFields", "value": append(kept, own)}})
	if err != nil {
		return err
	}
	return f.kube.Patch(f.t.Context(), live, client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(fluxManager))
}

// inGit is a manifest of an object, without all that people and Holdfast put on it.
func (w *world) inGit(obj client.Object, spec map[string]any) *unstructured.Unstructured {
	w.t.Helper()
	gvk, err := apiutil.GVKForObject(obj, scheme)
	w.must(err)
	git := &unstructured.Unstructured{Object: map[string]any{}}
	git.SetGroupVersionKind(gvk)
	git.SetNamespace(obj.GetNamespace())
	git.SetName(obj.GetName())
	git.SetLabels(map[string]string{"from": "git"})
	if spec != nil {
		git.Object["spec"] = spec
	}
	return git
}

// coOwned waits until the operator owns all annotations of a glass or an approval that are on an object.
func (w *world) coOwned(obj client.Object) {
	w.t.Helper()
	w.eventually("the annotations of "+obj.GetName()+" to be co-owned", func() (bool, string) {
		live := obj.DeepCopyObject().(client.Object)
		w.must(w.kube.Get(w.t.Context(), client.ObjectKeyFromObject(obj), live))
		var owned []string
		for _, f := range live.GetManagedFields() {
			if f.Manager == "holdfast" && f.Operation == metav1.ManagedFieldsOperationApply {
				owned = append(owned, string(f.FieldsV1.GetRawBytes()))
			}
		}
		for key := range glassOf(live) {
			if !strings.Contains(strings.Join(owned, ""), `"f:`+key+`"`) {
				return false, encoded(w, live.GetManagedFields())
			}
		}
		return true, ""
	})
}

// glassOf are the annotations of a glass or an approval.
func glassOf(obj client.Object) map[string]string {
	out := maps.Clone(obj.GetAnnotations())
	maps.DeleteFunc(out, func(key, _ string) bool {
		return !strings.HasPrefix(key, "holdfast.dev/break-glass") && !strings.HasPrefix(key, "holdfast.dev/approve")
	})
	return out
}

// TestGitOpsLeavesAnApproval of a plan that is still on hold, because another one is approved.
func TestGitOpsLeavesAnApproval(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	obj := topics.manifest("orders", v1alpha1.CommonSpec{})
	obj.SetNamespace(w.namespace)
	w.must(w.flux().apply(w.inGit(obj, map[string]any{"management": "Approve", "messageRetentionSeconds": int64(3600)})))
	w.reason(obj, v1alpha1.ReasonAwaitingApproval)
	w.annotates(installed.Ada, obj, annotations{v1alpha1.ApproveAnnotation: "0123456789abcdef"})
	w.coOwned(obj)
	w.get(obj)
	before := glassOf(obj)
	if len(before) != 2 {
		t.Fatalf("annotated is %v", before)
	}
	w.must(w.flux().apply(w.inGit(obj, map[string]any{"management": "Approve", "messageRetentionSeconds": int64(7200)})))
	w.reason(obj, v1alpha1.ReasonAwaitingApproval)
	if after := glassOf(obj); !maps.Equal(before, after) {
		t.Errorf("after Flux applied annotations are %v, were %v", after, before)
	}
}

func TestGitOpsDoesNotCloseTheGlass(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	obj := topics.manifest("orders", v1alpha1.CommonSpec{})
	obj.SetNamespace(w.namespace)
	w.must(w.flux().apply(w.inGit(obj, map[string]any{"messageRetentionSeconds": int64(3600)})))
	w.ready(obj)
	w.annotates(installed.Ada, obj, annotations{
		v1alpha1.BreakGlassAnnotation: incident, v1alpha1.BreakGlassUntilAnnotation: "2099-01-01T00:00:00Z",
	})
	w.coOwned(obj)
	w.get(obj)
	before := glassOf(obj)
	if len(before) != 3 {
		t.Fatalf("annotated is %v", before)
	}
	w.must(w.flux().apply(w.inGit(obj, map[string]any{"messageRetentionSeconds": int64(7200)})))
	w.reason(obj, v1alpha1.ReasonBreakGlass)
	if after := glassOf(obj); !maps.Equal(before, after) {
		t.Errorf("after Flux applied annotations are %v, were %v", after, before)
	}

	t.Log("nor does it stop Flux once it is closed")
	w.closeGlass(obj)
	w.glass(obj, metav1.ConditionFalse)
	w.eventually("what Flux cannot stumble over", func() (bool, string) {
		err := w.flux().apply(w.inGit(obj, map[string]any{"messageRetentionSeconds": int64(1800)}))
		return err == nil, "Flux is refused"
	})
	w.eventually("the new generation to be applied", func() (bool, string) {
		return w.liveTopic("orders").GetMessageRetentionDuration().GetSeconds() == 1800, describe(obj)
	})
	w.get(obj)
	if record := obj.GetCommonStatus().BreakGlassHistory[0]; record.ClosedBy != installed.Ada {
		t.Errorf("closed by %q", record.ClosedBy)
	}
}

func TestGitOpsDoesNotCloseTheGlassOfANamespace(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	space := w.space()
	w.must(w.flux().apply(w.inGit(space, nil)))
	w.breakGlass(space)
	w.coOwned(space)
	w.must(w.flux().apply(w.inGit(space, nil)))
	w.must(w.kube.Get(t.Context(), client.ObjectKeyFromObject(space), space))
	if by := space.Annotations[v1alpha1.BreakGlassByAnnotation]; space.Annotations[v1alpha1.BreakGlassAnnotation] != incident || by != installed.Ada {
		t.Errorf("after Flux applied annotations are %v", space.Annotations)
	}
	w.closeGlass(space)
	w.eventually("what Flux cannot stumble over", func() (bool, string) {
		return w.flux().apply(w.inGit(space, nil)) == nil, "Flux is refused"
	})
}

// TestWhileTheOperatorIsDownGitOpsIsRefused: nothing co-owns the annotation then.
func TestWhileTheOperatorIsDownGitOpsIsRefused(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	obj := topics.manifest("orders", v1alpha1.CommonSpec{})
	obj.SetNamespace(w.namespace)
	w.must(w.flux().apply(w.inGit(obj, map[string]any{"messageRetentionSeconds": int64(3600)})))
	w.ready(obj)
	w.stop()
	w.breakGlass(obj)
	err := w.flux().apply(w.inGit(obj, map[string]any{"messageRetentionSeconds": int64(7200)}))
	if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "only a person may") {
		t.Errorf("Flux is told %v", err)
	}
	w.get(obj)
	replaced := obj.DeepCopyObject().(v1alpha1.Object)
	replaced.SetAnnotations(nil)
	replaced.SetManagedFields(nil)
	if err := w.as(installed.GitOps).Update(t.Context(), replaced); err == nil || !strings.Contains(err.Error(), "only a person may") {
		t.Errorf("a replace is told %v", err)
	}
	mark := w.cloud.Traffic.Mark()
	w.start()
	w.glass(obj, metav1.ConditionTrue)
	w.coOwned(obj)
	w.must(w.flux().apply(w.inGit(obj, map[string]any{"messageRetentionSeconds": int64(7200)})))
	w.reason(obj, v1alpha1.ReasonBreakGlass)
	w.noWrites(mark)
}

// TestAStaleLookDoesNotBreakTheGlassAnew: the operator's apply is held while somebody closes the glass.
func TestAStaleLookDoesNotBreakTheGlassAnew(t *testing.T) {
	t.Parallel()
	for where, on := range map[string]func(w *world, obj v1alpha1.Object) client.Object{
		"object":    func(_ *world, obj v1alpha1.Object) client.Object { return obj },
		"namespace": func(w *world, _ v1alpha1.Object) client.Object { return w.space() },
	} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.turnstile = &turnstile{}
			w.start()
			obj := topics.manifest("orders", v1alpha1.CommonSpec{})
			w.create(obj)
			w.ready(obj)
			annotated := on(w, obj)
			path := "/" + annotated.GetName()
			applying := w.turnstile.stop(func(r request) bool { return r.method == http.MethodPatch && strings.HasSuffix(r.path, path) })
			t.Cleanup(applying.goOn)
			w.breakGlass(annotated)
			w.eventually("the operator to apply", func() (bool, string) { return len(applying.reached) > 0, "" })
			w.closeGlass(annotated)
			applying.goOn()
			if _, is := annotated.(*corev1.Namespace); !is {
				w.settled(obj)
			}
			w.eventually("the apply to be answered", func() (bool, string) {
				return slices.ContainsFunc(w.turnstile.answered(), func(r request) bool {
					return r.method == http.MethodPatch && strings.HasSuffix(r.path, path) && r.began.After(applying.went())
				}), ""
			})
			w.glass(obj, metav1.ConditionFalse)
			w.must(w.kube.Get(t.Context(), client.ObjectKeyFromObject(annotated), annotated))
			if reason, there := annotated.GetAnnotations()[v1alpha1.BreakGlassAnnotation]; there {
				t.Errorf("the glass is broken anew: %s", reason)
			}
		})
	}
}
