package iampolicy

import (
	"fmt"
	"strings"
)

// Google's limits for one policy. https://cloud.google.com/iam/quotas
const (
	// maxMembers limits the members in bindings, each as often as it is listed, and those exempt from audit logs.
	maxMembers = 1500
	// maxGroups limits the groups, each once, and the domains, each as often as it is listed in bindings.
	maxGroups = 250
	// maxVariants limits the conditions under which one member has one role.
	maxVariants = 20
	// maxConditions limits the conditions of all bindings, in bytes.
	maxConditions = 64 << 10
)

// size is how large a policy is as Google counts.
type size struct {
	members, groups, conditions int
}

func measure(p Policy) size {
	var s size
	groups := map[string]bool{}
	for _, b := range p.Bindings {
		s.members += len(b.Members)
		s.conditions += b.Condition.size()
		for _, m := range b.Members {
			switch prefix, _, _ := strings.Cut(m, ":"); normalPrefix(prefix) {
			case "group":
				groups[NormalMember(m)] = true
			case "domain":
				s.groups++
			}
		}
	}
	s.groups += len(groups)
	for _, config := range p.AuditConfigs {
		for _, log := range config.Logs {
			s.members += len(log.Exempted)
		}
	}
	return s
}

// refuseSize says which limit a plan that adds would exceed; empty for none.
func (s *survey) refuseSize(is, will size, add, revoke []Grant) string {
	const toGroups = ": grant to groups instead of to their members, or remove some"
	switch {
	case will.members > maxMembers:
		return tooLarge("members", is.members, will.members, maxMembers) + toGroups
	case will.groups > maxGroups:
		return tooLarge("groups and domains", is.groups, will.groups, maxGroups) + ": put groups into one, or remove some"
	case will.conditions > maxConditions:
		return tooLarge("bytes of conditions", is.conditions, will.conditions, maxConditions) + ": shorten some, or remove some"
	default:
		return s.refuseVariants(add, revoke)
	}
}

func tooLarge(of string, is, will, limit int) string {
	return fmt.Sprintf("the policy has %s %s and would have %s, but Google allows %s", thousands(is), of, thousands(will), thousands(limit))
}

// refuseVariants says which member would have a role under too many conditions; empty for none.
func (s *survey) refuseVariants(add, revoke []Grant) string {
	over := map[Grant]int{} // by role and member, of those who are granted a role under a condition
	for _, g := range add {
		if g.Condition != (Condition{}) {
			over[Grant{Role: g.Role, Member: g.Member}]++
		}
	}
	if len(over) == 0 {
		return ""
	}
	has := map[Grant]int{}
	for g := range s.live.grants {
		if g.Condition != (Condition{}) {
			has[Grant{Role: g.Role, Member: g.Member}]++
		}
	}
	for _, g := range revoke {
		if g.Condition != (Condition{}) {
			over[Grant{Role: g.Role, Member: g.Member}]--
		}
	}
	for _, g := range add {
		g.Condition = Condition{}
		if will := has[g] + over[g]; will > maxVariants {
			return fmt.Sprintf("%s has %s under %d conditions and would have it under %d, but Google allows %d: join some with ||, or remove some",
				g.Member, g.Role, has[g], will, maxVariants)
		}
	}
	return ""
}
