package text

import (
	"fmt"
	"strings"
	"unicode"
)

// Visible writes a text so that all of it can be seen, in one line: control characters, those that have no width or turn the direction of
// others, blanks that are no spaces, and ends of lines become escapes such as \u202e. Bytes that are no text become U+FFFD.
func Visible(s string) string {
	if !strings.ContainsFunc(s, hidden) {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	var out strings.Builder
	for _, r := range s {
		switch {
		case !hidden(r):
			out.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&out, `\U%08x`, r)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

func hidden(r rune) bool { return !unicode.IsPrint(r) }
