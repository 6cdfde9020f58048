package importer

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/layout"
)

// readers is how many resources of a project are read at the same time where lists do not show all.
const readers = 8

// run is the import of one project.
type run struct {
	*Importer

	project, namespace string
	sum                Summary
	// bound says that the Namespace is written.
	bound bool
	// put are the manifests that are written, by kind and name, with what became of them: a list that was interrupted begins anew.
	put map[string]written
}

// project imports one project, kind by kind.
func (i *Importer) project(ctx context.Context, project string) (Summary, error) {
	r := &run{Importer: i, project: project, namespace: i.Namespace(project), put: map[string]written{}}
	ctx = gcp.WithReason(gcp.WithProject(ctx, project), "import of "+project)
	for _, k := range i.Kinds {
		part, err := r.kind(ctx, k)
		r.sum.add(part)
		var own *fault
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return r.sum, ctx.Err()
		case errors.As(err, &own):
			return r.sum, own.err
		default:
			r.sum.Failures = append(r.sum.Failures, r.failure(k, "", err))
		}
	}
	if len(r.sum.Failures) == 0 {
		r.sum.Complete = 1
	}
	return r.sum, nil
}

// fault is an error that is not Google's, and ends the import.
type fault struct{ err error }

func (f *fault) Error() string { return f.err.Error() }

func (r *run) failure(k kind.Kind, name string, err error) Failure {
	return Failure{Project: r.project, Kind: k.Kind, Name: name, Message: gcp.Classify(err).Explain(r.project, "your account")}
}

// kind imports the resources of one kind.
func (r *run) kind(ctx context.Context, k kind.Kind) (part Summary, err error) {
	if k.Shared() {
		err = r.page(ctx, &part, k, []kind.Listed{{}})
		return part, err
	}
	if k.Fields.List == nil {
		return part, nil
	}
	err = r.Wait.retry(ctx, func() error {
		part = Summary{} // what was counted before an interruption is listed once more
		var failed error
		err := k.Fields.List(ctx, kind.Ref{Project: r.project}, func(page []kind.Listed) bool {
			failed = r.page(ctx, &part, k, page)
			return failed == nil
		})
		if failed != nil {
			return failed
		}
		return err
	})
	return part, err
}

// page imports a page of resources: it reads what the list does not show of them, and then writes in the order of the list.
func (r *run) page(ctx context.Context, part *Summary, k kind.Kind, page []kind.Listed) error {
	part.Resources += len(page)
	resources, errs := make([]*Resource, len(page)), make([]error, len(page))
	group := errgroup.Group{}
	group.SetLimit(readers)
	for i, listed := range page {
		res := Resource{Kind: k, Ref: kind.Ref{Project: r.project, ID: listed.ID}, Live: listed.Live}
		if r.passOver(part, res) {
			continue
		}
		resources[i] = &res
		if listed.Partial || k.Shared() || r.Policies && k.Policy != nil {
			group.Go(func() error {
				errs[i] = r.read(ctx, resources[i], listed.Partial)
				return nil
			})
		}
	}
	_ = group.Wait() // each has an error of its own
	for i, res := range resources {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case res == nil, gcp.IsNotFound(errs[i]) && !k.Shared(): // it went after the list
		case errs[i] != nil:
			part.Failures = append(part.Failures, r.failure(k, res.Ref.ID, errs[i]))
		default:
			if err := r.compose(part, *res); err != nil {
				return err
			}
		}
	}
	return nil
}

// passOver says whether a resource is not to be imported, and counts why.
func (r *run) passOver(part *Summary, res Resource) bool {
	live := res.Live.Identity.Labels
	switch {
	case live[v1alpha1.OwnerLabel] != "":
		part.Owned++
	case r.Declared(res.Kind.ExternalName(res.Ref)):
		part.Declared++
	case !r.Selector.Matches(labels.Set(live)):
		part.Unselected++
	default:
		return false
	}
	return true
}

// read reads what a list does not show of a resource.
func (r *run) read(ctx context.Context, res *Resource, partial bool) error {
	k := res.Kind
	if partial {
		if err := r.Wait.retry(ctx, func() (err error) {
			res.Live, err = k.Fields.Observe(ctx, res.Ref)
			return err
		}); err != nil {
			return err
		}
	}
	if k.Policy == nil || !r.Policies && !k.Shared() {
		return nil
	}
	return r.Wait.retry(ctx, func() error {
		policy, err := k.Policy.Get(ctx, res.Ref)
		res.Policy = &policy
		return err
	})
}

// compose writes the manifest of a resource.
func (r *run) compose(part *Summary, res Resource) error {
	composed, err := Compose(res, r.namespace, r.Check)
	if err != nil {
		return &fault{err}
	}
	note := Note{Project: r.project, Kind: res.Kind.Kind, Name: res.Ref.ID, Refused: composed.Refused, Left: composed.Left}
	if composed.Refused == "" {
		if err := r.bind(); err != nil {
			return err
		}
		if err := r.write(part, composed.Object, &note); err != nil {
			return err
		}
	}
	part.InitialGrants += composed.Initial
	if note.Refused != "" || len(note.Differs)+len(note.Left) > 0 {
		part.Notes = append(part.Notes, note)
	}
	return nil
}

// bind writes the Namespace, before the first manifest in it.
func (r *run) bind() error {
	if r.bound {
		return nil
	}
	note := Note{Project: r.project, Kind: "Namespace", Name: r.namespace}
	if err := r.write(&r.sum, layout.NamespaceOf(r.namespace, r.project, nil), &note); err != nil {
		return err
	}
	if len(note.Differs) > 0 {
		r.sum.Notes = append(r.sum.Notes, note)
	}
	r.bound = true
	return nil
}

// write puts a manifest where it goes, once.
func (r *run) write(part *Summary, obj layout.Object, note *Note) error {
	key := obj.GetKind() + "/" + obj.GetName()
	done, again := r.put[key]
	if !again {
		file, outcome, differs, err := r.Sink.Put(obj)
		if err != nil {
			return &fault{fmt.Errorf("writing %s: %w", file, err)}
		}
		done = written{file, outcome, differs}
		r.put[key] = done
	}
	part.count(done.outcome)
	note.File, note.Differs = done.file, done.differs
	return nil
}

// written is what became of a manifest.
type written struct {
	file    string
	outcome Outcome
	differs []string
}
