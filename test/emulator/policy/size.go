package policy

import (
	"strconv"
	"strings"

	"cloud.google.com/go/iam/apiv1/iampb"
)

// The sizes that policies can have, see https://cloud.google.com/iam/quotas.
const (
	// maxMembers counts every appearance of a member, also of those whose
	// access is exempt from audit logs.
	maxMembers = 1500
	// maxGroups counts each group once, domains at every appearance.
	maxGroups = 250
	// maxVariants is how many conditions one member may have the same role
	// under.
	maxVariants = 20
)

// checkSize refuses a policy that has become too large.
func checkSize(p *iampb.Policy) error {
	count := counting{groups: map[string]bool{}}
	variants := map[string]int{}
	for _, b := range p.GetBindings() {
		count.add(b.GetMembers())
		for _, form := range b.GetMembers() {
			if b.GetCondition() == nil {
				continue
			}
			grant := b.GetRole() + " " + form
			variants[grant]++
			if variants[grant] > maxVariants {
				return invalid("The number of conditional role bindings for role %s and member %s is larger than the maximum allowed size %d.",
					b.GetRole(), form, maxVariants)
			}
		}
	}
	for _, config := range p.GetAuditConfigs() {
		for _, log := range config.GetAuditLogConfigs() {
			count.add(log.GetExemptedMembers())
		}
	}
	switch groups := len(count.groups) + count.domains; {
	case count.members > maxMembers:
		return invalid("The number of members in the policy (%s) is larger than the maximum allowed size %s.",
			thousands(count.members), thousands(maxMembers))
	case groups > maxGroups:
		return invalid("The number of groups in the policy (%s) is larger than the maximum allowed size %s.",
			thousands(groups), thousands(maxGroups))
	default:
		return nil
	}
}

type counting struct {
	members, domains int
	groups           map[string]bool
}

func (c *counting) add(forms []string) {
	c.members += len(forms)
	for _, form := range forms {
		switch {
		case strings.HasPrefix(form, groupType+":"):
			c.groups[form] = true
		case strings.HasPrefix(form, domainType+":"):
			c.domains++
		}
	}
}

// thousands writes a number as Google's errors do: 1,500.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
