package gitops

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// folder is where the manifests are in each repository.
const folder = "deploy"

// tool is a GitOps tool that follows one repository, as a person who uses it sees it.
type tool interface {
	fmt.Stringer
	// tellsHealth says whether it tells the health of each object, with our message.
	tellsHealth() bool
	// follow makes it keep a namespace as the repository has it.
	follow(url, namespace string)
	// refresh has it look at the repository now.
	refresh()
	// remove deletes what follow made.
	remove()
	// watched is the object in whose status it speaks, and verdict what that says.
	watched() *unstructured.Unstructured
	verdict(obj *unstructured.Unstructured) verdict
}

// verdict is what a tool says.
type verdict struct {
	// Revision is the commit that it speaks of.
	Revision string
	State    stateOfCommit
	// Inventory are the objects that it has made, as in Topic/orders.
	Inventory []string
	// Health is the health of each, where it tells.
	Health map[string]string
	// Says is what a person is shown.
	Says string
}

func (v verdict) String() string {
	return fmt.Sprintf("%s at %s, with %v:\n%s", v.State, v.Revision, v.Inventory, v.Says)
}

type stateOfCommit string

const (
	applying stateOfCommit = "applying" // not all of it is in the cluster
	waiting  stateOfCommit = "waiting"  // all of it is in the cluster, and something is not ready yet
	healthy  stateOfCommit = "healthy"
	held     stateOfCommit = "held" // a person is waited for; Flux has no such state and is red
	red      stateOfCommit = "red"
)

// tools are the ways to sync a repository.
var tools = map[string]func(t *testing.T, w *world, name string) tool{
	"flux":     func(t *testing.T, w *world, name string) tool { return &flux{t, w, name} },
	"argo":     func(t *testing.T, w *world, name string) tool { return &argo{t, w, name, false} },
	"argo-ssa": func(t *testing.T, w *world, name string) tool { return &argo{t, w, name, true} },
}

// forEachTool runs a scenario once with Flux and once with each of Argo CD's two ways to apply, at the same time.
func forEachTool(t *testing.T, name string, scenario func(s *scene)) {
	t.Helper()
	w := sharedWorld(t)
	for which, tool := range tools {
		t.Run(which, func(t *testing.T) {
			t.Parallel()
			name := name + "-" + which
			scenario(newScene(t, w, name, tool(t, w, name)))
		})
	}
}
