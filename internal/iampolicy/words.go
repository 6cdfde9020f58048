package iampolicy

import (
	"fmt"
	"strconv"
	"strings"
)

// mostNames is how many grants a sentence lists.
const mostNames = 3

func matching(grants []Grant, is func(Grant) bool) []Grant {
	var out []Grant
	for _, g := range grants {
		if is(g) {
			out = append(out, g)
		}
	}
	return out
}

func names(grants []Grant) string {
	return phrases(grants, func(g Grant) string { return g.Member })
}

// phrases lists grants as people do: a, b and 5 more.
func phrases(grants []Grant, phrase func(Grant) string) string {
	var out []string
	for _, g := range grants[:min(len(grants), mostNames)] {
		out = append(out, phrase(g))
	}
	if more := len(grants) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " and " + out[len(out)-1]
}

func members(n int) string {
	if n == 1 {
		return "1 member"
	}
	return thousands(n) + " members"
}

// thousands is a number as Google writes it: 1,500.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
