package text

import "testing"

func TestCut(t *testing.T) {
	cases := map[string]struct {
		text string
		most int
		want string
	}{
		"empty":                          {"", 3, ""},
		"shorter":                        {"abc", 4, "abc"},
		"as long":                        {"abcd", 4, "abcd"},
		"longer":                         {"abcde", 4, "a…"},
		"between two characters":         {"ééé", 5, "é…"},
		"not within a character":         {"ééé", 4, "…"},
		"not within one of four bytes":   {"a😀b", 5, "a…"},
		"no more than the ellipsis fits": {"abcd", 3, "…"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Cut(tc.text, tc.most); got != tc.want || len(got) > tc.most {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		`é "quoted" 😀`:        `é "quoted" 😀`,
		"two\nlines\r":        `two\nlines\r`,
		"\x00\x1b[31m":        `\x00\x1b[31m`,
		"runs \u202ebackward": `runs \u202ebackward`,
		"\u2028 and \u200b":   `\u2028 and \u200b`,
	} {
		if got := Visible(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}
