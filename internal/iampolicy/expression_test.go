package iampolicy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNormalExpression(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"Empty":              {"", ""},
		"Blank":              {" \n\t", ""},
		"Operators":          {"a  ==\n b && c", "a==b&&c"},
		"Words":              {"a  in\tb", "a in b"},
		"Numbers":            {"1 - 2u", "1-2u"},
		"Calls":              {" x . y ( 1 , 2 ) ", "x.y(1,2)"},
		"String":             {`a == "b  c"`, `a=="b  c"`},
		"StringOther":        {`a == 'b " c' + d`, `a=='b " c'+d`},
		"Escape":             {`"a \" b" + c`, `"a \" b"+c`},
		"EscapedEscape":      {`"a \\" + " b"`, `"a \\"+" b"`},
		"Raw":                {`r"a \" + b`, `r"a \"+b`},
		"RawBytes":           {`x == bR'a  \' + b`, `x==bR'a  \'+b`},
		"NotRaw":             {`r "a \" + b"`, `r "a \" + b"`},
		"Triple":             {`"""a " "" b""" + c`, `"""a " "" b"""+c`},
		"EmptyString":        {`"" + ''`, `""+''`},
		"TwoStrings":         {`"" "a  b"`, `"" "a  b"`},
		"WordBeforeString":   {`a in "b  c"`, `a in"b  c"`},
		"StringBeforeWord":   {`"b  c" in a`, `"b  c"in a`},
		"Unterminated":       {`a + "b  c `, `a+"b  c `},
		"UnterminatedEscape": {`"a\`, `"a\`},
		"Comment":            {"a // b  c  \n && d", "a// b  c\n&&d"},
		"CommentAtEnd":       {"a //", "a//\n"},
		"CommentInString":    {`"a // b" && c`, `"a // b"&&c`},
		"QuoteInComment":     {"a // it's\n &&  b", "a// it's\n&&b"},
		"Divisions":          {"a / / b", "a/ /b"},
		"Unicode":            {"ä  ö == \"ü  ü\"", "ä ö==\"ü  ü\""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := normalExpression(tc.in); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestWhiteSpaceBetweenTokens: white space between tokens means nothing, wherever it stands.
func TestWhiteSpaceBetweenTokens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tokens := rapid.SliceOf(rapid.SampledFrom([]string{
			"a", "in", "resource", ".", "(", ")", "==", "&&", "!", "?", ":", ",", "1", "2.5", "r'raw \\'", `"a  b"`, `'it\'s'`, `""`, `"""x "y" z"""`, "b'0'",
		})).Draw(t, "tokens")
		blanks := rapid.SampledFrom([]string{" ", "  ", "\n", "\t \n"})
		var loose strings.Builder
		for _, token := range tokens {
			loose.WriteString(blanks.Draw(t, "blank") + token)
		}
		one, other := strings.Join(tokens, " "), loose.String()
		if a, b := normalExpression(one), normalExpression(other); a != b {
			t.Fatalf("%q is %q, and %q is %q", one, a, other, b)
		}
	})
}

// FuzzExpression: whatever the text, its normal form is its own normal form and loses nothing but white space.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{`request.time < timestamp("2027-01-01T00:00:00Z")`, "a // b\n&& 'c  d'", `r"\" + """x""y""" + b 'z'`, `a / // b`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		normal := normalExpression(text)
		if again := normalExpression(normal); again != normal {
			t.Errorf("%q became %q and then %q", text, normal, again)
		}
		letters := strings.NewReplacer(" ", "", "\t", "", "\n", "", "\f", "", "\r", "")
		if a, b := letters.Replace(text), letters.Replace(normal); a != b {
			t.Errorf("%q lost something: %q", text, normal)
		}
		if len(normal) > len(text)+1 { // a comment at the end gets its line's end
			t.Errorf("%q grew to %q", text, normal)
		}
	})
}
