package engine

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/sweep"
)

// rest ends the pass of an object that is settled and that there is no cause to look at: its resource is checked with the others of its project.
// So objects cost nothing when the process starts, and when something changes that has no effect on them.
func (p *pass) rest(context.Context) *outcome {
	if !p.due.isDue(p.name()) && p.settled() && !p.checkIsDue() {
		return &outcome{settled: true}
	}
	p.due.drop(p.name()) // who has asked for a look until now gets this one
	return nil
}

// settled says whether the object's status, as it is now, says that nothing is to be done.
func (p *pass) settled() bool { return plan.Settled(p.manifest(), p.record, p.env) }

// restsFor says when an object is looked at again for which nothing is to be done or to be waited for; 0 for not by itself.
func (p *pass) restsFor() time.Duration {
	left, asked := p.due.left(p.name())
	switch {
	case asked:
		return max(left, pauseStale)
	case !p.settled():
		return p.sweep.Next()
	case isListed(p.kind):
		if p.seen.Policy.Looked {
			p.policies.drop(p.name())
			p.policies.set(p.name(), p.policySweep.Next())
			p.noteChecked()
		}
		return 0
	}
	p.routine = true
	after, known := p.policies.left(p.name())
	switch {
	case p.looked():
		after = p.checks().Next()
		p.noteChecked()
	case !known || after <= 0: // this process has just begun, or a listing of assets spares the look
		after = p.checks().First()
	}
	p.policies.drop(p.name())
	p.policies.set(p.name(), after)
	return max(after, pauseStale)
}

// checkIsDue says whether it is time to look at an object that no list shows, and whose resource no listing of assets covers.
func (p *pass) checkIsDue() bool {
	if isListed(p.kind) || !p.policies.isDue(p.name()) {
		return false
	}
	return !p.coverage.Spares(p.kind, p.env.Ref.Project, p.lastChecked(p.name()))
}

// noteChecked notes that the pass has looked at what no list shows, where that may be spared later.
func (p *pass) noteChecked() {
	if p.coverage != nil {
		p.checked.Store(p.name(), p.began)
	}
}

// lastChecked is when this process last looked at an object, or the policy of one, that no list shows; zero for never.
func (r *Reconciler) lastChecked(name types.NamespacedName) time.Time {
	checked, _ := r.checked.Load(name)
	at, _ := checked.(time.Time)
	return at
}

// checks is when objects of the kind are checked: those that are but a policy, when policies are.
func (r *Reconciler) checks() sweep.Schedule {
	if r.kind.Shared() {
		return r.policySweep
	}
	return r.sweep
}

// looked says whether the pass has looked at Google Cloud.
func (p *pass) looked() bool { return p.seen.Fields.Looked || p.seen.Policy.Looked }

// isListed says whether lists show the fields of a kind's resources.
func isListed(k kind.Kind) bool { return k.Fields != nil && k.Fields.List != nil }
