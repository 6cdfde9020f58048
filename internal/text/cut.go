// Package text has what every text for people goes through: pure.
package text

import (
	"strconv"
	"strings"
	"unicode"
)

// Cut shortens a text to a number of bytes, between two characters, and shows that it did. It is the same text if that is short enough.
// most is at least 3, the length of the ellipsis.
func Cut(s string, most int) string {
	const more = "…"
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len(more)], "") + more
}

// Visible is a text in which nothing is hidden: what does not show, or moves what does, such as a line feed or a mark of the writing
// direction, is escaped as in Go.
func Visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
