package plugin

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// TestBreakGlassWithoutStamps: where the API server does not stamp names the plugin sets its user's own, and a refusal is about what is wrong
// beside that. The first API server has no policies at all, and then those of config/before-1.36.
func TestBreakGlassWithoutStamps(t *testing.T) {
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
	w := newWorld(t, "unstamped")
	kubeconfig := filepath.Join(w.folder, "unstamped")
	w.must(os.WriteFile(kubeconfig, environment.KubeConfig, 0o600))
	w.kube, err = client.New(config, client.Options{Scheme: scheme})
	w.must(err)
	w.makeNamespace("unstamped", nil)
	glass := func(user string, args ...string) result {
		t.Helper()
		return w.as(user, append([]string{"break-glass", "--kubeconfig", kubeconfig, "-n", "unstamped"}, args...)...)
	}
	annotations := func(name string) map[string]string {
		t.Helper()
		obj := topicIn(w, name)
		w.get(obj)
		return obj.Annotations
	}

	t.Log("no policies")
	w.create(topic("unguarded"))
	w.must(installed.Create(w.kube, "admission", "roles.yaml"))
	w.must(installed.People(w.kube))
	w.ends(glass(installed.Ada, "open", "topic/unguarded", "--reason", reason, "--wait=false"), 0, "", "")
	if by := annotations("unguarded")[v1alpha1.BreakGlassByAnnotation]; by != installed.Ada {
		t.Errorf("it is by %q", by)
	}

	t.Log("policies that check")
	w.must(installed.Policies(w.kube, installed.Guards[1:]...))
	w.must(installed.Guarded(config, scheme))
	w.create(topic("guarded"))
	w.ends(glass(installed.Ada, "open", "topic/guarded", "--reason", "short", "--wait=false"), 1, "", "needs a reason of at least ten characters")
	w.ends(glass(installed.Bob, "open", "topic/guarded", "--reason", reason, "--wait=false"), 1, "", "the RBAC verb break-glass on topics.gcp.holdfast.dev is missing")
	w.ends(glass(installed.Ada, "open", "topic/guarded", "--reason", reason, "--wait=false"), 0, "", "")
	if by := annotations("guarded")[v1alpha1.BreakGlassByAnnotation]; by != installed.Ada {
		t.Errorf("it is by %q", by)
	}
	w.ends(glass(installed.Ada, "extend", "topic/guarded", "--for", "2h"), 0, "the glass is broken until", "")
	w.ends(glass(installed.Ada, "close", "topic/guarded", "--yes", "--wait=false"), 0, "the glass is closed", "")
	if got := annotations("guarded"); got[v1alpha1.BreakGlassClosedByAnnotation] != installed.Ada || len(got) != 1 {
		t.Errorf("got %v", got)
	}
}
