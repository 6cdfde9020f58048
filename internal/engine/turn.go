package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// Turns keep places in the line for Google's quotas.
type Turns interface {
	// Reserve takes places in a tenant's line for calls about a resource, and says how long it takes until all of them may be made. Those that
	// are only likely get a place if they could not be made at once.
	Reserve(of fair.Tenant, impersonate, id string, certain, likely []kind.Method) (turn gcp.Turn, wait time.Duration)
}

// turnLasts is how long after its time a turn is still good. Those who come late must not come all at once.
const turnLasts = 15 * time.Second

// waitingTurn is the turn of an object that waits for it.
type waitingTurn struct {
	gcp.Turn

	of errand
	// editor is who had edited the manifest when the turn was last asked for.
	editor string
	// due is when its time comes, as far as that was known when it was last asked for: others come in between.
	due time.Time
}

// errand is what a turn is for: calls about a resource, because the manifest is there or because it goes. Whose edit it is does not matter.
type errand struct {
	tenant          fair.Tenant
	impersonate, id string
	deleting        bool
}

// waitingTurns are the turns of all objects of a kind that wait for one.
type waitingTurns struct {
	mu sync.Mutex
	of map[types.NamespacedName]waitingTurn
}

func newWaitingTurns() *waitingTurns {
	return &waitingTurns{of: map[types.NamespacedName]waitingTurn{}}
}

// keep keeps an object's turn until it comes back for it.
func (w *waitingTurns) keep(name types.NamespacedName, turn waitingTurn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.of[name] = turn
}

// take hands out the object's turn; ok is false if it has none, or none that is good for the errand any more.
func (w *waitingTurns) take(name types.NamespacedName, of errand, now time.Time) (turn waitingTurn, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	turn, ok = w.of[name]
	delete(w.of, name)
	if ok && (turn.of != of || now.Sub(turn.due) > turnLasts) {
		turn.Release()
		return waitingTurn{}, false
	}
	return turn, ok
}

// drop gives the turn back of an object that does not need it any more.
func (w *waitingTurns) drop(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if turn, ok := w.of[name]; ok {
		turn.Release()
		delete(w.of, name)
	}
}

// waitForTurn ends a pass whose calls cannot be made yet, before the first of them: it comes back when they can, if nobody else came in between,
// and keeps its place.
// An object whose glass is broken does not wait: people wait for that to be acknowledged.
func (p *pass) waitForTurn(context.Context) *outcome {
	if p.glassMatters() {
		p.kept.drop(p.name())
		return nil
	}
	p.asked = true
	turn, ok := p.kept.take(p.name(), p.errand(), p.now())
	if !ok {
		turn = p.reserveLook()
	}
	if turn.editor != editorOf(p.obj) && turn.Wait() > 0 {
		turn = p.sooner(turn)
	}
	if wait := turn.Wait(); wait > 0 {
		turn.due = p.now().Add(wait)
		p.kept.keep(p.name(), turn)
		return limited(wait)
	}
	p.turn = &turn
	return nil
}

// inline is how long a worker waits for the time of a write. What has to wait longer comes back.
const inline = 500 * time.Millisecond

// waitToWrite ends a pass whose first write cannot be made yet, before anything is read, recorded or sent for it: whether there is something to
// write is known only now. It comes back when it can, and keeps its place.
func (p *pass) waitToWrite() *outcome {
	writes := p.Writes()
	if p.turn == nil || p.glassMatters() || len(writes) == 0 {
		return nil
	}
	first := writes[:1]
	if p.turn.Cover(methodsOf(p.kind, first)) <= inline {
		return nil
	}
	wait := p.turn.Cover(methodsOf(p.kind, slices.Concat(p.readSteps(), first)))
	p.turn.due = p.now().Add(wait)
	p.keepTurn()
	out := limited(wait)
	out.outOfLine = true
	return out
}

// withTurn lets the calls of a context use the pass's turn.
func (p *pass) withTurn(ctx context.Context) context.Context {
	if p.turn == nil {
		return ctx
	}
	return p.turn.With(ctx)
}

// glassMatters says whether the glass is broken, or there is something of it that is yet to be told.
func (p *pass) glassMatters() bool {
	return p.env.Glass.Open() || recordedScope(p.stored) != "" || len(p.told) > 0
}

func (p *pass) name() types.NamespacedName { return client.ObjectKeyFromObject(p.obj) }

// tenant is on whose behalf the pass calls, whoever edited.
func (p *pass) tenant() fair.Tenant {
	return fair.Tenant{Namespace: p.obj.GetNamespace(), Project: p.env.Ref.Project}
}

func (p *pass) errand() errand {
	return errand{p.tenant(), p.env.Ref.Impersonate, p.env.Ref.ID, p.deleting()}
}

// reserve takes places in the line for the steps of a pass.
func (p *pass) reserve(certain, likely []kind.Step) waitingTurn {
	of := p.errand()
	tenant := of.tenant
	tenant.Editor = editorOf(p.obj)
	turn, wait := p.turns.Reserve(tenant, of.impersonate, of.id, methodsOf(p.kind, certain), methodsOf(p.kind, likely))
	return waitingTurn{turn, of, tenant.Editor, p.now().Add(wait)}
}

// reserveLook takes places in the line for a look, and for what it will likely lead to.
func (p *pass) reserveLook() waitingTurn {
	return p.reserve(p.readSteps(), plan.LikelyWrites(p.manifest(), p.record, p.env, p.decided()))
}

// sooner is the turn that an object has or that it gets now that somebody else has edited it, whichever comes first: who corrects something of a
// mass change does not wait with it, and who is part of one loses no place.
func (p *pass) sooner(kept waitingTurn) waitingTurn {
	other := p.reserveLook()
	if other.Wait() < kept.Wait() {
		kept.Release()
		return other
	}
	other.Release()
	kept.editor = other.editor
	return kept
}

// limited is the outcome of a pass that has to wait for our own limits. It says nothing: nothing is known that was not known before.
func limited(wait time.Duration) *outcome { return &outcome{silent: metrics.Limited, after: wait} }

// comeBack says when a pass goes on that our own limits have cut short. What it was about to write gets its place in the line, so that it
// is not refused again. The status that was stored meanwhile has to be seen.
func (p *pass) comeBack(after time.Duration) time.Duration {
	writes := p.Writes()
	if len(writes) == 0 || p.glassMatters() {
		return after
	}
	turn := p.reserve(slices.Concat(p.readSteps(), writes), nil)
	p.kept.keep(p.name(), turn)
	return max(turn.due.Sub(p.now()), pauseStale)
}

// keepTurn keeps what is left of the turn for a pass that follows in a moment.
func (p *pass) keepTurn() {
	if p.turn != nil {
		p.kept.keep(p.name(), *p.turn)
	}
	p.turn = nil
}

// releaseTurn gives back what is left of the turn; and one that was kept for this pass, if it has ended before it came to ask for it: whatever
// keeps the object from its calls may last, and others must not wait behind it meanwhile.
func (p *pass) releaseTurn() {
	if !p.asked {
		p.kept.drop(p.name())
	}
	if p.turn != nil {
		p.turn.Release()
	}
	p.turn = nil
}

// decided says whether a pass has looked since the manifest was last edited and left nothing to be done by another one.
func (p *pass) decided() bool {
	is := readyCondition(p.obj)
	return is != nil && is.ObservedGeneration == p.obj.GetGeneration() && standingOf(is.Reason) != waiting
}

// methodsOf are the methods that the steps call, one for each.
func methodsOf(k kind.Kind, steps []kind.Step) []kind.Method {
	var methods []kind.Method
	for _, step := range steps {
		if i := slices.IndexFunc(k.Methods, func(m kind.Method) bool { return m.Step == step }); i >= 0 {
			methods = append(methods, k.Methods[i])
		}
	}
	return methods
}
