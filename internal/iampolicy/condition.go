package iampolicy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Condition limits a grant. The zero condition limits nothing.
type Condition struct {
	// Title is a short name for what the condition does.
	Title string
	// Description explains the condition.
	Description string
	// Expression is in Common Expression Language.
	Expression string
}

// Normal is the condition without insignificant white space. Google tells conditions apart by all three fields.
func (c Condition) Normal() Condition {
	if c == (Condition{}) {
		return c
	}
	return Condition{Title: squeeze(c.Title), Description: squeeze(c.Description), Expression: normalExpression(c.Expression)}
}

// timeBound says whether a condition in its normal form ends or begins at some time. In doubt it says so.
func (c Condition) timeBound() bool {
	return strings.Contains(c.Expression, "request.time")
}

// size is what the condition counts towards Google's limit for the conditions of a policy, in bytes.
func (c Condition) size() int {
	return len(c.Title) + len(c.Description) + len(c.Expression)
}

// digest tells conditions with the same title apart, also those that somebody has made up to look alike.
func (c Condition) digest() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", c.Title, c.Description, c.Expression))
	return hex.EncodeToString(sum[:])
}

func compareConditions(a, b Condition) int {
	return cmp.Or(strings.Compare(a.Title, b.Title), strings.Compare(a.Description, b.Description), strings.Compare(a.Expression, b.Expression))
}

func squeeze(text string) string {
	return strings.Join(strings.Fields(text), " ")
}
