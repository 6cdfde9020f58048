package planserver

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// listedNames are resources of a kind whose names are taken for everybody, such as those of buckets. Google answers to a read of one
// whether anybody has it. Who asks for a plan is to learn no more than what his own project has: such a kind looks for a resource in the list of
// the project, and never asks Google for a name. That takes equally long for a name that is nobody's and for one that is another project's.
type listedNames struct {
	// all are the fields of the kind as it asks Google.
	all kind.Fields
	// wanted are the IDs that the request has.
	wanted map[string]bool

	mu    sync.Mutex
	lists map[project]*projectList
}

// project is a project, as a service account sees it.
type project struct{ id, impersonate string }

// projectList is what a project has of what is wanted.
type projectList struct {
	mu    sync.Mutex // locked during a list: one at a time, and all get its result
	done  bool
	found []kind.Listed
}

// isGlobal says whether the names of a kind's resources are taken in all projects at once.
func isGlobal(k kind.Kind) bool {
	return k.Fields != nil && k.ExternalName(kind.Ref{Project: "a", ID: "name"}) == k.ExternalName(kind.Ref{Project: "b", ID: "name"})
}

// byList is a kind that sees only what a list of the project shows. What it lists is what is wanted, once for a request.
func byList(k kind.Kind, wanted map[string]bool) kind.Kind {
	names := &listedNames{all: *k.Fields, wanted: wanted, lists: map[project]*projectList{}}
	fields := names.all
	fields.List = func(ctx context.Context, ref kind.Ref, yield func([]kind.Listed) bool) error {
		found, err := names.list(ctx, ref)
		if err == nil {
			yield(found)
		}
		return err
	}
	fields.Observe = func(ctx context.Context, ref kind.Ref) (kind.Live, error) {
		found, err := names.list(ctx, ref)
		if err != nil {
			return kind.Live{}, err
		}
		for _, listed := range found {
			switch {
			case listed.ID != ref.ID:
			case listed.Partial:
				return names.all.Observe(ctx, ref)
			default:
				return listed.Live, nil
			}
		}
		return kind.Live{}, &kind.Error{Class: kind.NotFound, Message: fmt.Sprintf("it is not among the resources of project %q", ref.Project)}
	}
	k.Fields = &fields
	return k
}

// list lists a project, once for all who ask. What fails is tried again by the next.
func (n *listedNames) list(ctx context.Context, ref kind.Ref) ([]kind.Listed, error) {
	l := n.of(project{ref.Project, ref.Impersonate})
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done {
		return l.found, nil
	}
	var found []kind.Listed
	err := n.all.List(ctx, kind.Ref{Project: ref.Project, Impersonate: ref.Impersonate}, func(page []kind.Listed) bool {
		for _, listed := range page {
			if n.wanted[listed.ID] {
				found = append(found, listed)
			}
		}
		return ctx.Err() == nil
	})
	if err := cmp.Or(err, ctx.Err()); err != nil {
		return nil, err
	}
	l.found, l.done = found, true
	return found, nil
}

func (n *listedNames) of(p project) *projectList {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lists[p] == nil {
		n.lists[p] = &projectList{}
	}
	return n.lists[p]
}
