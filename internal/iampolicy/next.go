package iampolicy

import "slices"

// next is the live bindings with the changes. What does not change stays exactly as it was read, in its place.
func (s *survey) next(add, revoke []Grant) []Binding {
	bindings := slices.Clone(s.Live.Bindings)
	emptied := s.take(bindings, revoke)
	bindings = s.put(bindings, add)
	out := bindings[:0]
	for i, b := range bindings {
		if len(b.Members) > 0 || !emptied[i] { // Google allows no binding without members
			out = append(out, b)
		}
	}
	return out
}

// take removes members from all bindings that they are in, and says which bindings that emptied.
func (s *survey) take(bindings []Binding, revoke []Grant) (emptied map[int]bool) {
	gone, roles := make(grantSet, len(revoke)), map[string]bool{}
	for _, g := range revoke {
		gone.add(g)
		roles[g.Role] = true
	}
	emptied = map[int]bool{}
	for i, b := range bindings {
		if !roles[b.Role] {
			continue
		}
		var stay []string
		for j, m := range b.Members {
			if !gone.has(Grant{b.Role, s.live.bindings[i].members[j], s.live.bindings[i].condition}) {
				stay = append(stay, m)
			}
		}
		if len(stay) < len(b.Members) {
			bindings[i].Members, emptied[i] = stay, len(stay) == 0
		}
	}
	return emptied
}

// put adds members to the first binding of their role and condition, or to a new one behind all others.
func (s *survey) put(bindings []Binding, add []Grant) []Binding {
	places := map[Grant]int{} // by role and condition
	if len(add) > 0 {
		for i, b := range slices.Backward(bindings) {
			places[Grant{Role: b.Role, Condition: s.live.bindings[i].condition}] = i
			bindings[i].Members = slices.Clip(b.Members) // so that the live policy's own are not written into
		}
	}
	for _, g := range add {
		key := Grant{Role: g.Role, Condition: g.Condition}
		i, ok := places[key]
		if !ok {
			i = len(bindings)
			places[key] = i
			bindings = append(bindings, Binding{Role: g.Role, Condition: s.spelled[g.Condition]})
		}
		bindings[i].Members = append(bindings[i].Members, g.Member)
	}
	return bindings
}
