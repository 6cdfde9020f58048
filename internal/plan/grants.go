package plan

import (
	"cmp"
	"slices"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// conditionOf writes a condition of the API for the planner.
func conditionOf(c *v1alpha1.IAMCondition) iampolicy.Condition {
	if c == nil {
		return iampolicy.Condition{}
	}
	return iampolicy.Condition(*c)
}

// grantsOf reads grants from the status.
func grantsOf(recorded []v1alpha1.IAMGrants) []iampolicy.Grant {
	var out []iampolicy.Grant
	for _, g := range recorded {
		for _, member := range g.Members {
			out = append(out, iampolicy.Grant{Role: g.Role, Member: member, Condition: conditionOf(g.Condition)})
		}
	}
	return out
}

// statusGrants writes grants for the status, in an order of its own.
func statusGrants(grants []iampolicy.Grant) []v1alpha1.IAMGrants {
	sorted := slices.SortedFunc(slices.Values(grants), func(a, b iampolicy.Grant) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Condition.Title, b.Condition.Title),
			cmp.Compare(a.Condition.Expression, b.Condition.Expression), cmp.Compare(a.Condition.Description, b.Condition.Description),
			cmp.Compare(a.Member, b.Member))
	})
	var out []v1alpha1.IAMGrants
	for i, g := range sorted {
		if i == 0 || g.Role != sorted[i-1].Role || g.Condition != sorted[i-1].Condition {
			entry := v1alpha1.IAMGrants{Role: g.Role}
			if g.Condition != (iampolicy.Condition{}) {
				c := v1alpha1.IAMCondition(g.Condition)
				entry.Condition = &c
			}
			out = append(out, entry)
		}
		last := &out[len(out)-1]
		last.Members = append(last.Members, g.Member)
	}
	return out
}

// wantedAudit writes audit configs of the API for the planner.
func wantedAudit(configs []v1alpha1.AuditConfig) []iampolicy.AuditConfig {
	var out []iampolicy.AuditConfig
	for _, config := range configs {
		audit := iampolicy.AuditConfig{Service: config.Service}
		for _, log := range config.AuditLogConfigs {
			entry := iampolicy.AuditLog{Type: string(log.LogType)}
			for _, member := range log.ExemptedMembers {
				entry.Exempted = append(entry.Exempted, string(member))
			}
			audit.Logs = append(audit.Logs, entry)
		}
		out = append(out, audit)
	}
	return out
}
