package admission

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// What objects of the fuzz are made of: all that the policies look at, in shapes that nobody would think of.
var (
	oddTexts = []string{
		"", " ", "x", reason, "INC-1 " + strings.Repeat("ä", 600), "\u202egnp INC-4711", "INC-4711\nforged", "2026-02-30T00:00:00Z", "2999-12-31T23:59:59.999999999+23:59",
		"0000-01-01T00:00:00Z", "not a time", "99999999999h", "1h", "-1h", "1h1h", "(INC", "system:serviceaccount:a:b", "system:serviceaccount:,,", ",", bob, operator,
		"expired", strings.Repeat("a", 64), "shop-prod",
	}
	oddKeys = []string{
		"break-glass", "break-glass-by", "break-glass-until", "break-glass-closed-by", "approve", "approve-by", "reconcile-requested-at", "project-id",
		"allowed-project-ids", "impersonate-service-account", "break-glass-max", "break-glass-reason-pattern", "break-glass-service-accounts", "operators",
		"restore-service-accounts", "allow-references-from", "allow", "unheard-of",
	}
	oddSpecs = []string{
		`{}`, `{"management": "Observe"}`, `{"iam": {}}`, `{"iam": {"bindings": []}}`, `{"iam": {"mode": "Additive"}}`,
		`{"iam": {"bindings": [{"role": "roles/viewer", "members": ["allUsers"]}]}}`,
		`{"iam": {"mode": "AuthoritativeRoles", "safety": {}, "bindings": [{"role": "roles/viewer", "serviceAccountRefs": [{"name": "x"}]}]}}`,
		`{"iam": {"bindings": [{"role": "roles/viewer", "members": ["user:a@example.com"], "condition": {"title": "t", "expression": "true"}}]}}`,
		`{"bindings": []}`, `{"bindings": [{"role": "roles/owner", "members": ["user:a@example.com"]}], "auditConfigs": []}`,
		`{"mode": "Authoritative", "bindings": [{"role": "roles/owner", "members": ["user:a@example.com"]}]}`,
	}
	oddPeople     = []string{ada, bob, gitops, operator, "", "nobody-at-all"}
	oddFinalizers = [][]any{nil, {v1alpha1.Finalizer}, {"example.com/a", "example.com/b"}, {v1alpha1.Finalizer, "example.com/a"}}
)

func oneOf[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

// oddMetadata are annotations, labels and finalizers, and what others claim to own.
func oddMetadata(r *rand.Rand) map[string]any {
	annotations := map[string]any{}
	for range r.IntN(5) {
		annotations["holdfast.dev/"+oneOf(r, oddKeys)] = oneOf(r, oddTexts)
	}
	metadata := map[string]any{"annotations": annotations, "finalizers": oneOf(r, oddFinalizers), "labels": map[string]any{"team": "shop"}}
	for _, key := range []string{"annotations", "finalizers", "labels"} {
		if r.IntN(3) == 0 {
			metadata[key] = nil
		}
	}
	if r.IntN(3) == 0 {
		metadata["managedFields"] = []any{map[string]any{
			"manager": oneOf(r, []string{"", "x", "ancient-changes", "before-first-apply"}), "operation": oneOf(r, []string{"Update", "Apply"}),
			"apiVersion": oneOf(r, []string{"v1", "gcp.holdfast.dev/v1alpha1"}), "fieldsType": "FieldsV1",
			"fieldsV1": oneOf(r, []any{map[string]any{}, map[string]any{"f:metadata": map[string]any{"f:annotations": map[string]any{"f:holdfast.dev/break-glass": map[string]any{}}}}}),
		}}
	}
	return metadata
}

// TestNoExpressionOfAPolicyFails, whatever the objects have and lack, whoever asks for whatever: one that fails refuses the request, be it that
// of somebody who breaks the glass in an incident. The requests are dry runs but for those that make what the others start from; the seed is
// the same each time.
func TestNoExpressionOfAPolicyFails(t *testing.T) {
	installStamps(t)
	r := rand.New(rand.NewPCG(1, 2))
	all := []schema.GroupVersionKind{{Version: "v1", Kind: "Namespace"}, v1alpha1.GroupVersion.WithKind("BreakGlassRecord")}
	all = append(all, served(t)...)
	people := map[string]client.Client{}
	for _, name := range oddPeople {
		people[name] = asUser(t, name)
	}
	answers := map[string]int{}
	for i := range 250 {
		gvk, user := oneOf(r, all), people[oneOf(r, oddPeople)]
		obj := &unstructured.Unstructured{Object: map[string]any{"metadata": oddMetadata(r)}}
		if gvk.Kind != "Namespace" {
			var spec any
			if err := json.Unmarshal([]byte(oneOf(r, oddSpecs)), &spec); err != nil {
				t.Fatal(err)
			}
			if obj.Object["spec"] = spec; gvk.Kind == "BreakGlassRecord" {
				obj.Object["spec"] = map[string]any{"externalName": "//x/y", "project": "shop-prod"}
			}
			obj.SetNamespace(metav1.NamespaceDefault)
		}
		obj.SetGroupVersionKind(gvk)
		obj.SetName(fmt.Sprint("odd-", i))
		managed, patch := obj.GetManagedFields(), client.RawPatch(types.MergePatchType, mustJSON(t, map[string]any{"metadata": oddMetadata(r), "spec": obj.Object["spec"]}))
		obj.SetManagedFields(nil) // which no object is created with
		made := obj.DeepCopy()
		if err := people[""].Create(ctx, made); err != nil { // an administrator's, so that there is something to change
			obj.SetAnnotations(nil)
			made = obj.DeepCopy()
			if err := people[""].Create(ctx, made); err != nil {
				answers[outcomeOf(t, err)]++
				continue
			}
		}
		made.SetManagedFields(append(managed, made.GetManagedFields()...))
		obj.SetName(obj.GetName() + "-new")
		for _, err := range []error{
			user.Create(ctx, obj.DeepCopy(), client.DryRunAll),
			user.Update(ctx, made.DeepCopy(), client.DryRunAll),
			user.Patch(ctx, made.DeepCopy(), patch, client.DryRunAll),
			user.Status().Patch(ctx, made.DeepCopy(), patch, &client.SubResourcePatchOptions{PatchOptions: client.PatchOptions{DryRun: []string{metav1.DryRunAll}}}),
			user.Delete(ctx, made.DeepCopy(), client.DryRunAll),
		} {
			answers[outcomeOf(t, err)]++
		}
	}
	if answers["let through"] < 100 || answers["refused by a policy"] < 100 {
		t.Errorf("the requests try too little: %v", answers)
	}
}

func mustJSON(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// outcomeOf says how a request ended, and fails the test where an expression did.
func outcomeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "let through"
	}
	said := err.Error()
	failed := func(word string) bool { return strings.Contains(said, word) }
	switch {
	case slices.ContainsFunc([]string{"resulted in error", "cost limit", "cost budget"}, failed) && !strings.Contains(said, "error parsing regexp"):
		t.Errorf("an expression failed: %.500s", said)
		return "failed"
	case strings.Contains(said, "AdmissionPolicy"):
		return "refused by a policy"
	}
	return "refused otherwise"
}
