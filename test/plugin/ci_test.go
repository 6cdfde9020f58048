package plugin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/internal/preview/render"
)

// TestTheWorkflowPlans runs the step of the workflow that plans, as it stands in config/samples/ci, in a repository with a change.
func TestTheWorkflowPlans(t *testing.T) {
	t.Parallel()
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				ID, Run string
			}
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "samples", "ci", "plan.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &map[string]any{}); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &workflow); err != nil {
		t.Fatal(err)
	}
	var script string
	for _, step := range workflow.Jobs["plan"].Steps {
		if step.ID == "plan" {
			script = strings.ReplaceAll(step.Run, "HOLDFAST_EMAIL", operator)
		}
	}
	w := newWorld(t, "workflow")
	const namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: workflow, annotations: {holdfast.dev/project-id: workflow-prod}}\n"
	w.write("manifests/namespace.yaml", namespace)
	w.git("init", "-q", "-b", "main")
	w.git("add", ".")
	w.git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "before")
	w.write("manifests/topic.yaml", "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {name: orders, namespace: workflow}\n")
	// The cloud is not Google's, which the script need not know.
	w.write("bin/kubectl-holdfast", "#!/bin/sh\nexec "+binary+" \"$@\" "+strings.Join(w.cloudArgs(), " ")+"\n")
	w.must(os.Chmod(filepath.Join(w.folder, "bin/kubectl-holdfast"), 0o755))
	cmd := exec.CommandContext(t.Context(), "bash", "-e", "-c", script)
	cmd.Dir = w.folder
	cmd.Env = []string{
		"PATH=" + filepath.Join(w.folder, "bin") + ":" + os.Getenv("PATH"), "HOME=" + w.folder, "BASE=main",
		"GITHUB_OUTPUT=" + filepath.Join(w.folder, "output"),
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	output, err := os.ReadFile(filepath.Join(w.folder, "output"))
	w.must(err)
	comment, err := os.ReadFile(filepath.Join(w.folder, "plan.md"))
	w.must(err)
	if string(output) != "code=2\n" || !strings.HasPrefix(string(comment), render.Marker+"\n") || !strings.Contains(string(comment), "Topic workflow/orders: create") {
		t.Errorf("%s\n%s", output, comment)
	}
}
