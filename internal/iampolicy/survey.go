package iampolicy

import "github.com/holdfast-dev/holdfast/api/v1alpha1"

// survey is what a plan is made from, in its normal form.
type survey struct {
	Input

	live     live
	wanted   grantSet
	declared grantSet
	shared   grantSet
	refused  map[string]bool
	// own are the grants that this manifest made: those that are recorded, and the pending ones that are live.
	own grantSet
	// owned are the same, in the order of the record, which is that of grants.
	owned []Grant
	// roles are those that the manifest lists.
	roles map[string]bool
	// self is whom Google Cloud knows this installation as.
	self normalSelf
	// spelled are the wanted conditions as the manifest writes them.
	spelled map[Condition]Condition
}

func lookAt(in Input) survey {
	s := survey{
		Input: in, live: index(in.Live), wanted: make(grantSet, len(in.Wanted)), declared: setOf(in.Declared), shared: setOf(in.Shared),
		refused: map[string]bool{}, own: make(grantSet, len(in.Recorded)),
		owned: make([]Grant, 0, len(in.Recorded)), roles: map[string]bool{}, spelled: map[Condition]Condition{},
	}
	s.self, s.Self.Email = in.Self.normal(), lower(in.Self.Email)
	for _, g := range in.Wanted {
		normal := g.Normal()
		s.wanted.add(normal)
		s.roles[g.Role] = true
		if known, ok := s.spelled[normal.Condition]; !ok || compareConditions(g.Condition, known) < 0 {
			s.spelled[normal.Condition] = g.Condition // any of them, but always the same
		}
	}
	for _, member := range in.Refused {
		s.refused[NormalMember(member)] = true
	}
	for _, g := range in.Recorded {
		s.owns(g.Normal())
	}
	for _, g := range in.Pending {
		if normal := g.Normal(); s.live.isLive(normal) {
			s.owns(normal)
		}
	}
	return s
}

func (s *survey) owns(g Grant) {
	if !s.own.has(g) {
		s.own.add(g)
		s.owned = append(s.owned, g)
	}
}

// authoritative says whether the manifest owns grants that it did not make. One that does not manage the policy does not.
func (s *survey) authoritative() bool {
	owns := s.Mode == v1alpha1.IAMAuthoritativeRoles || s.Mode == v1alpha1.IAMAuthoritative
	return owns && (s.Managed || len(s.wanted) > 0)
}

// ownsRole says whether nobody may have the role but those who are wanted.
func (s *survey) ownsRole(role string) bool {
	return s.authoritative() && (s.Mode == v1alpha1.IAMAuthoritative || s.roles[role])
}

// live is the live policy in its normal form.
type live struct {
	bindings []liveBinding
	grants   grantSet
	// deleted are the grants of deleted principals, by the grant that each was.
	deleted map[Grant][]Grant
}

// liveBinding is a live binding's members and condition in their normal form, in the order of the policy.
type liveBinding struct {
	members   []string
	condition Condition
}

func index(p Policy) live {
	count := 0
	for _, b := range p.Bindings {
		count += len(b.Members)
	}
	l := live{bindings: make([]liveBinding, len(p.Bindings)), grants: make(grantSet, count), deleted: map[Grant][]Grant{}}
	members := make([]string, 0, count)
	for i, b := range p.Bindings {
		first, condition := len(members), b.Condition.Normal()
		for _, m := range b.Members {
			g := Grant{Role: b.Role, Member: NormalMember(m), Condition: condition}
			members = append(members, g.Member)
			if was, deleted := whoWas(g.Member); deleted {
				of := Grant{Role: g.Role, Member: was, Condition: condition}
				l.deleted[of] = append(l.deleted[of], g)
			}
			l.grants.add(g)
		}
		l.bindings[i] = liveBinding{members: members[first:], condition: condition}
	}
	return l
}

// isLive says whether a grant is live, also as that of a deleted principal.
func (l *live) isLive(g Grant) bool {
	return l.grants.has(g) || len(l.deleted[g]) > 0
}

// grantedTo says whether somebody is named in the policy.
func (l *live) grantedTo(email string) bool {
	for _, b := range l.bindings {
		for _, m := range b.members {
			if isPerson(m, email) {
				return true
			}
		}
	}
	return false
}
