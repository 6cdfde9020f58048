// Package text has what every text for people goes through: pure.
package text

import "strings"

// Cut shortens a text to a number of bytes, between two characters, and shows that it did. It is the same text if that is short enough.
// most is at least 3, the length of the ellipsis.
func Cut(s string, most int) string {
	const more = "…"
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len(more)], "") + more
}
