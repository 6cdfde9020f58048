package iampolicy

import "strings"

// normalExpression removes the insignificant white space from an expression: all but that in strings and comments, and one space
// where two tokens would become another one. For text that is no expression the result is arbitrary but always the same.
// https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax
func normalExpression(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	var last token
	spaced := false
	for rest := text; rest != ""; {
		if isSpace(rest[0]) {
			rest, spaced = rest[1:], true
			continue
		}
		next := firstToken(rest)
		if spaced && last.clashes(next) {
			out.WriteByte(' ')
		}
		rest = rest[len(next.text):]
		if next.kind == comment {
			next.text = strings.TrimRight(next.text, spaces) + "\n" // it lasts until the line does
		}
		out.WriteString(next.text)
		last, spaced = next, false
	}
	return out.String()
}

const spaces = " \t\n\f\r"

// token is the smallest part that white space can surround.
type token struct {
	kind tokenKind
	text string
}

type tokenKind int

const (
	sign    tokenKind = iota // one byte of an operator
	word                     // a name or a number
	literal                  // a string, with its quotes and their prefix
	comment                  // from // to the end of the line
)

// clashes says whether the two would be parsed differently without white space between them.
func (t token) clashes(next token) bool {
	switch {
	case t.kind == word && isQuote(next.text[0]):
		return isPrefix(t.text)
	case t.kind == word:
		return isWord(next.text[0])
	case t.kind == literal:
		return isQuote(next.text[0])
	default:
		return t.text == "/" && next.text[0] == '/'
	}
}

// firstToken is the first token of a text that does not begin with white space.
func firstToken(text string) token {
	if strings.HasPrefix(text, "//") {
		end := strings.IndexByte(text, '\n')
		if end < 0 {
			end = len(text)
		}
		return token{comment, text[:end]}
	}
	length := 0
	for length < len(text) && isWord(text[length]) {
		length++
	}
	switch quoted := length < len(text) && isQuote(text[length]); {
	case quoted && (length == 0 || isPrefix(text[:length])):
		return token{literal, text[:length+stringEnd(text[length:], strings.ContainsAny(text[:length], "rR"))]}
	case length > 0:
		return token{word, text[:length]}
	default:
		return token{sign, text[:1]}
	}
}

// stringEnd is the length of the string that a text begins with; of all the text if the string does not end. In a raw string \ has
// no special meaning.
func stringEnd(text string, raw bool) int {
	quotes := text[:1]
	if triple := strings.Repeat(quotes, 3); strings.HasPrefix(text, triple) {
		quotes = triple
	}
	for i := len(quotes); i < len(text); i++ {
		switch {
		case text[i] == '\\' && !raw:
			i++
		case strings.HasPrefix(text[i:], quotes):
			return i + len(quotes)
		}
	}
	return len(text)
}

// isPrefix says whether quotes after it make a raw string, or bytes.
func isPrefix(text string) bool {
	switch strings.ToLower(text) {
	case "r", "b", "rb", "br":
		return true
	default:
		return false
	}
}

func isSpace(c byte) bool { return strings.IndexByte(spaces, c) >= 0 }

func isQuote(c byte) bool { return c == '"' || c == '\'' }

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}
