package iampolicy

import (
	"regexp"
	"slices"
	"strings"
)

// grantLimit is the expression, in its normal form, that lets somebody grant and revoke the listed roles alone, as Google documents it:
// https://cloud.google.com/iam/docs/setting-limits-on-granting-roles.
var grantLimit = regexp.MustCompile(`^api\.getAttribute\(['"]iam\.googleapis\.com/modifiedGrantsByRole['"],\[\]\)` +
	`\.hasOnly\(\[((?:['"][^'"]*['"],?)*)\]\)$`)

// NotGrantable are the roles that a plan grants or revokes although a condition in the policy itself limits whoever writes it to others, of whom
// self says who that is. Without such a condition there, which may be on a folder or for a group, they are all roles that it grants or revokes, and
// known is false.
func (p Plan) NotGrantable(live Policy, self Self) (roles []string, known bool) {
	var changed, granted []string
	for _, g := range slices.Concat(p.Add, p.Revoke) {
		changed = append(changed, g.Role)
	}
	slices.Sort(changed)
	changed = slices.Compact(changed)
	writer := normalSelf{emails: map[string]bool{lower(self.Email): self.Email != ""}}
	for _, b := range live.Bindings {
		match := grantLimit.FindStringSubmatch(normalExpression(b.Condition.Expression))
		if match == nil || !slices.ContainsFunc(b.Members, func(member string) bool { return writer.carries(NormalMember(member)) }) {
			continue
		}
		for role := range strings.SplitSeq(match[1], ",") {
			granted = append(granted, strings.Trim(role, `'"`))
		}
		known = true
	}
	others := slices.DeleteFunc(slices.Clone(changed), func(role string) bool { return slices.Contains(granted, role) })
	if !known || len(others) == 0 { // each of several conditions has to allow all of them
		return changed, false
	}
	return others, true
}
