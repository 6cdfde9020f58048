package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/manifests"
)

// offline reads a manifest without the API server.
func offline(t *testing.T, manifest *unstructured.Unstructured) *manifests.Tree {
	t.Helper()
	text, err := manifest.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := manifests.Read(t.Context(), manifests.Options{Paths: []string{"-"}, Stdin: bytes.NewReader(text), Kinds: kinds.All(nil)})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// expectOfflineCreate checks that a manifest is refused without the API server for the same reasons as by it, and else becomes the same.
func expectOfflineCreate(t *testing.T, manifest, stored *unstructured.Unstructured, err error) {
	t.Helper()
	tree := offline(t, manifest)
	if d := cmp.Diff(reasons(t, err), reasonsOffline(tree.Problems)); d != "" {
		t.Errorf("refused (-API server +offline):\n%s", d)
	}
	k, ok := kind.Named(kinds.All(nil), manifest.GetKind())
	if err != nil || !ok {
		return
	}
	if len(tree.Objects) != 1 {
		t.Fatalf("%d objects were read, and one was created", len(tree.Objects))
	}
	want := k.New()
	decode(t, stored, want)
	unset := cmpopts.IgnoreFields(metav1.ObjectMeta{}, "UID", "ResourceVersion", "CreationTimestamp", "ManagedFields")
	if d := cmp.Diff(want, tree.Objects[0].Object, unset); d != "" {
		t.Errorf("stored (-API server +offline):\n%s", d)
	}
}

// expectOfflineUpdate checks that a manifest is refused for the same reasons as by the API server where another one is already. What is
// wrong with it whatever was there before, if anything, is all that is said without the API server.
func expectOfflineUpdate(t *testing.T, manifest, before *unstructured.Unstructured, err error) {
	t.Helper()
	k, ok := kind.Named(kinds.All(nil), manifest.GetKind())
	if !ok {
		return
	}
	want, tree := reasons(t, err), offline(t, manifest)
	if wrong := reasonsOffline(tree.Problems); len(wrong) > 0 {
		for _, reason := range wrong {
			if !slices.Contains(want, reason) {
				t.Errorf("offline it is refused with %s, by the API server with %q", reason, want)
			}
		}
		return
	}
	old := k.New()
	decode(t, before, old)
	problems, err := manifests.CheckUpdate(t.Context(), tree.Objects[0], old)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, reasonsOffline(problems)); d != "" {
		t.Errorf("refused (-API server +offline):\n%s", d)
	}
}

func decode(t *testing.T, from *unstructured.Unstructured, to v1alpha1.Object) {
	t.Helper()
	text, err := from.MarshalJSON()
	if err := errors.Join(err, json.Unmarshal(text, to)); err != nil {
		t.Fatal(err)
	}
}

// reasons are those of the API server, each with its field, sorted.
func reasons(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		t.Fatalf("this is not the API server's: %v", err)
	}
	var out []string
	if details := status.Status().Details; apierrors.IsInvalid(err) && details != nil {
		for _, cause := range details.Causes {
			out = append(out, reason(cause.Field, cause.Message))
		}
	}
	// A request that cannot be read is not invalid but bad.
	_, unreadable, _ := strings.Cut(status.Status().Message, " cannot be handled as a ")
	if _, why, bad := strings.Cut(unreadable, ": "); bad {
		list, strict := strings.CutPrefix(why, "strict decoding error: ")
		if !strict {
			out = append(out, list)
		}
		for message := range strings.SplitSeq(list, ", ") {
			if path, ok := strings.CutPrefix(message, "unknown field "); ok {
				out = append(out, reason(strings.Trim(path, `"`), message))
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("it gives no reasons: %v", err)
	}
	slices.Sort(out)
	return out
}

func reasonsOffline(problems []manifests.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, reason(p.Field, p.Message))
	}
	slices.Sort(out)
	return out
}

func reason(field, message string) string {
	message = alike(message)
	if field == "" || field == "<nil>" {
		return strings.TrimPrefix(strings.TrimPrefix(message, "Invalid value: null: "), "Invalid value: ")
	}
	return field + ": " + message
}

// TestOffline: what concerns all kinds alike, or several things at once. The rules of each kind are in the tests of that kind, which compare
// each refusal, each object and each update, too.
func TestOffline(t *testing.T) {
	const iam = "iam: {bindings: [{role: viewer, members: [someone]}, {role: viewer, members: [someone], condition: {expression: ''}}]}"
	cases := map[string]string{
		"several unknown fields":                "metadata: {colour: red, labels: {a: b}}\nspec: {one: 1, labels: {a: b}, two: {three: 3}}\nextra: true",
		"unknown fields in a list and a status": "spec: {iam: {bindings: [{role: roles/viewer, members: ['user:a@example.com'], note: x}]}}\nstatus: {colour: red}",
		"several wrong values":                  "spec: {management: Often, adoption: 5, deletionPolicy: [], labels: {A: B}, projectID: X}",
		"wrong values and broken rules":         "spec: {" + iam + ", labels: {goog-x: y}, resourceID: ''}",
		"a spec that is none":                   "spec: 5",
		"a spec that is a list":                 "spec: [a]",
		"nulls":                                 "metadata: {labels: null}\nspec: {labels: null, management: null, projectID: null, iam: {bindings: null}}\nstatus: null",
		"a null in a list":                      "spec: {iam: {bindings: [null]}}",
		"a name in capitals":                    "metadata: {name: Orders}",
		"a name that is too long":               "metadata: {name: " + strings.Repeat("a", 254) + "}",
		"a name with a slash":                   "metadata: {name: a/b}",
		"a name that is a number":               "metadata: {name: 5}",
		"a label that is a number":              "metadata: {labels: {a: 5}}",
		"labels that are a list":                "metadata: {labels: [a]}",
		"a bad label":                           "metadata: {labels: {'a b': c, d: 'e f', " + strings.Repeat("x", 64) + ": y}}",
		"a bad annotation":                      "metadata: {annotations: {'a b': c}}",
		"annotations that are too large":        "metadata: {annotations: {a: " + strings.Repeat("x", 256<<10) + "}}",
		"a bad finalizer":                       "metadata: {finalizers: ['a b']}",
		"a bad owner":                           "metadata: {ownerReferences: [{apiVersion: v1, kind: '', name: '', uid: ''}]}",
		"two controllers":                       "metadata: {ownerReferences: [{apiVersion: v1, kind: A, name: a, uid: a, controller: true}, {apiVersion: v1, kind: B, name: b, uid: b, controller: true}]}",
		"metadata of the past":                  "metadata: {generation: 7, creationTimestamp: '2026-01-01T00:00:00Z', deletionTimestamp: '2026-01-01T00:00:00Z', uid: x, selfLink: /x}",
		"a time that is none":                   "metadata: {creationTimestamp: yesterday}",
		"a status of somebody else's":           "status: {project: demo-project, conditions: [{type: Ready}], observedGeneration: 5}",
		"a status that is none":                 "status: 5",
		"numbers that are none":                 "spec: {labels: {a: 5, b: true, c: 1.5}}",
		"twice the same in a set":               "spec: {iam: {bindings: [{role: roles/viewer, members: ['user:a@example.com', 'user:a@example.com']}]}}",
		"nothing":                               "",
	}
	if !namesValues {
		delete(cases, "a bad owner") // older API servers do not say which one
	}
	for _, k := range kinds.All(nil) {
		for name, text := range cases {
			t.Run(k.Kind+", "+name, func(t *testing.T) {
				obj := manifest(t, k.Kind, "orders", text)
				before := obj.DeepCopy()
				err := client.NewDryRunClient(kube).Create(t.Context(), obj)
				expectOfflineCreate(t, before, obj, err)
			})
		}
	}
}
