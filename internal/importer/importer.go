package importer

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Importer writes manifests for what is there.
type Importer struct {
	// Kinds are those to import.
	Kinds []kind.Kind
	// Policies says that manifests list what IAM policies grant. It costs a call for each resource. The policies of projects, which are
	// all that there is of their kind, are listed in any case.
	Policies bool
	// Selector is what the labels of resources must be.
	Selector labels.Selector
	// Namespace is the namespace for a project.
	Namespace func(project string) string
	// Declared says whether a manifest declares a resource already, by its external name.
	Declared func(externalName string) bool
	// Check says what the API server would refuse.
	Check Check
	// Sink is where manifests go.
	Sink Sink
	// State remembers the projects that are complete; nil for nobody.
	State *State
	// Parallel is how many projects are read at the same time.
	Parallel int
	// Wait lets time pass between attempts.
	Wait Wait
	// Progress is told how far it is, now and then, by one caller at a time.
	Progress func(projects, of, resources int)
}

// Run imports projects. What cannot be read of one keeps nothing else from being imported: it is in the summary, as what failed before. An
// error says that there is no going on.
func (i *Importer) Run(ctx context.Context, projects []string, failed []Failure) (Summary, error) {
	total := Summary{Projects: len(projects), Failures: failed}
	rest := slices.DeleteFunc(slices.Clone(projects), func(project string) bool { return i.State != nil && i.State.IsComplete(project) })
	total.EarlierComplete = len(projects) - len(rest)
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(i.Parallel)
	for _, project := range rest {
		group.Go(func() error {
			done, err := i.project(ctx, project)
			if err == nil && done.Complete > 0 && i.State != nil {
				err = i.State.Complete(project)
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(done)
			i.Progress(total.Complete+total.EarlierComplete, total.Projects, total.Resources)
			return err
		})
	}
	err := group.Wait()
	total.sort()
	if err == nil && i.State != nil && total.Complete+total.EarlierComplete == total.Projects {
		err = i.State.Forget()
	}
	return total, err
}
