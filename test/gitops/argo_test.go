package gitops

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/test/process"
	"github.com/holdfast-dev/holdfast/test/readme"
)

const argoNamespace = "argocd"

// startArgo runs the application controller and the repo server with redis, and configures them by config/argocd.
func (w *world) startArgo() error {
	folder, err := moduleFolder("argocd", "github.com/argoproj/argo-cd/v3", "")
	if err != nil {
		return err
	}
	if err := w.configureArgo(folder); err != nil {
		return err
	}
	kubeconfig, err := w.kubeconfigOf(argoNamespace, "argocd-application-controller")
	if err != nil {
		return err
	}
	addresses, err := process.FreeAddresses(4)
	if err != nil {
		return err
	}
	redis, repoServer, repoMetrics, metrics := addresses[0], addresses[1], addresses[2], addresses[3]
	home := w.file("argocd")
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	// The repo server calls it by its name, and modules have no executable files.
	const wrapper = "git-verify-wrapper.sh"
	script, err := os.ReadFile(filepath.Join(folder, "hack", wrapper))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(home, wrapper), script, 0o755); err != nil {
		return err
	}
	if err := w.run(redis, process.Program{Name: "redis", Path: "redis-server", Args: []string{
		"--bind", "127.0.0.1", "--port", port(redis), "--save", "", "--appendonly", "no", "--dir", home,
	}}); err != nil {
		return err
	}
	envs := []string{
		"KUBECONFIG=" + kubeconfig, "ARGOCD_FAKE_IN_CLUSTER=true", "ARGOCD_GPG_ENABLED=false", "HOME=" + home,
		"ARGOCD_TLS_DATA_PATH=" + home, "ARGOCD_SSH_DATA_PATH=" + home, "ARGOCD_ASK_PASS_SOCK=" + filepath.Join(home, "ask-pass.sock"),
		"PATH=" + home + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	argo := os.Getenv("HOLDFAST_ARGOCD")
	if err := w.run(repoServer, process.Program{Name: "argocd-repo-server", Path: argo, As: "argocd-repo-server", Env: envs, Args: []string{
		"--address", "127.0.0.1", "--port", port(repoServer), "--disable-tls", "--client-ca-path=", "--metrics-address", "127.0.0.1", "--metrics-port", port(repoMetrics),
		"--redis", redis, "--revision-cache-expiration", "3s", "--logformat", "text",
	}}); err != nil {
		return err
	}
	return w.run(metrics, process.Program{Name: "argocd-application-controller", Path: argo, As: "argocd-application-controller", Env: envs, Args: []string{
		"--repo-server", repoServer, "--repo-server-plaintext", "--redis", redis, "--metrics-port", port(metrics),
		"--app-resync", "15", "--app-resync-jitter", "0", "--persist-resource-health", "--logformat", "text",
	}})
}

func port(address string) string { return address[strings.LastIndex(address, ":")+1:] }

// configureArgo installs what Argo CD wants to find, from the folder of its module, and our health.
func (w *world) configureArgo(folder string) error {
	crds := filepath.Join(folder, "manifests", "crds")
	if _, err := w.kubectl("", "apply", "--server-side",
		"-f", filepath.Join(crds, "application-crd.yaml"), "-f", filepath.Join(crds, "appproject-crd.yaml")); err != nil {
		return err
	}
	if err := w.established("applications.argoproj.io", "appprojects.argoproj.io"); err != nil {
		return err
	}
	if err := w.makeAdministrator(argoNamespace, "argocd-application-controller"); err != nil {
		return err
	}
	labels := map[string]string{"app.kubernetes.io/part-of": "argocd"}
	project := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"sourceRepos":              []any{"*"},
		"destinations":             []any{map[string]any{"namespace": "*", "server": "*"}},
		"clusterResourceWhitelist": []any{map[string]any{"group": "*", "kind": "*"}},
	}}}
	project.SetAPIVersion("argoproj.io/v1alpha1")
	project.SetKind("AppProject")
	project.SetNamespace(argoNamespace)
	project.SetName("default")
	for _, obj := range []client.Object{
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: argoNamespace, Name: "argocd-cm", Labels: labels}},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: argoNamespace, Name: "argocd-secret", Labels: labels},
			StringData: map[string]string{"server.secretkey": "not-a-secret"},
		},
		project,
	} {
		if err := w.kube.Create(context.Background(), obj); err != nil {
			return err
		}
	}
	_, err := w.kubectl("", "patch", "configmap", "argocd-cm", "-n", argoNamespace, "--patch-file", root+"/config/argocd/argocd-cm.yaml")
	return err
}

// argo is one Application.
type argo struct {
	t    *testing.T
	w    *world
	name string
	// serverSide has it apply by the API server's merge rather than its own.
	serverSide bool
}

func (a *argo) String() string { return "Argo CD" }

func (a *argo) tellsHealth() bool { return true }

func (a *argo) watched() *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetAPIVersion("argoproj.io/v1alpha1")
	obj.SetKind("Application")
	obj.SetNamespace(argoNamespace)
	obj.SetName(a.name)
	return obj
}

// follow makes the Application that README's section on Argo CD shows.
func (a *argo) follow(url, namespace string) {
	a.t.Helper()
	application, err := readme.Object(root, "With Argo CD")
	if err == nil {
		application.SetName(a.name)
		err = set(application, map[string]any{"source.repoURL": url, "source.path": folder, "destination.namespace": namespace})
	}
	if err == nil && a.serverSide {
		err = set(application, map[string]any{"syncPolicy.syncOptions": []any{"ServerSideApply=true"}})
	}
	if err != nil {
		a.t.Fatal(err)
	}
	if err := a.w.kube.Create(a.t.Context(), application); err != nil {
		a.t.Fatalf("creating the Application: %v", err)
	}
}

func (a *argo) refresh() {
	a.t.Helper()
	patch := client.RawPatch(client.Merge.Type(), []byte(`{"metadata":{"annotations":{"argocd.argoproj.io/refresh":"normal"}}}`))
	if err := a.w.kube.Patch(a.t.Context(), a.watched(), patch); err != nil {
		a.t.Fatalf("asking for a refresh: %v", err)
	}
}

// verdict reads the Application: what is synced, how healthy that is, and how the last sync ended where it is not.
func (a *argo) verdict(obj *unstructured.Unstructured) verdict {
	text := func(path ...string) string {
		found, _, _ := unstructured.NestedString(obj.Object, path...)
		return found
	}
	list := func(path ...string) []map[string]any {
		var found []map[string]any
		items, _, _ := unstructured.NestedSlice(obj.Object, path...)
		for _, item := range items {
			found = append(found, item.(map[string]any))
		}
		return found
	}
	v := verdict{Revision: text("status", "sync", "revision"), State: applying, Health: map[string]string{}}
	says := []string{text("status", "sync", "status"), text("status", "health", "status")}
	for _, resource := range list("status", "resources") {
		id := fmt.Sprintf("%v/%v", resource["kind"], resource["name"])
		health, _ := resource["health"].(map[string]any)
		v.Health[id], _ = health["status"].(string)
		says = append(says, fmt.Sprintf("%s: %v %v %v", id, resource["status"], health["status"], health["message"]))
	}
	v.Inventory = slices.Sorted(maps.Keys(v.Health))
	for _, condition := range list("status", "conditions") {
		says = append(says, fmt.Sprintf("%v: %v", condition["type"], condition["message"]))
	}
	switch synced, health := text("status", "sync", "status") == "Synced", text("status", "health", "status"); {
	case synced && health == "Healthy":
		v.State = healthy
	case synced && health == "Suspended":
		v.State = held
	case synced && health == "Degraded":
		v.State = red
	case synced:
		v.State = waiting
	}
	if operation := lastSync(obj); operation.Status != "Succeeded" && operation.Status != "" {
		says = append(says, "the last sync "+operation.Status+": "+operation.Message)
		if v.State == applying && operation.Reason == v.Revision && strings.Contains(operation.Message, "unsuccessful") {
			v.State = red
		}
	}
	v.Says = strings.Join(says, "\n")
	return v
}

// lastSync is the phase of the last sync, the commit that it was of, and what is said of it. It is Running while a
// sync that failed is tried again.
func lastSync(obj *unstructured.Unstructured) state {
	text := func(path ...string) string {
		found, _, _ := unstructured.NestedString(obj.Object, append([]string{"status", "operationState"}, path...)...)
		return found
	}
	return state{Status: text("phase"), Reason: text("syncResult", "revision"), Message: text("message")}
}

// remove deletes the Application, and all that it has made, as its finalizer says.
func (a *argo) remove() {
	a.t.Helper()
	if err := a.w.kube.Delete(a.t.Context(), a.watched()); err != nil {
		a.t.Fatalf("deleting the Application: %v", err)
	}
}
