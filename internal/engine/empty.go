package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// A resource is emptied in batches, each behind the gate, and by short passes: a status write each, and a worker that is soon free again.
const (
	// emptyBatch is how many pieces one look of the gate lets out at most, and emptyAtOnce how many of them are under way at the same time.
	emptyBatch  = 100
	emptyAtOnce = 25
	// emptyTime is how long a pass begins further batches.
	emptyTime = 2 * time.Second
)

// The pauses between looks at what cannot be deleted grow from the first to the last.
const (
	firstKept = 10 * time.Second
	lastKept  = time.Hour
)

// emptying is how far the emptying of a resource has come. All of it is found out again where it is lost: what is deleted is not listed any
// more.
type emptying struct {
	uid types.UID
	// progress is what was deleted, whether it is stored yet or not.
	progress *v1alpha1.DeletionProgress
	// thorough says that rare contents are looked for, too.
	thorough bool
	// round is the look at all contents that is under way, last the one before it.
	round, last round
	// fruitless counts the rounds since one deleted something.
	fruitless int
}

// round is a look at all contents, by one pass or several. It ends at the first contents of which something is left.
type round struct {
	// at is which contents come next, and page where in them.
	at   int
	page string
	// deleted counts the pieces that were deleted.
	deleted int64
	// left are those that were not.
	left leftovers
	// again is what some of them failed with that may succeed at once.
	again error
}

// leaves says whether something is left of what was looked at.
func (r round) leaves() bool { return len(r.left) > 0 || r.again != nil }

// start begins or continues with what status knows.
func (e *emptying) start(status *v1alpha1.CommonStatus, now time.Time) {
	if e.progress == nil {
		e.progress = status.Deletion.DeepCopy()
	}
	if e.progress == nil {
		e.progress = &v1alpha1.DeletionProgress{StartTime: metav1.NewTime(now.Truncate(time.Second))}
	}
}

// end ends the round.
func (e *emptying) end() round {
	e.last, e.round = e.round, round{}
	e.fruitless++
	if e.last.deleted > 0 {
		e.fruitless = 0
	}
	return e.last
}

// pause is how long to wait before another round, which at most waits for the first of what is left to be free.
func (e *emptying) pause(now time.Time) time.Duration {
	after := min(firstKept<<min(e.fruitless, 16), lastKept)
	if until := e.last.left.until(); until.After(now) {
		after = min(after, until.Sub(now)+time.Second)
	}
	return after
}

// contents are those that are looked for.
func (p *pass) contents() []kind.Contents {
	return slices.DeleteFunc(p.kind.Fields.Contents(p.env.Ref, p.seen.Fields.Live), func(c kind.Contents) bool {
		return c.Rare && !p.emptying.thorough
	})
}

// empty deletes contents for as long as a pass may; nil once nothing is left.
func (p *pass) empty(ctx context.Context) *outcome {
	e := p.emptying
	e.start(p.obj.GetCommonStatus(), p.now())
	before := e.round.deleted
	done, err := p.emptyPages(ctx)
	progressed, limited := e.round.deleted > before, gcp.IsLimited(err)
	switch {
	case !progressed && (limited || err == nil && !done && p.isStuck()): // it is still so, as far as it was looked at
		return silently(max(retryAfter(err), pauseStale))
	case err != nil && !limited:
		p.showDeleted()
		out := p.undeleted(ctx, "deleting the contents", err)
		return &out
	case !done:
		return p.emptiesOn(retryAfter(err), e.round.left)
	}
	return p.emptied(ctx, e.end())
}

// isStuck says whether the object was last told to have contents that cannot be deleted.
func (p *pass) isStuck() bool {
	is := readyCondition(p.obj)
	return is != nil && is.Reason == v1alpha1.ReasonNotEmpty
}

// retryAfter is how long our own limits ask to wait; 0 if they do not.
func retryAfter(err error) time.Duration {
	if err == nil {
		return 0
	}
	return gcp.Classify(err).RetryAfter
}

// emptied says what a whole round came to; nil if nothing is left.
func (p *pass) emptied(ctx context.Context, last round) *outcome {
	p.showLeft(last.left)
	switch denied := last.left.denied(); {
	case last.deleted > 0 && (last.again != nil || last.left.again()):
		return p.emptiesOn(0, last.left)
	case last.again != nil:
		out := p.undeleted(ctx, "deleting the contents", last.again)
		return &out
	case len(last.left) == 0:
		return nil
	case denied != nil:
		out := p.undeleted(ctx, "deleting the contents", denied)
		return &out
	case last.left.leaving():
		return p.notYet(v1alpha1.ReasonDeleting, "waiting for the last contents to go: "+last.left.String(), p.emptying.pause(p.now()))
	default:
		return p.notYet(v1alpha1.ReasonNotEmpty, fmt.Sprintf("contents are left that cannot be deleted now: %s. %s. "+
			"Retries automatically; to leave the %s in Google Cloud, set spec.deletionPolicy to Orphan", last.left, p.soFar(), p.kind.Name), p.emptying.pause(p.now()))
	}
}

// emptiesOn is the outcome of a pass that another one follows at once, or when our own limits let it.
func (p *pass) emptiesOn(after time.Duration, left leftovers) *outcome {
	p.showLeft(left)
	message := "deleting the contents: " + p.soFar()
	if len(left) > 0 {
		message += "; left for now: " + left.String()
	}
	return p.notYet(v1alpha1.ReasonDeleting, message, max(after, pauseStale))
}

// stillNotEmpty is what a resource came to that Google does not delete though nothing was left of what was looked for.
func (p *pass) stillNotEmpty(ctx context.Context, err error) outcome {
	e := p.emptying
	switch {
	case e.last.deleted > 0:
		return *p.notYet(v1alpha1.ReasonDeleting, "deleting the contents: "+p.soFar()+"; something is left, or was added in the meantime", pauseStale)
	case !e.thorough:
		e.thorough, e.fruitless = true, 0
		return p.deleteResource(ctx)
	}
	return *p.notYet(v1alpha1.ReasonNotEmpty, fmt.Sprintf("%s %s were looked for, and none found. Retries automatically; to leave the %s in Google "+
		"Cloud, set spec.deletionPolicy to Orphan", gcp.Classify(err).Message, p.contentNames(), p.kind.Name), e.pause(p.now()))
}

// notYet is the outcome of a deletion that is not over.
func (p *pass) notYet(reason, message string, after time.Duration) *outcome {
	return &outcome{reason: reason, message: message, looked: true, drift: p.Changes, after: after}
}

// contentNames are the names of all contents that the resource may have.
func (p *pass) contentNames() string {
	var names []string
	for _, c := range p.kind.Fields.Contents(p.env.Ref, p.seen.Fields.Live) {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// soFar says what was deleted.
func (p *pass) soFar() string {
	var parts []string
	var counted []*int64
	for _, c := range p.kind.Fields.Contents(p.env.Ref, p.seen.Fields.Live) {
		if c.Deleted == nil {
			continue
		}
		n := c.Deleted(p.emptying.progress)
		if slices.Contains(counted, n) || *n == 0 && len(counted) > 0 {
			continue
		}
		counted = append(counted, n)
		parts = append(parts, fmt.Sprintf("%d %s", *n, c.Name))
	}
	return strings.Join(parts, ", ") + " deleted so far"
}

// showDeleted puts into the status what was deleted, showLeft also what is left.
func (p *pass) showDeleted() { p.obj.GetCommonStatus().Deletion = p.emptying.progress.DeepCopy() }

func (p *pass) showLeft(left leftovers) {
	p.emptying.progress.Remaining = left.status()
	p.showDeleted()
}

// emptyPages goes on where the pass before has stopped. done says that the round is over.
func (p *pass) emptyPages(ctx context.Context) (done bool, err error) {
	e, all, until := p.emptying, p.contents(), p.now().Add(emptyTime)
	for e.round.at < len(all) {
		turned, err := p.emptyPage(ctx, all[e.round.at], until)
		if err != nil || !turned {
			return false, err
		}
		switch {
		case e.round.page != "":
		case e.round.leaves(): // what comes next is not empty yet
			return true, nil
		default:
			e.round.at++
		}
	}
	return true, nil
}

// emptyPage deletes what can be deleted of a page, and turns to the next, unless the time is over. A page that was begun is seen to its end:
// otherwise one on which all is refused, which no list tells, would be begun for ever.
func (p *pass) emptyPage(ctx context.Context, of kind.Contents, until time.Time) (turned bool, err error) {
	if !p.now().Before(until) {
		return false, nil
	}
	r := &p.emptying.round
	pieces, next, err := of.List(ctx, r.page)
	if err != nil {
		if !gcp.IsThrottled(err) && !gcp.IsUnavailable(err) { // be it the page that is invalid: the next look begins at the start
			*r = round{}
		}
		return false, err
	}
	var left leftovers
	free := slices.DeleteFunc(pieces, func(piece kind.Piece) bool {
		kept := isKept(piece, p.now())
		if kept {
			left = left.with(of.Name, piece.Name, *piece.Kept)
		}
		return kept
	})
	slices.SortStableFunc(free, func(a, b kind.Piece) int { return cmp.Compare(b.Depth, a.Depth) })
	for batch := range slices.Chunk(free, emptyBatch) {
		if left, err = p.emptyBatch(ctx, of, batch, left); err != nil {
			return false, err
		}
	}
	r.left, r.page = r.left.and(left), next
	return true, nil
}

// isKept says whether a piece is known not to be deletable now.
func isKept(piece kind.Piece, now time.Time) bool {
	kept := piece.Kept
	return kept != nil && (kept.Leaving || kept.Until.IsZero() || now.Before(kept.Until))
}

// emptyBatch deletes a batch, and returns what is left of all so far. That something is left is no failure, unless the same is to be expected
// of the next batch.
func (p *pass) emptyBatch(ctx context.Context, of kind.Contents, batch []kind.Piece, left leftovers) (leftovers, error) {
	var results []error
	err := p.behindGate(ctx, "deleting "+of.Name+" of the "+p.kind.Name, &p.sent.fields, func(ctx context.Context) error {
		results = deleteAll(ctx, batch)
		return asOneWrite(results)
	})
	if results == nil { // the gate was closed
		return left, err
	}
	r, deleted, denied := &p.emptying.round, 0, 0
	for i, err := range results {
		switch class := classOf(err); {
		case err == nil:
			deleted++
		case refusals[class].Why != "":
			left = left.refused(of.Name, batch[i].Name, err)
			if class == kind.Denied {
				denied++
			}
		case class == kind.Unavailable, class == kind.Conflict:
			r.again = err
		}
	}
	r.deleted += int64(deleted)
	if of.Deleted != nil {
		*of.Deleted(p.emptying.progress) += int64(deleted)
	}
	switch throttled := firstOf(results, kind.Throttled); {
	case throttled != nil:
		return left, throttled
	case denied == emptyBatch && r.deleted == 0:
		return left, firstOf(results, kind.Denied)
	case deleted == 0:
		return left, firstOf(results, kind.Unavailable)
	}
	return left, nil
}

// errUntried is for pieces that were not tried, because others of the batch were answered so that it is better to wait.
var errUntried = errors.New("not tried")

// deleteAll deletes pieces, the deeper ones first, and returns what each came to.
func deleteAll(ctx context.Context, pieces []kind.Piece) []error {
	results := make([]error, len(pieces))
	var stopped atomic.Bool
	for at := 0; at < len(pieces); {
		var group errgroup.Group
		group.SetLimit(emptyAtOnce)
		for depth := pieces[at].Depth; at < len(pieces) && pieces[at].Depth == depth; at++ {
			piece, result := pieces[at], &results[at]
			group.Go(func() error {
				if *result = errUntried; !stopped.Load() {
					*result = piece.Delete(ctx)
				}
				if classOf(*result) == kind.Throttled || ctx.Err() != nil {
					stopped.Store(true)
				}
				return nil
			})
		}
		_ = group.Wait() // none returns an error
	}
	return results
}

// classOf is the class of an error; empty for none.
func classOf(err error) kind.Class {
	if err == nil || errors.Is(err, errUntried) {
		return ""
	}
	return gcp.Classify(err).Class
}

// asOneWrite is what a batch came to as the one write that it is to the gate: one that was not answered if any deletion was not, and one that
// was not sent if none was.
func asOneWrite(results []error) error {
	if err := firstOf(results, kind.Unavailable); err != nil {
		return err
	}
	limited := slices.IndexFunc(results, gcp.IsLimited)
	if limited < 0 || slices.ContainsFunc(results, func(err error) bool { return !gcp.IsLimited(err) && !errors.Is(err, errUntried) }) {
		return nil
	}
	return results[limited]
}

// firstOf is the first error of a class; nil for none.
func firstOf(results []error, class kind.Class) error {
	if i := slices.IndexFunc(results, func(err error) bool { return classOf(err) == class }); i >= 0 {
		return results[i]
	}
	return nil
}
