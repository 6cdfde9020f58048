package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// PolicyPlan is how a resource's IAM policy differs from the manifest. The methods of a nil plan say that nothing does.
type PolicyPlan struct {
	// In is what the plan was made from, and Plan what it comes to.
	In   iampolicy.Input
	Plan iampolicy.Plan
	// storedAs are those of the manifest's members that Google stores under another name.
	storedAs StoredAs
	// lost says that the record was lost which told what of Plan.NotOwned is the manifest's own.
	lost bool
	// waits says which references are unresolved, notAllowed which must not be followed; each empty for none.
	waits, notAllowed string
	// Fresh are members that were created a moment ago, and when; unseen are those of them that not all of Google knows yet.
	Fresh  map[string]time.Time
	unseen []string
	// RetryRefused is when the first of the members that Google refused is to be tried again; zero for none.
	RetryRefused time.Time
}

// Changes are how the policy differs.
func (p *PolicyPlan) Changes() diff.Changes {
	if p == nil {
		return nil
	}
	return p.Plan.Changes
}

// Writes says whether there is something to write that can be written.
func (p *PolicyPlan) Writes() bool { return p != nil && p.Plan.Writes }

// Unwritable says what of the changes cannot be written, and what to do about it; empty if all can be.
func (p *PolicyPlan) Unwritable() string {
	switch {
	case p == nil:
		return ""
	case p.Plan.Refusal != "":
		return p.Plan.Refusal
	}
	refused := slices.DeleteFunc(slices.Clone(p.In.Refused), func(member string) bool { return slices.Contains(p.unseen, member) })
	if len(refused) == 0 {
		return ""
	}
	return fmt.Sprintf("Google rejected %s (see status.iam.refused). Fix it, or create what is missing: it is retried automatically with growing pauses, "+
		"at once with the annotation %s; everything else is granted", List(refused), v1alpha1.ReconcileRequestedAtAnnotation)
}

// NotGrantable names the roles that it cannot have been allowed to grant or revoke, where Google has refused the write for one of them.
func (p *PolicyPlan) NotGrantable() string {
	roles, known := p.Plan.NotGrantable(p.In.Live, p.In.Self)
	if known || len(roles) == 1 {
		return strings.Join(roles, ", ")
	}
	return "one or some of " + strings.Join(roles, ", ")
}

// Waits says what is waited for; empty for nothing.
func (p *PolicyPlan) Waits() string {
	if p == nil {
		return ""
	}
	var waits []string
	if p.waits != "" {
		waits = append(waits, p.waits)
	}
	if len(p.unseen) > 0 {
		waits = append(waits, List(p.unseen)+", created a moment ago and not known everywhere in Google Cloud yet")
	}
	return strings.Join(waits, "; ")
}

// NotAllowed says which references must not be followed, and what would allow them; empty for none.
func (p *PolicyPlan) NotAllowed() string {
	if p == nil {
		return ""
	}
	return p.notAllowed
}

// StoredOtherwise says what Google stores under another name; empty for nothing.
func (p *PolicyPlan) StoredOtherwise() string {
	if p == nil || len(p.storedAs) == 0 {
		return ""
	}
	return p.storedAs.words()
}

// RetryUnseen is the pause before the members are tried again that Google does not know everywhere yet; 0 for none.
func (p *PolicyPlan) RetryUnseen(now time.Time) time.Duration {
	var shortest time.Duration
	if p == nil {
		return shortest
	}
	for _, member := range p.unseen {
		if pause := pauseSince(p.Fresh[member], now); shortest == 0 || pause < shortest {
			shortest = pause
		}
	}
	return shortest
}

// granting says that the plan does no more than grant, and revoke what is the manifest's own: that takes nothing over which was there before.
// An audit config is the manifest's in whatever mode, so changing one that is there takes it over.
func (p *PolicyPlan) granting() bool {
	return p != nil && p.In.Mode == v1alpha1.IAMAdditive && !slices.ContainsFunc(p.Plan.Changes, p.overwritesAudit)
}

func (p *PolicyPlan) overwritesAudit(c diff.Change) bool {
	return c.From != "" && strings.HasPrefix(c.Path, p.In.Prefix+".auditConfigs")
}

// adds says whether a member is to be granted something.
func (p *PolicyPlan) adds(member string) bool {
	return slices.ContainsFunc(p.Plan.Add, func(g iampolicy.Grant) bool { return g.Member == member })
}

// Adds are the members to be granted something that go by the name that Google refused.
func (p *PolicyPlan) Adds(is func(member string) bool) []string {
	var members []string
	for _, g := range p.Plan.Add {
		if is(g.Member) && !slices.Contains(members, g.Member) {
			members = append(members, g.Member)
		}
	}
	return members
}

// Kept are the grants that are left alone, for the status: so many of them.
func (p *PolicyPlan) Kept() []v1alpha1.IAMKept {
	var kept []v1alpha1.IAMKept
	for _, k := range p.Plan.Kept {
		kept = append(kept, v1alpha1.IAMKept{Role: k.Role, Member: k.Member, Why: k.Why})
	}
	for _, gone := range p.Plan.Deleted {
		kept = append(kept, v1alpha1.IAMKept{Role: gone.Role, Member: gone.Member,
			Why: "the principal was deleted; to remove it set " + p.In.Prefix + ".deletedPrincipals to Remove"})
	}
	return kept[:min(len(kept), mostChanges)]
}

// MentionsPolicy says whether the manifest mentions the resource's IAM policy, or has granted something in it, so that it has to be read.
func MentionsPolicy(m Manifest, r Record) bool {
	if m.Kind.Policy == nil {
		return false
	}
	if !m.Object.GetDeletionTimestamp().IsZero() && (m.Kind.Fields != nil || Orphans(m.Object)) {
		return false // the policy goes, or stays, with the resource
	}
	spec, _ := m.Kind.Policy.Of(m.Object)
	return spec != nil || r.Policy.Known
}

// unborn is the policy of a resource that is yet to be created: what should be granted is shown, and nothing is written.
var unborn = iampolicy.Policy{Etag: []byte("none yet")}

// policyPlan compares the IAM policy; nil where the manifest does not mention it, or it could not be read.
func (s subject) policyPlan() *PolicyPlan {
	seen := s.seen.Policy
	if !MentionsPolicy(s.Manifest, s.record) || s.seen.Fields.Foreign || s.exists() && !seen.Looked {
		return nil
	}
	p := s.policyInput()
	p.In.Live, p.unseen = unborn, seen.Unseen
	if s.exists() {
		p.In.Live = seen.Policy
	}
	p.In.Refused = slices.Concat(p.In.Refused, seen.Unseen)
	p.Plan = iampolicy.Make(p.In)
	p.lost = len(p.Plan.NotOwned) > 0 && (s.record.Policy.Lost || s.lostRecord())
	return p
}

// lostRecord says whether the resource was this installation's before the manifest, which may write to it, had a record of it.
func (s subject) lostRecord() bool {
	owner := s.marks()[v1alpha1.OwnerLabel]
	return stays(s.Object) && s.record.Identity == "" && !s.record.Policy.Known && owner != "" && s.identity().Labels[v1alpha1.OwnerLabel] == owner
}

// NotOwned says how many grants that the manifest lists stay when they leave it; empty if they all are its own.
func (p *PolicyPlan) NotOwned() string {
	if p == nil || len(p.Plan.NotOwned) == 0 {
		return ""
	}
	return fmt.Sprintf("grants that the manifest lists and that are not its own (status.iam.notOwned): %d; they stay when they leave it, unless %s.existingGrants is %s",
		len(p.Plan.NotOwned), p.In.Prefix, v1alpha1.IAMExistingGrantsOwn)
}

// Lost says so where the record was lost that told which they are.
func (p *PolicyPlan) Lost() string {
	if p == nil || !p.lost {
		return ""
	}
	return "the record of which grants this manifest has made was lost; " + p.NotOwned()
}

// ShowNotOwned is, for the status, what NotOwned counts.
func (p *PolicyPlan) ShowNotOwned() []v1alpha1.IAMGrants {
	return statusGrants(p.Plan.NotOwned[:min(len(p.Plan.NotOwned), mostChanges)])
}

// policyInput is what a plan is made from, but for the live policy.
func (s subject) policyInput() *PolicyPlan {
	spec, audit := s.Kind.Policy.Of(s.Object)
	if s.deleting() {
		spec, audit = nil, nil
	}
	record := s.record.Policy
	p := &PolicyPlan{In: iampolicy.Input{
		Prefix: s.Kind.Policy.Path, Mode: v1alpha1.IAMAdditive,
		AuditConfigs: wantedAudit(audit), Self: s.env.Self, OfSelf: s.isOwnAccount(),
		Recorded: record.Grants, Pending: record.Pending, AuditServices: record.AuditServices,
	}}
	p.In.Refused, p.RetryRefused = s.record.stillRefused(s.Object, s.env)
	if spec != nil {
		in := &p.In
		in.Managed, in.Mode, in.DeletedPrincipals = true, cmp.Or(spec.Mode, v1alpha1.IAMAdditive), spec.DeletedPrincipals
		in.OwnExisting = spec.ExistingGrants == v1alpha1.IAMExistingGrantsOwn
		in.First = !s.seen.Policy.Written && record.RevokedMode != in.Mode
		wanted := s.env.References.grants(spec.Bindings)
		in.Wanted, in.Unresolved = wanted.grants, len(wanted.missing)+len(wanted.notAllowed) > 0
		p.waits, p.notAllowed, p.Fresh = strings.Join(wanted.missing, "; "), strings.Join(wanted.notAllowed, "; "), wanted.fresh
	}
	s.limitRemovals(&p.In, spec)
	p.storedAs = s.storedAs().among(p.members(), s.Object.GetGeneration())
	p.In.Wanted, p.In.AuditConfigs = p.storedAs.rename(p.In.Wanted), p.storedAs.renameExempted(p.In.AuditConfigs)
	s.share(&p.In)
	return p
}

// storedAs are the names that Google stores, as far as this manifest and the others of the policy have found out.
func (s subject) storedAs() StoredAs {
	all := StoredAs{}
	for _, rival := range s.env.Rivals {
		maps.Copy(all, RecordOf(rival.Object.GetCommonStatus()).Policy.StoredAs.named())
	}
	for member, is := range s.record.Policy.StoredAs {
		if is.known() || len(all[member].Names) == 0 {
			all[member] = is
		}
	}
	return all
}

// members are all whom the plan's input wants to be listed, in their normal form.
func (p *PolicyPlan) members() map[string]bool {
	out := map[string]bool{}
	for _, members := range listsOf(iampolicy.Policy{AuditConfigs: p.In.AuditConfigs}) {
		maps.Copy(out, members)
	}
	for _, g := range p.In.Wanted {
		out[iampolicy.NormalMember(g.Member)] = true
	}
	return out
}

// ownAs are the manifest's own grants once the plan was written, by the names under which Google has stored them. One that was live before
// under that name is somebody else's, and so is what cannot be told from others'. Those of a role or a condition that is stored otherwise are
// its own as they are shown.
func (p *PolicyPlan) ownAs(became StoredAs, stored lists) []iampolicy.Grant {
	live, sent, had := listsOf(p.In.Live), listsOf(p.Plan.Next), grantsBy(p.Plan.Had)
	elsewhere := maps.Clone(stored)
	maps.DeleteFunc(elsewhere, func(at place, _ map[string]bool) bool { return at.role == "" || sent[at] != nil })
	own := grantsBy(stillThere(p.Plan.Had, p.Plan.Own, stored))
	for _, g := range p.Plan.Own {
		was := g.Normal()
		if _, renamed := became[was.Member]; !renamed {
			own[was] = true
		}
		for at, members := range elsewhere {
			if members[was.Member] && !stored.has(was) {
				own[iampolicy.Grant{Role: at.role, Member: was.Member, Condition: at.condition}] = true
			}
		}
		for _, is := range became.rename([]iampolicy.Grant{was}) {
			if stored.has(is) && (!live.has(is) || had[is] || had[was] && live.has(was)) {
				own[is] = true
			}
		}
	}
	return slices.Collect(maps.Keys(own))
}

// stillThere are the own grants that a plan gives up and that are in the policy as Google stored it.
func stillThere(had, own []iampolicy.Grant, stored lists) []iampolicy.Grant {
	keeps := grantsBy(own)
	return slices.DeleteFunc(slices.Clone(had), func(g iampolicy.Grant) bool { return keeps[g.Normal()] || !stored.has(g) })
}

// grantsBy are grants as a set, in their normal form.
func grantsBy(grants []iampolicy.Grant) map[iampolicy.Grant]bool {
	out := make(map[iampolicy.Grant]bool, len(grants))
	for _, g := range grants {
		out[g.Normal()] = true
	}
	return out
}

// share adds what the other manifests of a shared policy say and have done. One that clashes is applied instead of this one, or not
// at all.
func (s subject) share(in *iampolicy.Input) {
	if !s.Kind.Shared() {
		return
	}
	mine := claimOf(s.Kind.Policy.Of(s.Object))
	for _, rival := range s.env.Rivals {
		other := rival.Object
		spec, audit := s.Kind.Policy.Of(other)
		clashes := !s.deleting() && mine.clashes(claimOf(spec, audit)) // one that goes leaves it to the other
		if other.GetCommonSpec().Management == v1alpha1.ManagementObserve || clashes {
			continue
		}
		theirs := RecordOf(other.GetCommonStatus()).Policy
		recorded := slices.Concat(theirs.Grants, theirs.Pending)
		in.Shared, in.SharedServices = append(in.Shared, recorded...), append(in.SharedServices, theirs.AuditServices...)
		if spec == nil || !other.GetDeletionTimestamp().IsZero() {
			continue
		}
		for _, config := range audit {
			in.DeclaredServices = append(in.DeclaredServices, config.Service)
		}
		declared := rival.References.grants(spec.Bindings)
		in.Declared = append(in.Declared, s.perhaps(theirs.StoredAs, declared.grants)...)
		declared.grants = theirs.StoredAs.rename(declared.grants)
		if in.Declared = append(in.Declared, declared.grants...); len(declared.missing)+len(declared.notAllowed) > 0 {
			in.Declared = append(in.Declared, recorded...) // its record alone says whom it means
		}
	}
}

// perhaps are the own grants that another manifest may mean which lists somebody under a name that Google does not show.
func (s subject) perhaps(theirs StoredAs, declared []iampolicy.Grant) []iampolicy.Grant {
	unknown := map[place]bool{}
	for _, g := range declared {
		if len(theirs.names(g.Member)) != 1 {
			unknown[placeOf(g)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(s.record.Policy.Grants), func(g iampolicy.Grant) bool { return !unknown[placeOf(g)] })
}

// resolved are bindings as grants.
type resolved struct {
	grants []iampolicy.Grant
	// missing says which references lead nowhere yet, notAllowed which must not be followed.
	missing, notAllowed []string
	// fresh are members that were created so short a time ago that Google may not know them everywhere, and when.
	fresh map[string]time.Time
}

// grants writes bindings as grants, references resolved.
func (r References) grants(bindings []v1alpha1.IAMBinding) resolved {
	out := resolved{fresh: map[string]time.Time{}}
	for _, binding := range bindings {
		grant := iampolicy.Grant{Role: binding.Role, Condition: conditionOf(binding.Condition)}
		for _, member := range binding.Members {
			grant.Member = string(member)
			out.grants = append(out.grants, grant)
		}
		for _, ref := range binding.ServiceAccountRefs {
			if grant.Member = r.member(ref, &out); grant.Member != "" {
				out.grants = append(out.grants, grant)
			}
		}
	}
	out.missing = slices.Compact(slices.Sorted(slices.Values(out.missing)))
	out.notAllowed = slices.Compact(slices.Sorted(slices.Values(out.notAllowed)))
	return out
}

// member is whom a reference means; empty if that is not known, or must not be.
func (r References) member(ref v1alpha1.ServiceAccountRef, out *resolved) string {
	if ref.External != "" {
		return "serviceAccount:" + ref.External
	}
	account := r[kind.AccountReference(ref)]
	switch {
	case account.NotAllowed != "":
		out.notAllowed = append(out.notAllowed, account.NotAllowed)
		return ""
	case account.Value == "":
		out.missing = append(out.missing, account.Missing)
		return ""
	}
	member := "serviceAccount:" + account.Value
	if !account.Fresh.IsZero() {
		out.fresh[member] = account.Fresh
	}
	return member
}
