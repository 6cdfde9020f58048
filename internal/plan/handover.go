package plan

import (
	"maps"
	"slices"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// Bounds of how long a deletion waits until other manifests have taken over what it has recorded as its own grants.
const (
	// claiming is for those that there are.
	claiming = time.Minute
	// moving is for one that may be on its way: a manifest that moves is deleted here and applied there at about the same time.
	moving = 5 * time.Second
	// pauseClaiming is how often it is looked whether they have.
	pauseClaiming = time.Second
)

// PassedOn is the record once the manifest has taken over what others of the same resource have recorded as their own grants, or once its own
// were taken over by another one.
//
// A resource that one manifest owns has one heir: of the manifests that stay and may write, the one that owns it once the others are gone. It
// takes over what all others have recorded, before it owns the resource, and says so in its status; by that the others know that they have
// nothing any more. Of a shared policy each manifest that stays takes over, of those that go, what it wants itself: the rest is theirs to revoke
// or to leave.
func (r Record) PassedOn(m Manifest, e Environment) Record {
	s := subject{m, r, Observation{}, e, &Assessment{}}
	switch {
	case m.Kind.Policy == nil:
		return r
	case m.Kind.Shared():
		return s.takesItsShare()
	}
	heir := s.heir()
	switch {
	case heir == m.Object:
		return s.inherits()
	case heir != nil && tookOver(heir, m.Object):
		r.Policy = PolicyRecord{}
	default:
		r.Policy.TakenOver = nil
	}
	return r
}

// heir is the manifest that owns the resource, or will once those that go are gone; nil for none.
func (s subject) heir() v1alpha1.Object {
	var heir v1alpha1.Object
	best := Aside
	inherits := func(obj v1alpha1.Object, its Standing) {
		if stays(obj) && (its > best || its == best && heir != nil && older(obj, heir)) {
			heir, best = obj, its
		}
	}
	inherits(s.Object, s.own())
	for _, rival := range s.env.Rivals {
		if !rival.Barred {
			inherits(rival.Object, rival.standing(s.Kind))
		}
	}
	return heir
}

func tookOver(heir, from v1alpha1.Object) bool {
	iam := heir.GetCommonStatus().IAM
	return iam != nil && slices.Contains(iam.TakenOver, string(from.GetUID()))
}

// inherits takes over what the others have recorded, each once: what the heir has given up since is not its own again. One that has not seen its
// newest generation yet may still be about to record something.
func (s subject) inherits() Record {
	r, was := s.record, s.record.Policy.TakenOver
	r.Policy.TakenOver = nil
	for _, rival := range s.env.Rivals {
		other, uid := rival.Object, string(rival.Object.GetUID())
		theirs := RecordOf(other.GetCommonStatus()).Policy
		switch {
		case !theirs.owns():
			continue
		case !slices.Contains(was, uid):
			if other.GetCommonStatus().ObservedGeneration != other.GetGeneration() {
				continue
			}
			r.Policy = r.Policy.with(theirs)
		}
		r.Policy.TakenOver = append(r.Policy.TakenOver, uid)
	}
	slices.Sort(r.Policy.TakenOver)
	return r
}

// takesItsShare takes over, of what those have recorded that go, what this manifest wants.
func (s subject) takesItsShare() Record {
	r := s.record
	if !stays(s.Object) {
		return r
	}
	var wanted *PolicyPlan
	for _, rival := range s.env.Rivals {
		theirs := RecordOf(rival.Object.GetCommonStatus()).Policy
		if stays(rival.Object) || !theirs.owns() {
			continue
		}
		if wanted == nil {
			wanted = s.policyInput()
		}
		if share := theirs.among(wanted.In); share.owns() {
			r.Policy = r.Policy.with(share)
		}
	}
	return r
}

// owns says whether anything is recorded that a manifest has made.
func (r PolicyRecord) owns() bool { return len(r.Grants)+len(r.Pending)+len(r.AuditServices) > 0 }

// with is the record with what another one has besides.
func (r PolicyRecord) with(other PolicyRecord) PolicyRecord {
	r.Known = true
	r.Grants = union(r.Grants, other.Grants)
	r.Pending = union(r.Pending, other.Pending)
	r.AuditServices = union(r.AuditServices, other.AuditServices)
	if names := other.StoredAs.named(); len(names) > 0 {
		maps.Copy(names, r.StoredAs)
		r.StoredAs = names
	}
	return r
}

func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// among is what a record has of what is wanted.
func (r PolicyRecord) among(in iampolicy.Input) PolicyRecord {
	wanted := grantsBy(in.Wanted)
	unwanted := func(g iampolicy.Grant) bool { return !wanted[g.Normal()] }
	return PolicyRecord{
		Grants:  slices.DeleteFunc(slices.Clone(r.Grants), unwanted),
		Pending: slices.DeleteFunc(slices.Clone(r.Pending), unwanted),
		AuditServices: slices.DeleteFunc(slices.Clone(r.AuditServices), func(service string) bool {
			return !slices.ContainsFunc(in.AuditConfigs, func(c iampolicy.AuditConfig) bool { return c.Service == service })
		}),
		StoredAs: r.StoredAs,
	}
}

// unclaimed says whether others that stay are to take over something that is recorded here, and have not yet.
func (s subject) unclaimed() bool {
	mine := s.record.Policy
	if !s.Kind.Shared() {
		return mine.owns() && s.heir() != nil
	}
	var wanted, claimed PolicyRecord
	for _, rival := range s.env.Rivals {
		if !stays(rival.Object) {
			continue
		}
		theirs := RecordOf(rival.Object.GetCommonStatus()).Policy
		spec, audit := s.Kind.Policy.Of(rival.Object)
		in := iampolicy.Input{AuditConfigs: wantedAudit(audit)}
		if spec != nil {
			in.Wanted = theirs.StoredAs.rename(rival.References.grants(spec.Bindings).grants)
		}
		wanted, claimed = wanted.with(mine.among(in)), claimed.with(theirs)
	}
	has := grantsBy(slices.Concat(claimed.Grants, claimed.Pending))
	return slices.ContainsFunc(slices.Concat(wanted.Grants, wanted.Pending), func(g iampolicy.Grant) bool { return !has[g.Normal()] }) ||
		slices.ContainsFunc(wanted.AuditServices, func(service string) bool { return !slices.Contains(claimed.AuditServices, service) })
}

// ruleDeletionHandsOver keeps a manifest whose grants others are to take over: they are the only ones to know whose they are afterwards.
func ruleDeletionHandsOver(s subject) *Verdict {
	if s.Kind.Policy == nil || s.env.Glass.Open() || !s.record.Policy.owns() {
		return nil
	}
	since, until := s.Object.GetDeletionTimestamp().Time, time.Time{}
	switch {
	case s.unclaimed():
		until = latest(since, s.env.Since).Add(claiming)
	case Orphans(s.Object):
		until = since.Add(moving)
	}
	if !s.env.Now.Before(until) {
		return nil
	}
	v := blind(v1alpha1.ReasonDeleting, "waiting until "+until.UTC().Format(time.TimeOnly)+" UTC at most for another manifest of the same resource to take over the "+
		"grants that this one made (status.iam)")
	v.After = pauseClaiming
	return v
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// stays says whether a manifest may write by its spec, and goes on doing so.
func stays(obj v1alpha1.Object) bool {
	return obj.GetDeletionTimestamp().IsZero() && obj.GetCommonSpec().Management != v1alpha1.ManagementObserve
}
