package wire

import "testing"

func TestMockSign(t *testing.T) {
	const list = "GET https://storage.googleapis.com/storage/v1/b/x/o\n\n200 OK\n\n"
	for name, c := range map[string]struct{ recorded, want string }{
		"a list without prefixes": {list + `{"kind": "storage#objects"}`, ""},
		"prefixes that somebody made": {
			"GET https://storage.googleapis.com/storage/v1/b/x/o?delimiter=/\n\n200 OK\n\n" + `{"prefixes": ["logs/"]}`, "",
		},
		"prefixes that nobody made":  {list + `{"prefixes": ["testfolder", "testmanagedfolder"]}`, `the prefix "testfolder" in the list of exchange 1`},
		"one of them, with a slash":  {list + `{"prefixes": ["a/", "testmanagedfolder/"]}`, `the prefix "testmanagedfolder/" in the list of exchange 1`},
		"a bucket of that name":      {"GET https://storage.googleapis.com/storage/v1/b/testfolder\n\n200 OK\n\n" + `{"name": "testfolder"}`, ""},
		"a user agent of the mock's": {"GET https://example.com/\nUser-Agent: kcc/1.0 (mockgcp)\n\n200 OK\n\n{}", `the user agent "kcc/1.0 (mockgcp)" of exchange 1`},
		"in a later exchange": {
			"GET https://example.com/\n\n200 OK\n\n{}\n---\n" + list + `{"prefixes": ["testfolder"]}`, `the prefix "testfolder" in the list of exchange 2`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			conversation, err := Parse(c.recorded)
			if err != nil {
				t.Fatal(err)
			}
			if got := MockSign(conversation); got != c.want {
				t.Errorf("sign %q, want %q", got, c.want)
			}
		})
	}
}
