package preview

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/observe"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

const (
	// width is how many calls are under way at most.
	width = 16
	// mostThrottled is how often a call is repeated that Google throttles, and pauseThrottled how long after, unless Google says.
	mostThrottled  = 5
	pauseThrottled = time.Second
)

// looks are the looks at the resources of some previews.
type looks struct {
	*Previewer

	mu          sync.Mutex
	done, total int
	progress    func(done, total int)
}

// group are previews whose resources one list may show.
type group struct {
	kind    kind.Kind
	ref     kind.Ref // of the project
	members []*Preview
}

// look looks at each part of the resources that are not decided. What one look says is nothing to the others.
func (p *Previewer) look(ctx context.Context, previews []Preview, progress func(done, total int)) {
	l := &looks{Previewer: p, progress: progress}
	groups, policies := l.sort(previews)
	l.tell(0)
	alone := l.lists(ctx, groups)
	each(ctx, alone, l.read)
	each(ctx, policies, l.readPolicy)
	if p.ShutDown != nil {
		each(ctx, doubtful(previews), l.doubtProject)
	}
}

// sort says which lists there are to be made, and whose IAM policy is to be read.
func (l *looks) sort(previews []Preview) (groups []*group, policies []*Preview) {
	type key struct{ kind, project, impersonate string }
	of := map[key]*group{}
	for i := range previews {
		v := &previews[i]
		if v.decided {
			continue
		}
		if plan.MentionsPolicy(v.manifest(), v.record) {
			policies = append(policies, v)
			l.total++
		}
		if v.Kind.Fields == nil {
			continue
		}
		l.total++
		ref := kind.Ref{Project: v.Environment.Ref.Project, Impersonate: v.Environment.Ref.Impersonate}
		k := key{v.Kind.Kind, ref.Project, ref.Impersonate}
		if of[k] == nil {
			of[k] = &group{kind: v.Kind, ref: ref}
			groups = append(groups, of[k])
		}
		of[k].members = append(of[k].members, v)
	}
	return groups, policies
}

// lists makes the lists, and returns the previews whose resources have to be read by themselves.
func (l *looks) lists(ctx context.Context, groups []*group) (alone []*Preview) {
	each(ctx, groups, func(ctx context.Context, g *group) {
		rest := l.list(ctx, g)
		l.mu.Lock()
		alone = append(alone, rest...)
		l.mu.Unlock()
		l.tell(len(g.members) - len(rest))
	})
	return alone
}

// list looks at the members of a group by a list of their project. It returns those about which the list says nothing: a list may be denied
// where reads are not, or show less than they do; and a name that no other project can have may be taken in another one.
func (l *looks) list(ctx context.Context, g *group) (alone []*Preview) {
	if g.kind.Fields.List == nil || len(g.members) == 1 {
		return g.members
	}
	missing := map[string][]*Preview{}
	for _, v := range g.members {
		missing[v.Environment.Ref.ID] = append(missing[v.Environment.Ref.ID], v)
	}
	err := patiently(ctx, func() error {
		return g.kind.Fields.List(of(ctx, g.ref.Project, ""), g.ref, func(page []kind.Listed) bool {
			alone = append(alone, l.seePage(ctx, page, missing)...)
			return len(missing) > 0 && ctx.Err() == nil
		})
	})
	refusal := gcp.Classify(err)
	for id, members := range missing {
		for _, v := range members {
			switch {
			case refusal != nil && maybeReadable(refusal), refusal == nil && isGlobal(g.kind):
				alone = append(alone, v)
			case refusal != nil: // which would be the answer to a read, too
				v.Seen.Fields = plan.FieldsSeen{Err: refusal}
			default:
				absence := fmt.Sprintf("%s is not among the resources of project %q", id, g.ref.Project)
				v.Seen.Fields = plan.FieldsSeen{Looked: true, Missing: &kind.Error{Class: kind.NotFound, Message: absence}}
			}
		}
	}
	return alone
}

// seePage takes in what a page of a list shows of the missing resources, which then are not missing any more. It returns the previews of those
// of which the list shows only a part.
func (l *looks) seePage(ctx context.Context, page []kind.Listed, missing map[string][]*Preview) (partial []*Preview) {
	for _, resource := range page {
		for _, v := range missing[resource.ID] {
			if resource.Partial {
				partial = append(partial, v)
			} else {
				l.see(ctx, v, resource.Live)
			}
		}
		delete(missing, resource.ID)
	}
	return partial
}

// maybeReadable says whether a resource may be readable though a list of its project was refused: for want of a permission that reads do not
// take. What is refused for another reason, or could not be asked, is so for all of the project.
func maybeReadable(refusal *kind.Error) bool {
	return refusal.Class == kind.Denied && refusal.Denial == (kind.Denial{})
}

// isGlobal says whether the names of a kind's resources are taken in all projects at once.
func isGlobal(k kind.Kind) bool {
	return k.ExternalName(kind.Ref{Project: "a", ID: "name"}) == k.ExternalName(kind.Ref{Project: "b", ID: "name"})
}

// see takes in what a list shows of a resource.
func (l *looks) see(ctx context.Context, v *Preview, live kind.Live) {
	var seen plan.FieldsSeen
	err := patiently(ctx, func() (err error) {
		seen, err = observe.Live(of(ctx, v.Environment.Ref.Project, ""), v.Kind, v.Environment.Ref, v.record, live, l.Numbers)
		return err
	})
	if err != nil {
		seen = plan.FieldsSeen{Err: gcp.Classify(err)}
	}
	v.Seen.Fields = seen
}

// read looks at a resource by reading it.
func (l *looks) read(ctx context.Context, v *Preview) {
	_ = patiently(ctx, func() error { // which is in what was seen
		v.Seen.Fields = observe.Fields(of(ctx, v.Environment.Ref.Project, v.Object.GetNamespace()), v.Kind, v.Environment.Ref, v.record, l.Numbers)
		return failure(v.Seen.Fields.Err)
	})
	l.tell(1)
}

func (l *looks) readPolicy(ctx context.Context, v *Preview) {
	_ = patiently(ctx, func() error { // which is in what was seen
		v.Seen.Policy = observe.Policy(of(ctx, v.Environment.Ref.Project, v.Object.GetNamespace()), v.Kind, v.Environment.Ref, v.Seen.Fields)
		return failure(v.Seen.Policy.Err)
	})
	l.tell(1)
}

// doubtful are the previews of which what was seen may be so because the project is shut down.
func doubtful(previews []Preview) []*Preview {
	var out []*Preview
	for i := range previews {
		if v := &previews[i]; !v.decided && plan.MayBeShutDown(v.manifest(), v.record, v.Seen, v.Environment) {
			out = append(out, v)
		}
	}
	return out
}

// doubtProject asks whether the project is shut down. Where nobody says so it is not.
func (l *looks) doubtProject(ctx context.Context, v *Preview) {
	ref := v.Environment.Ref
	shutDown, err := l.ShutDown(of(ctx, ref.Project, ""), ref.Impersonate, ref.Project)
	v.Environment.ProjectShutDown = err == nil && shutDown
}

// tell tells of progress.
func (l *looks) tell(more int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done += more; l.progress != nil {
		l.progress(l.done, l.total)
	}
}

// of are calls about the resources of a project, on behalf of a namespace (empty: of several), which limits count against both.
func of(ctx context.Context, project, namespace string) context.Context {
	if namespace != "" {
		ctx = gcp.WithNamespace(ctx, namespace)
	}
	return gcp.WithReason(gcp.WithProject(ctx, project), "plan")
}

// failure is an error, or none.
func failure(err *kind.Error) error {
	if err == nil {
		return nil
	}
	return err
}

// patiently repeats a call that our own limits do not let out until they do, and one that Google throttles a few times.
func patiently(ctx context.Context, call func() error) error {
	for throttled := 0; ; {
		err := call()
		refusal := gcp.Classify(err)
		if refusal == nil || refusal.Class != kind.Throttled {
			return err
		}
		if !refusal.Ours {
			throttled++
			if throttled > mostThrottled {
				return err
			}
		}
		timer := time.NewTimer(cmp.Or(refusal.RetryAfter, pauseThrottled))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// each does something to all items, some of them at once, until the context ends. A panic is one of whoever called it: on a goroutine of its own it
// would end the process, whoever asked for the preview.
func each[T any](ctx context.Context, items []T, do func(context.Context, T)) {
	var g errgroup.Group
	g.SetLimit(width)
	for _, item := range items {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() (panicked error) {
			defer func() {
				if why := recover(); why != nil {
					panicked = fmt.Errorf("%v\n%s", why, debug.Stack())
				}
			}()
			do(ctx, item)
			return nil // what went wrong is in the item
		})
	}
	if panicked := g.Wait(); panicked != nil {
		panic(panicked)
	}
}
