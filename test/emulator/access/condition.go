package access

import (
	"regexp"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/type/expr"
)

// limit is the expression that limits which roles somebody grants and revokes,
// see https://cloud.google.com/iam/docs/setting-limits-on-granting-roles.
var limit = regexp.MustCompile(`^\s*api\.getAttribute\(\s*['"]iam\.googleapis\.com/modifiedGrantsByRole['"]\s*,\s*\[\s*\]\s*\)` +
	`\s*\.hasOnly\(\s*\[([^\]]*)\]\s*\)\s*$`)

// met reports whether a condition is met by a call that grants or revokes
// roles. Of all expressions only [limit] is evaluated; any other is met by
// nobody.
func met(condition *expr.Expr, granting []string) bool {
	if condition == nil {
		return true
	}
	match := limit.FindStringSubmatch(condition.GetExpression())
	if match == nil {
		return false
	}
	var allowed []string
	for role := range strings.SplitSeq(match[1], ",") {
		allowed = append(allowed, strings.Trim(role, ` '"`))
	}
	return !slices.ContainsFunc(granting, func(role string) bool { return !slices.Contains(allowed, role) })
}
