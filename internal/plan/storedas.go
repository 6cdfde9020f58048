package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// StoredAs are members that Google stores under another name than they were sent, such as the primary address for an alias, by the name that
// the manifest has, in its normal form.
type StoredAs map[string]StoredName

// StoredName is what Google shows for a member.
type StoredName struct {
	// Names is empty where Google shows nothing new, because who is meant was listed already under a name that cannot be told from others.
	// There are several only where it is uncertain which of them is meant.
	Names []string
	// Uncertain says that several members were stored under other names at once, so that which is whose is not certain. Together, and listed
	// where they were, they are right.
	Uncertain bool
	// Generation is that of the manifest that the member was sent for, where there is no name for certain: it is sent again with the next.
	Generation int64
}

// known says whether the name is a fact, and not of one answer alone.
func (n StoredName) known() bool { return len(n.Names) == 1 && !n.Uncertain }

// place is where a policy lists members: a role under a condition, or who is exempt from a type of a service's audit logs.
type place struct {
	role             string
	condition        iampolicy.Condition
	service, logType string
}

// lists are the members of a policy by place, in their normal form.
type lists map[place]map[string]bool

func placeOf(g iampolicy.Grant) place {
	return place{role: g.Role, condition: g.Condition.Normal()}
}

func listsOf(policy iampolicy.Policy) lists {
	out := lists{}
	for _, binding := range policy.Bindings {
		out.add(placeOf(iampolicy.Grant{Role: binding.Role, Condition: binding.Condition}), binding.Members)
	}
	for _, config := range policy.AuditConfigs {
		for _, log := range config.Logs {
			out.add(place{service: config.Service, logType: log.Type}, log.Exempted)
		}
	}
	return out
}

func (l lists) add(at place, members []string) {
	if l[at] == nil {
		l[at] = map[string]bool{}
	}
	for _, member := range members {
		l[at][iampolicy.NormalMember(member)] = true
	}
}

func (l lists) has(g iampolicy.Grant) bool { return l[placeOf(g)][iampolicy.NormalMember(g.Member)] }

// without are the members of a place that another policy does not list there, by name.
func (l lists) without(other lists, at place) []string {
	var out []string
	for member := range l[at] {
		if !other[at][member] {
			out = append(out, member)
		}
	}
	slices.Sort(out)
	return out
}

// names says whether a policy lists a member anywhere, be it as a deleted principal.
func (l lists) names(member string) bool {
	deleted := "deleted:" + member + "?uid="
	for _, members := range l {
		if members[member] {
			return true
		}
		for other := range members {
			if strings.HasPrefix(other, deleted) {
				return true
			}
		}
	}
	return false
}

// search finds out what became of the members that a policy lacks as Google stored it.
type search struct {
	stored lists
	// missing are the places where a member was sent and is not.
	missing map[string][]place
	// fresh are the names in a place that were not sent there, and that are not known to be those of members who were.
	fresh lists
	found StoredAs
}

// storedOtherwise finds what became of those members that a policy lacks as Google stored it. One that is shown by its own name somewhere has no
// other one: then it is the role or the condition that is stored otherwise.
func storedOtherwise(sent, stored lists, members map[string]bool) StoredAs {
	s := search{stored, map[string][]place{}, lists{}, StoredAs{}}
	for _, at := range slices.SortedFunc(maps.Keys(sent), comparePlaces) {
		s.fresh.add(at, stored.without(sent, at))
		for _, member := range sent.without(stored, at) {
			if !stored.names(member) {
				s.missing[member] = append(s.missing[member], at)
			}
		}
	}
	for s.certain() { // until nothing more follows from what is known
	}
	s.share(members)
	maps.DeleteFunc(s.found, func(member string, _ StoredName) bool { return !members[member] })
	return s.found
}

// certain finds the names that only one member can have, and says whether there are any.
func (s search) certain() (found bool) {
	candidates, claimants := map[string][]string{}, map[place]map[string]int{}
	for member, places := range s.missing {
		if _, known := s.found[member]; known {
			continue
		}
		candidates[member] = s.candidates(member)
		for _, at := range places {
			if claimants[at] == nil {
				claimants[at] = map[string]int{}
			}
			for _, name := range candidates[member] {
				claimants[at][name]++
			}
		}
	}
	for _, member := range slices.Sorted(maps.Keys(candidates)) {
		for _, name := range candidates[member] {
			only := func(at place) bool { return s.fresh[at][name] && claimants[at][name] == 1 }
			if name == gmail(member) || slices.ContainsFunc(s.missing[member], only) {
				s.know(member, name)
				found = true
				break
			}
		}
	}
	return found
}

// know notes the name of a member, which explains it wherever the member was sent to.
func (s search) know(member, name string) {
	s.found[member] = StoredName{Names: []string{name}}
	for _, at := range s.missing[member] {
		delete(s.fresh[at], name)
	}
}

// candidates are the names that a member may have: new ones of its type, which are everywhere that the member was sent to.
func (s search) candidates(member string) []string {
	names := map[string]bool{}
	for _, at := range s.missing[member] {
		for name := range s.fresh[at] {
			lacks := func(at place) bool { return !s.stored[at][name] }
			names[name] = typeOf(name) == typeOf(member) && !slices.ContainsFunc(s.missing[member], lacks)
		}
	}
	maps.DeleteFunc(names, func(_ string, may bool) bool { return !may })
	return slices.Sorted(maps.Keys(names))
}

// share divides the names that are left among the members of the same places: whichever is whose, the lists are right.
func (s search) share(members map[string]bool) {
	alike := map[string][]string{} // by their places and type
	for _, member := range slices.Sorted(maps.Keys(s.missing)) {
		if _, known := s.found[member]; !known && members[member] {
			key := fmt.Sprint(typeOf(member), s.missing[member])
			alike[key] = append(alike[key], member)
		}
	}
	for _, same := range alike {
		names := s.candidates(same[0])
		for i, member := range same {
			is := StoredName{Uncertain: len(names) > 0}
			for n := i; n < len(names); n += len(same) {
				is.Names = append(is.Names, names[n])
			}
			s.found[member] = is
		}
	}
}

func typeOf(member string) string {
	kind, _, _ := strings.Cut(member, ":")
	return kind
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.role, b.role), cmp.Compare(a.service, b.service), cmp.Compare(a.logType, b.logType),
		cmp.Compare(a.condition.Title, b.condition.Title), cmp.Compare(a.condition.Expression, b.condition.Expression))
}

// gmail is the primary address of one at googlemail.com; empty for any other.
func gmail(member string) string {
	if address, is := strings.CutSuffix(member, "@googlemail.com"); is {
		return address + "@gmail.com"
	}
	return ""
}

// since are the names with the generation that they were found for.
func (s StoredAs) since(generation int64) StoredAs {
	out := StoredAs{}
	for member, is := range s {
		if !is.known() {
			is.Generation = generation
		}
		out[member] = is
	}
	return out
}

// among are the names of some members, as far as they hold for a generation of the manifest.
func (s StoredAs) among(members map[string]bool, generation int64) StoredAs {
	out := maps.Clone(s)
	maps.DeleteFunc(out, func(member string, is StoredName) bool {
		return !members[member] || !is.known() && is.Generation != generation
	})
	return out
}

// named are the names that are known, whoever found them out.
func (s StoredAs) named() StoredAs {
	out := maps.Clone(s)
	maps.DeleteFunc(out, func(_ string, is StoredName) bool { return !is.known() })
	return out
}

// rename writes grants with the names that Google stores. A member without one is left out: who is meant has the role already.
func (s StoredAs) rename(grants []iampolicy.Grant) []iampolicy.Grant {
	if len(s) == 0 {
		return grants
	}
	out := make([]iampolicy.Grant, 0, len(grants))
	for _, g := range grants {
		for _, g.Member = range s.names(g.Member) {
			out = append(out, g)
		}
	}
	return out
}

// renameExempted does so with those who are exempt from audit logs.
func (s StoredAs) renameExempted(configs []iampolicy.AuditConfig) []iampolicy.AuditConfig {
	if len(s) == 0 {
		return configs
	}
	out := make([]iampolicy.AuditConfig, 0, len(configs))
	for _, config := range configs {
		renamed := iampolicy.AuditConfig{Service: config.Service}
		for _, log := range config.Logs {
			entry := iampolicy.AuditLog{Type: log.Type}
			for _, member := range log.Exempted {
				entry.Exempted = append(entry.Exempted, s.names(member)...)
			}
			renamed.Logs = append(renamed.Logs, entry)
		}
		out = append(out, renamed)
	}
	return out
}

// names are what Google calls a member; none if nobody knows.
func (s StoredAs) names(member string) []string {
	if is, renamed := s[iampolicy.NormalMember(member)]; renamed {
		return is.Names
	}
	return []string{member}
}

// words says what a person should write instead.
func (s StoredAs) words() string {
	var said, several, names []string
	for _, member := range slices.Sorted(maps.Keys(s)) {
		switch is := s[member]; {
		case is.Uncertain:
			several, names = append(several, member), append(names, is.Names...)
		case len(is.Names) > 0:
			said = append(said, fmt.Sprintf("%s as %s", member, is.Names[0]))
		default:
			said = append(said, member+" under another name, which is listed already")
		}
	}
	if len(several) > 0 {
		slices.Sort(names)
		names = slices.Compact(names)
		said = append(said, fmt.Sprintf("%s as %s, in which order is not known", strings.Join(several, " and "), strings.Join(names, " and ")))
	}
	return "Google stores " + List(said) + ": write it in the manifest as Google does"
}

func storedAsOf(status []v1alpha1.IAMStoredAs) StoredAs {
	if len(status) == 0 {
		return nil
	}
	out := StoredAs{}
	for _, s := range status {
		out[s.Member] = StoredName{Names: slices.Clone(s.Names), Uncertain: s.Uncertain, Generation: s.Generation}
	}
	return out
}

func (s StoredAs) status() []v1alpha1.IAMStoredAs {
	var out []v1alpha1.IAMStoredAs
	for _, member := range slices.Sorted(maps.Keys(s)) {
		is := s[member]
		out = append(out, v1alpha1.IAMStoredAs{Member: member, Names: is.Names, Uncertain: is.Uncertain, Generation: is.Generation})
	}
	return out
}
