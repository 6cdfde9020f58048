package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/observe"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

const (
	// listLasts is how long after it began a list tells which resources a project does not have. Somebody may create one meanwhile: then
	// Google refuses to create it again, and it is read. Quotas let one project create few resources at a time, and many projects have their
	// turns: with a shorter time most would be listed for each of their resources.
	listLasts = 10 * time.Minute
	// unmarkedListLasts is the same of a kind without labels. What has no mark of ours, and whose create got no answer, is the manifest's own if it
	// has all that was sent and nothing else (plan.subject.createdUnrecorded): the shorter the time, the less can have been made by somebody else.
	unmarkedListLasts = time.Minute
	// listRetry is after how long a project is listed again that could not be listed for a reason that may pass.
	listRetry = time.Minute
	// listAgain is after how long a project is listed again that could not be listed, or has more resources than fit on a page.
	listAgain = time.Hour
	// listWait bounds how long a pass waits for the list that another one makes.
	listWait = 10 * time.Second
	// mostListed bounds how many resources are remembered from lists, of all projects together.
	mostListed = 100_000
)

// firstLooks are lists of projects that stand in for the first reads of a kind's resources. Whoever applies many new manifests wants to know of
// each that its resource is not there yet, and one list says so of all. That one is there a list says, too, but no more: what it is like is
// read, so that nothing is compared that a list might lack.
type firstLooks struct {
	// lasts is how long a list tells what is not there.
	lasts time.Duration

	mu    sync.Mutex
	lists map[lister]*projectList
	// listed counts the resources in lists.
	listed int
	// pruned is when those were last forgotten that are over.
	pruned time.Time
}

// lister is a project, as somebody sees it.
type lister struct{ project, impersonate string }

// projectList is a list of a project's resources. All but done is guarded by the mutex of firstLooks.
type projectList struct {
	// done is closed once the list has ended.
	done  chan struct{}
	ended bool
	// until is when it is forgotten. Once it is, somebody lists the project again.
	until time.Time
	// whole says that ids are all there are.
	whole bool
	ids   map[string]bool
}

func newFirstLooks(of kind.Traits) *firstLooks {
	lasts := unmarkedListLasts
	if of.Labels {
		lasts = listLasts
	}
	return &firstLooks{lasts: lasts, lists: map[lister]*projectList{}}
}

// way is how it is found out whether a resource is there.
type way int

const (
	byReading way = iota // by a read of its own
	byListing            // by a list that nobody has made yet
	byWaiting            // by the list that somebody is making
	isAbsent             // it is known not to be there
)

// wayTo says how it is found out whether a resource is there. It makes no call, and promises none.
func (f *firstLooks) wayTo(of lister, id string, now time.Time) way {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.current(of, now)
	switch {
	case l == nil:
		return byListing
	case !l.ended:
		return byWaiting
	case l.lacks(id):
		return isAbsent
	default:
		return byReading
	}
}

// current is the list that counts; nil for none.
func (f *firstLooks) current(of lister, now time.Time) *projectList {
	l := f.lists[of]
	if l != nil && l.ended && !now.Before(l.until) {
		f.forget(of)
		return nil
	}
	return l
}

func (f *firstLooks) forget(of lister) {
	f.listed -= len(f.lists[of].ids)
	delete(f.lists, of)
}

// add notes that a resource is there that a list does not show.
func (f *firstLooks) add(of lister, id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l := f.lists[of]; l != nil && l.lacks(id) && l.ids != nil {
		l.ids[id] = true
		f.listed++
	}
}

func (l *projectList) lacks(id string) bool { return l.whole && !l.ids[id] }

// absent says whether a list shows that there is no such resource: one that is not too old, or is being made, or else one that it makes itself.
// Where that is not known the resource has to be read. An error says that not even that can be done now.
func (f *firstLooks) absent(ctx context.Context, of lister, id string, now func() time.Time, list listFunc) (bool, error) {
	f.mu.Lock()
	l := f.current(of, now())
	mine := l == nil
	if mine {
		l = &projectList{done: make(chan struct{})}
		f.lists[of] = l
	}
	f.mu.Unlock()
	if mine {
		if err := f.make(ctx, of, l, now, list); err != nil {
			return false, err
		}
	} else if !l.wait(ctx) {
		return false, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return l.lacks(id), nil
}

// wait waits until a list has ended, though not for long.
func (l *projectList) wait(ctx context.Context) bool {
	timer := time.NewTimer(listWait)
	defer timer.Stop()
	select {
	case <-l.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// listFunc is as kind.Fields.List, of one project.
type listFunc func(ctx context.Context, yield func(page []kind.Listed) bool) error

// make lists a project. It fails if our own limits, or the time that there is, do not allow it now. Other failures keep nobody from reading.
func (f *firstLooks) make(ctx context.Context, of lister, l *projectList, now func() time.Time, list listFunc) error {
	began := now()
	ids, whole, err := firstPage(ctx, list)
	f.prune(began)
	f.mu.Lock()
	defer f.mu.Unlock()
	defer close(l.done)
	l.ended, l.whole, l.until = true, whole, began.Add(listAgain)
	switch {
	case err != nil && (ctx.Err() != nil || gcp.IsLimited(err)): // nobody knows whether it can be listed
		f.forget(of)
		return err
	case err != nil && !gcp.IsDenied(err):
		l.until = began.Add(listRetry)
	case whole:
		l.until, l.ids = began.Add(f.lasts), ids
		f.listed += len(ids)
	}
	f.makeRoom(of)
	if err != nil {
		log.FromContext(ctx).V(1).Info("a project cannot be listed, so that its resources are read one by one", "project", of.project, "error", err.Error())
	}
	return nil
}

// prune forgets, at most once a minute, lists that are over. Sweeps ask for it: there may be no new manifests for long.
func (f *firstLooks) prune(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.pruned) < time.Minute {
		return
	}
	f.pruned = now
	for of, l := range f.lists {
		if l.ended && !now.Before(l.until) {
			f.forget(of)
		}
	}
}

// makeRoom forgets lists where too much is remembered.
func (f *firstLooks) makeRoom(but lister) {
	for of, l := range f.lists {
		if f.listed <= mostListed {
			return
		}
		if of != but && l.ended && l.whole {
			f.forget(of)
		}
	}
}

// firstPage lists the IDs on the first page; whole is false if there are others. What a list asks for after its first page is refused before it
// leaves, since then its context has ended.
func firstPage(ctx context.Context, list listFunc) (ids map[string]bool, whole bool, err error) {
	first, cancel := context.WithCancel(ctx)
	defer cancel()
	ids = map[string]bool{}
	err = list(first, func(page []kind.Listed) bool {
		for _, resource := range page {
			ids[resource.ID] = true
		}
		cancel()
		return true
	})
	switch {
	case err == nil:
		return ids, true, nil
	case first.Err() != nil && ctx.Err() == nil: // it was about to ask for another page
		return nil, false, nil
	default:
		return nil, false, err
	}
}

// looksFirst says whether a list may stand in for the look of this pass: nobody has looked before, and if nothing is there it is created at once.
// Who only plans to, or waits for a person, sees more by a read: a bucket of that name may be in another project.
func (p *pass) looksFirst() bool {
	management := p.env.Limits.Management(p.obj.GetCommonSpec().Management)
	return p.kind.Fields != nil && p.kind.Fields.List != nil && !p.read && p.neverLooked() && !p.deleting() &&
		management == v1alpha1.ManagementManage && !p.glassMatters()
}

// neverLooked says that nobody has looked at the object's resource, by all that is on record.
func (p *pass) neverLooked() bool {
	return readyCondition(p.stored) == nil && !p.record.Bound()
}

func (p *pass) lister() lister { return lister{p.env.Ref.Project, p.env.Ref.Impersonate} }

// readSteps are the steps by which the pass looks, as far as that is known before.
func (p *pass) readSteps() []kind.Step {
	steps := plan.ReadSteps(p.manifest(), p.record)
	if !p.looksFirst() {
		return steps
	}
	switch p.firstLooks.wayTo(p.lister(), p.env.Ref.ID, p.now()) {
	case byListing:
		return []kind.Step{kind.StepList}
	case byWaiting, isAbsent:
		return nil
	default:
		return steps
	}
}

// isListedAbsent says whether the resource is known not to be there without a read of its own.
func (p *pass) isListedAbsent(ctx context.Context) (bool, error) {
	if !p.looksFirst() {
		return false, nil
	}
	return p.firstLooks.absent(ctx, p.lister(), p.env.Ref.ID, p.now, func(ctx context.Context, yield func([]kind.Listed) bool) error {
		return p.kind.Fields.List(ctx, p.env.Ref, yield)
	})
}

// isThereAfterAll says whether a resource that Google would not create is there, though no list has shown it: it came to be after the project was
// listed, or is in another project. Google may refuse a create for another reason before it says so.
func (p *pass) isThereAfterAll(ctx context.Context, refusal error) bool {
	switch {
	case !p.listed || refusal == nil:
		return false
	case gcp.IsAlreadyExists(refusal):
		return true
	case !slices.Contains([]kind.Class{kind.Denied, kind.Invalid, kind.QuotaExceeded}, gcp.Classify(refusal).Class):
		return false
	}
	return observe.Fields(ctx, p.kind, p.env.Ref, p.record, p.projects).Exists
}

// readAfterAll reads a resource that is there after all. The pass goes on with what it sees.
func (p *pass) readAfterAll(ctx context.Context) outcome {
	p.firstLooks.add(p.lister(), p.env.Ref.ID)
	p.listed, p.read = false, true
	p.recorded = p.recorded && !p.unstored
	p.sent.fields, p.unstored = false, false
	for _, phase := range []func(*pass, context.Context) *outcome{(*pass).observe, (*pass).doubtProject, (*pass).assess} {
		if out := phase(p, ctx); out != nil {
			return *out
		}
	}
	return *p.carryOut(ctx)
}

// notListed is the answer that a resource does not exist, by a list of its project.
func (p *pass) notListed() *kind.Error {
	return &kind.Error{Class: kind.NotFound, Message: fmt.Sprintf("it is not among the resources of project %q", p.env.Ref.Project)}
}
