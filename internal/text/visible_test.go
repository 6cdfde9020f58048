package text

import "testing"

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"":                            "",
		"INC-4711: partner, 「x」 é 🙂":  "INC-4711: partner, 「x」 é 🙂",
		"a\nb\r\tc":                   `a\u000ab\u000d\u0009c`,
		"\x1b[2J\x00\x7f\u009b":       `\u001b[2J\u0000\u007f\u009b`,
		"\u202egnp\u2066\u200b\ufeff": `\u202egnp\u2066\u200b\ufeff`,
		"a\u2028b\u2029":              `a\u2028b\u2029`,
		"\U000e0041":                  `\U000e0041`,
		"a\xffb":                      "a\ufffdb",
	} {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) is %q, want %q", in, got, want)
		}
	}
}
