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

// planStep is the step of a workflow that plans, as it stands in config/samples/ci.
func planStep(t *testing.T, file string) string {
	t.Helper()
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				ID, Run string
			}
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "config", "samples", "ci", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, &map[string]any{}); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &workflow); err != nil {
		t.Fatal(err)
	}
	for _, step := range workflow.Jobs["plan"].Steps {
		if step.ID == "plan" {
			return step.Run
		}
	}
	t.Fatalf("%s has no step that plans", file)
	return ""
}

// runStep runs a step of a workflow in the world's folder, with further flags of the plugin, of which the script need not know, and further
// variables. It returns the output of the step, and the comment that it wrote.
func (w *world) runStep(script string, flags []string, env ...string) (output, comment string) {
	w.t.Helper()
	w.write("bin/kubectl-holdfast", "#!/bin/sh\nexec "+binary+" \"$@\" "+strings.Join(flags, " ")+"\n")
	w.must(os.Chmod(filepath.Join(w.folder, "bin", "kubectl-holdfast"), 0o755))
	cmd := exec.CommandContext(w.t.Context(), "bash", "-e", "-c", script)
	cmd.Dir = w.folder
	cmd.Env = append([]string{
		"PATH=" + filepath.Join(w.folder, "bin") + ":" + os.Getenv("PATH"), "HOME=" + w.folder, "GITHUB_OUTPUT=" + filepath.Join(w.folder, "output"),
	}, env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("%v\n%s", err, said)
	}
	read := func(file string) string {
		text, err := os.ReadFile(filepath.Join(w.folder, file))
		w.must(err)
		return string(text)
	}
	return read("output"), read("plan.md")
}

// TestTheWorkflowPlans runs the step of the workflow that plans, in a repository with a change.
func TestTheWorkflowPlans(t *testing.T) {
	t.Parallel()
	script := strings.ReplaceAll(planStep(t, "plan.yaml"), "HOLDFAST_EMAIL", operator)
	w := newWorld(t, "workflow")
	const namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: workflow, annotations: {holdfast.dev/project-id: workflow-prod}}\n"
	w.write("manifests/namespace.yaml", namespace)
	w.git("init", "-q", "-b", "main")
	w.git("add", ".")
	w.git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "before")
	w.write("manifests/topic.yaml", "apiVersion: gcp.holdfast.dev/v1alpha1\nkind: Topic\nmetadata: {name: orders, namespace: workflow}\n")
	output, comment := w.runStep(script, w.cloudArgs(), "BASE=main")
	if output != "code=2\n" || !strings.HasPrefix(comment, render.Marker+"\n") || !strings.Contains(comment, "Topic workflow/orders: create") {
		t.Errorf("%s\n%s", output, comment)
	}
}
