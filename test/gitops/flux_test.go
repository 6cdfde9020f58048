package gitops

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/test/gitops/source"
	"github.com/holdfast-dev/holdfast/test/process"
	"github.com/holdfast-dev/holdfast/test/readme"
)

const fluxNamespace = "flux-system"

// startFlux runs kustomize-controller as its service account, and the stand-in for source-controller.
func (w *world) startFlux() error {
	for module, part := range map[string]string{
		"github.com/fluxcd/kustomize-controller": "", "github.com/fluxcd/source-controller": "/api",
	} {
		folder, err := moduleFolder("flux", module, part)
		if err != nil {
			return err
		}
		if _, err := w.kubectl("", "apply", "--server-side", "-f", filepath.Join(folder, "config", "crd", "bases")); err != nil {
			return err
		}
	}
	if err := w.established("kustomizations.kustomize.toolkit.fluxcd.io", "gitrepositories.source.toolkit.fluxcd.io"); err != nil {
		return err
	}
	if err := w.makeAdministrator(fluxNamespace, "kustomize-controller"); err != nil {
		return err
	}
	kubeconfig, err := w.kubeconfigOf(fluxNamespace, "kustomize-controller")
	if err != nil {
		return err
	}
	artifacts := w.file("artifacts")
	if err := os.Mkdir(artifacts, 0o755); err != nil {
		return err
	}
	standIn, err := source.Start(w.kube, artifacts, func(err error) { fmt.Fprintln(os.Stderr, "source stand-in:", err) })
	if err != nil {
		return err
	}
	w.later(standIn.Close)
	addresses, err := process.FreeAddresses(2)
	if err != nil {
		return err
	}
	return w.run(addresses[1], process.Program{
		Name: "kustomize-controller", Path: os.Getenv("HOLDFAST_KUSTOMIZE_CONTROLLER"),
		Env:  []string{"RUNTIME_NAMESPACE=" + fluxNamespace, "KUBECONFIG=" + kubeconfig},
		Args: []string{"--metrics-addr=" + addresses[0], "--health-addr=" + addresses[1], "--enable-leader-election=false"},
	})
}

// flux is one Kustomization.
type flux struct {
	t    *testing.T
	w    *world
	name string
}

func (f *flux) String() string { return "Flux" }

func (f *flux) tellsHealth() bool { return false }

func (f *flux) object(apiVersion, kind string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetAPIVersion(apiVersion)
	obj.SetKind(kind)
	obj.SetNamespace(fluxNamespace)
	obj.SetName(f.name)
	return obj
}

func (f *flux) kustomization() *unstructured.Unstructured {
	return f.object("kustomize.toolkit.fluxcd.io/v1", "Kustomization")
}

func (f *flux) repository() *unstructured.Unstructured {
	return f.object("source.toolkit.fluxcd.io/v1", "GitRepository")
}

// follow makes the Kustomization that README's section on Flux shows, in more of a hurry. No namespace leaves it to the
// manifests to name theirs.
func (f *flux) follow(url, namespace string) {
	f.t.Helper()
	repository := f.repository()
	repository.Object["spec"] = map[string]any{"interval": "1m", "url": url, "ref": map[string]any{"branch": "main"}}
	kustomization, err := readme.Object(root, "With Flux")
	if err == nil {
		kustomization.SetName(f.name)
		err = set(kustomization, map[string]any{
			"sourceRef.name": f.name, "path": "./" + folder, "targetNamespace": namespace,
			"interval": "10s", "retryInterval": "5s", "timeout": "1m",
		})
	}
	if err != nil {
		f.t.Fatal(err)
	}
	if namespace == "" {
		unstructured.RemoveNestedField(kustomization.Object, "spec", "targetNamespace")
	}
	for _, obj := range []*unstructured.Unstructured{repository, kustomization} {
		if err := f.w.kube.Create(f.t.Context(), obj); err != nil {
			f.t.Fatalf("creating the %s: %v", obj.GetKind(), err)
		}
	}
}

// refresh does what `flux reconcile source git` does.
func (f *flux) refresh() {
	f.t.Helper()
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, source.RequestedAt, time.Now().Format(time.RFC3339Nano))
	if err := f.w.kube.Patch(f.t.Context(), f.repository(), client.RawPatch(client.Merge.Type(), []byte(patch))); err != nil {
		f.t.Fatalf("asking for a look at the repository: %v", err)
	}
}

func (f *flux) watched() *unstructured.Unstructured { return f.kustomization() }

// verdict reads the Kustomization. The revision was attempted from when its manifests are built; its health is looked at once
// all of them are applied.
func (f *flux) verdict(obj *unstructured.Unstructured) verdict {
	text := func(field string) string {
		found, _, _ := unstructured.NestedString(obj.Object, "status", field)
		return found
	}
	ready, reconciling := conditionOf(obj, "Ready"), conditionOf(obj, "Reconciling")
	v := verdict{Revision: hashOf(text("lastAttemptedRevision")), State: applying, Says: ready.Reason + ": " + ready.Message + "; " + reconciling.Message}
	switch {
	case ready.Status == "True" && text("lastAppliedRevision") == text("lastAttemptedRevision"):
		v.State = healthy
	case ready.Status == "False":
		v.State = red
	case strings.HasPrefix(reconciling.Message, "Running health checks"):
		v.State = waiting
	}
	entries, _, _ := unstructured.NestedSlice(obj.Object, "status", "inventory", "entries")
	for _, entry := range entries {
		// As in team_orders_gcp.holdfast.dev_Topic.
		id := strings.Split(entry.(map[string]any)["id"].(string), "_")
		v.Inventory = append(v.Inventory, id[3]+"/"+id[1])
	}
	slices.Sort(v.Inventory)
	return v
}

// hashOf is the commit of a revision such as main@sha1:0123.
func hashOf(revision string) string { return revision[strings.LastIndex(revision, ":")+1:] }

func (f *flux) remove() {
	f.t.Helper()
	if err := f.w.kube.Delete(f.t.Context(), f.kustomization()); err != nil {
		f.t.Fatalf("deleting the Kustomization: %v", err)
	}
}

// state is a condition as tools have it.
type state struct{ Status, Reason, Message string }

func conditionOf(obj *unstructured.Unstructured, kind string) state {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, c := range conditions {
		condition := c.(map[string]any)
		if condition["type"] == kind {
			text := func(key string) string { found, _ := condition[key].(string); return found }
			return state{text("status"), text("reason"), text("message")}
		}
	}
	return state{}
}
