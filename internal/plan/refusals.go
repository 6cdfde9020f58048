package plan

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// The pauses between two tries to grant something to a member that Google rejects double from the first to the last.
const (
	firstRefused = time.Minute
	lastRefused  = time.Hour
)

// Refused is the record after Google refused members of a manifest. Those that status has no room for are tried again with each look.
func (r Record) Refused(members []string, message string, obj v1alpha1.Object, e Environment) Record {
	now := &metav1.Time{Time: e.Now.Truncate(time.Second)}
	refused := slices.Clone(r.Policy.Refused)
	for _, member := range members {
		refusal := v1alpha1.IAMRefusal{
			Member: member, Message: text.Cut(message, longestText), Generation: obj.GetGeneration(), FirstTryTime: now, LastTryTime: now,
		}
		i := slices.IndexFunc(refused, func(earlier v1alpha1.IAMRefusal) bool { return earlier.Member == member })
		if i < 0 {
			refused = append(refused, refusal)
			continue
		}
		if earlier := refused[i]; earlier.Generation == refusal.Generation && earlier.FirstTryTime != nil && !e.appeared(earlier) {
			refusal.FirstTryTime = earlier.FirstTryTime
		}
		refused[i] = refusal
	}
	r.Policy.Refused = refused
	return r
}

// stillRefused are the members that Google refused for this very manifest and that are not to be tried again yet, and when the first of them
// is to be; zero if none is.
func (r Record) stillRefused(obj v1alpha1.Object, e Environment) (members []string, until time.Time) {
	for _, refusal := range r.Policy.Refused {
		next := nextTry(refusal)
		if refusal.Generation != obj.GetGeneration() || !e.Now.Before(next) || e.appeared(refusal) {
			continue
		}
		members = append(members, refusal.Member)
		if until.IsZero() || next.Before(until) {
			until = next
		}
	}
	return members, until
}

// nextTry is when a refused member is to be tried again: after as long as it has been tried for.
func nextTry(refusal v1alpha1.IAMRefusal) time.Time {
	first, last := refusal.FirstTryTime, refusal.LastTryTime
	if first == nil || last == nil {
		return time.Time{}
	}
	return last.Add(min(max(last.Sub(first.Time), firstRefused), lastRefused))
}

// appeared says whether the service account that was refused has become ready since, by a manifest of whatever namespace.
func (e Environment) appeared(refusal v1alpha1.IAMRefusal) bool {
	ready, ok := e.Appeared[refusal.Member]
	return ok && refusal.LastTryTime != nil && !ready.Before(refusal.LastTryTime.Time)
}
