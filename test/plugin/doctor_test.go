package plugin

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// finding is what doctor says of one check.
type finding struct{ Level, Check, Message, Fix string }

// examined are the findings of doctor, and its exit code.
func (w *world) examined(args ...string) (findings []finding, code int) {
	w.t.Helper()
	got := w.run(append([]string{"doctor", "-o", "json"}, args...)...)
	var said struct {
		Level    string
		Findings []finding
	}
	if err := json.Unmarshal([]byte(got.stdout), &said); err != nil {
		w.t.Fatalf("%v\n%s\n%s", err, got.stdout, got.stderr)
	}
	if want := map[string]int{"ok": 0, "warn": 2, "fail": 1}[said.Level]; got.code != want {
		w.t.Errorf("exit code %d with level %s", got.code, said.Level)
	}
	return said.Findings, got.code
}

// has says whether a finding has that level, is of that check, and says something.
func has(findings []finding, level, check, says string) bool {
	for _, f := range findings {
		if f.Level == level && f.Check == check && strings.Contains(f.Message, says) {
			return true
		}
	}
	return false
}

// TestDoctor: what is wrong with an installation is said, and how to mend it. It has an API server of its own to break.
func TestDoctor(t *testing.T) {
	t.Parallel()
	environment := &envtest.Environment{CRDDirectoryPaths: []string{filepath.Join("..", "..", "config", "crd", "bases")}}
	config, err := installed.Start(environment)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := newWorld(t, "doctor")
	kubeconfig := filepath.Join(w.folder, "patient")
	w.must(os.WriteFile(kubeconfig, environment.KubeConfig, 0o600))
	kube, err := client.New(config, client.Options{Scheme: scheme})
	w.must(err)
	w.kube = kube

	t.Log("nothing but the definitions")
	got, _ := w.examined("--kubeconfig", kubeconfig)
	for _, want := range []finding{
		{"ok", "CRDs", "buckets.gcp.holdfast.dev serves v1alpha1 and v1beta1", ""},
		{"fail", "policies", "ValidatingAdmissionPolicy holdfast-guard-break-glass is not installed", ""},
		{"warn", "policies", "MutatingAdmissionPolicy holdfast-stamp-break-glass is not installed", ""},
		{"warn", "roles", "ClusterRole holdfast-break-glass is not installed", ""},
		{"fail", "in force", "a forged holdfast.dev/break-glass-by was accepted", ""},
		{"warn", "bindings", "no Namespace is bound", ""},
	} {
		if !has(got, want.Level, want.Check, want.Message) {
			t.Errorf("no %+v in\n%+v", want, got)
		}
	}

	t.Log("all of it, and who leads")
	w.must(install(config))
	w.must(installed.Create(kube, "rbac", "users.yaml", "metrics.yaml"))
	w.makeNamespace("doctor", map[string]string{v1alpha1.ProjectIDAnnotation: "doctor-prod"})
	clients, err := kubernetes.NewForConfig(config)
	w.must(err)
	holder, renewed, lasts := "holdfast-manager-1", metav1.NewMicroTime(time.Now()), int32(3600)
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "holdfast-manager"},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &renewed, LeaseDurationSeconds: &lasts},
	}
	_, err = clients.CoordinationV1().Leases("holdfast-system").Create(t.Context(), lease, metav1.CreateOptions{})
	w.must(err)
	printed := w.run("doctor", "--kubeconfig", kubeconfig)
	w.ends(printed, 2, "", "")
	w.golden("doctor/text", versions.ReplaceAllString(since.ReplaceAllString(printed.stdout, " 1s ago"), "VERSION"))

	t.Log("a policy that denies nothing, a shard without an operator, and a permission that the operator misses")
	binding := &unstructured.Unstructured{}
	binding.SetGroupVersionKind(schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "ValidatingAdmissionPolicyBinding"})
	w.must(kube.Get(t.Context(), client.ObjectKey{Name: "holdfast-guard-break-glass"}, binding))
	w.must(unstructured.SetNestedStringSlice(binding.Object, []string{"Warn"}, "spec", "validationActions"))
	w.must(kube.Update(t.Context(), binding))
	w.makeNamespace("europe", map[string]string{v1alpha1.ProjectIDAnnotation: "europe-prod"})
	europe := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "europe"}}
	w.must(kube.Patch(t.Context(), europe, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"holdfast.dev/shard":"eu"}}}`))))
	w.denied(config, "exports", "europe")
	got, code := w.examined("--kubeconfig", kubeconfig)
	for _, want := range []finding{
		{"fail", "policies", "ValidatingAdmissionPolicyBinding holdfast-guard-break-glass is not that of", ""},
		{"fail", "leader", "nobody holds the lease of the shard eu, to which 1 Namespace bound to projects belong", ""},
		{"ok", "leader", "holdfast-manager-1 leads the release without --shard", ""},
		{"fail", "access", "project europe-prod: Denied: permission pubsub.topics.get is missing (1 manifest, such as Topic europe/exports)", ""},
	} {
		if !has(got, want.Level, want.Check, want.Message) {
			t.Errorf("no %+v in\n%+v", want, got)
		}
	}
	if code != 1 {
		t.Errorf("exit code %d", code)
	}

	t.Log("an operator that is bound to no role")
	w.released(kubeconfig)

	w.eventually("the guard to be out of force", func() (bool, string) {
		got, _ := w.examined("--kubeconfig", kubeconfig)
		return has(got, "fail", "in force", "was accepted (in a dry run)"), ""
	})
}

// released finds the operator's Deployment installed: with all its rights, and without the bindings that give them.
func (w *world) released(kubeconfig string) {
	w.t.Helper()
	deployment, err := installed.Objects("manager", "deployment.yaml")
	w.must(err)
	w.must(w.kube.Create(w.t.Context(), deployment[0]))
	got, _ := w.examined("--kubeconfig", kubeconfig)
	const account = "service account holdfast-manager of namespace holdfast-system "
	for _, want := range []finding{
		{"fail", "operator", "no replica of deployment holdfast-manager is available", ""},
		{"ok", "operator", account + "has all", ""},
	} {
		if !has(got, want.Level, want.Check, want.Message) {
			w.t.Errorf("no %+v in\n%+v", want, got)
		}
	}
	if has(got, "fail", "operator", account) || has(got, "warn", "operator", account) {
		w.t.Errorf("rights are missing in\n%+v", got)
	}

	for _, file := range []string{"role_bindings.yaml", "metrics.yaml"} {
		objects, err := installed.Objects("rbac", file)
		w.must(err)
		for _, obj := range objects {
			if strings.HasSuffix(obj.GetKind(), "Binding") {
				w.must(w.kube.Delete(w.t.Context(), obj))
			}
		}
	}
	for _, want := range []finding{
		{"fail", "operator", account + "may not get namespaces, list namespaces, patch namespaces, watch namespaces, ", ""},
		{"fail", "operator", account + "may not create configmaps -n holdfast-system, ", ""},
		{"warn", "operator", account + "may not create tokenreviews.authentication.k8s.io, create subjectaccessreviews.authorization.k8s.io", ""},
	} {
		w.eventually("doctor to miss: "+want.Message, func() (bool, string) {
			got, _ := w.examined("--kubeconfig", kubeconfig)
			return has(got, want.Level, want.Check, want.Message), fmt.Sprintf("%+v", got)
		})
	}
}

// since is how long ago something was, which depends on how long the test takes.
var since = regexp.MustCompile(` [0-9]+s ago`)

// versions differ from build to build.
var versions = regexp.MustCompile(`\(devel\)|\bv[0-9]+\.[0-9.]+(-[0-9a-zA-Z.-]+)?(\+[a-z0-9]+)?`)

// denied makes a manifest of which the operator says that it may not read its resource.
func (w *world) denied(config *rest.Config, name, namespace string) {
	w.t.Helper()
	obj := topic(name)
	obj.Namespace = namespace
	w.must(w.kube.Create(w.t.Context(), obj))
	message := `reading topic "exports": permission pubsub.topics.get is missing on projects/europe-prod/topics/exports. Grant a role that has it to ` +
		`Holdfast's service account; if it has one already, an IAM deny policy takes it away. Google says: denied`
	before := obj.DeepCopy()
	obj.Status.Project = "europe-prod"
	for _, condition := range []string{"Ready", "Stalled"} {
		status := map[string]metav1.ConditionStatus{"Ready": metav1.ConditionFalse, "Stalled": metav1.ConditionTrue}[condition]
		obj.Status.Conditions = append(obj.Status.Conditions, metav1.Condition{
			Type: condition, Status: status, Reason: v1alpha1.ReasonDenied, Message: message, LastTransitionTime: metav1.Now(),
		})
	}
	operator, err := client.New(installed.As(config, installed.Operator), client.Options{Scheme: scheme})
	w.must(err)
	w.must(operator.Status().Patch(w.t.Context(), obj, client.MergeFrom(before)))
}
