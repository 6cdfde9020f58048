package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const isc = `Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided
that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY
DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION,
ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.`

const wtfpl = `DO WHAT THE FUCK YOU WANT TO PUBLIC LICENSE
Version 2, December 2004

Copyright (C) 2004 Sam Hocevar

Everyone is permitted to copy and distribute verbatim or modified copies of this license document, and changing it is allowed as long as
the name is changed.

DO WHAT THE FUCK YOU WANT TO PUBLIC LICENSE
TERMS AND CONDITIONS FOR COPYING, DISTRIBUTION AND MODIFICATION

0. You just DO WHAT THE FUCK YOU WANT TO.`

func TestWrite(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		files   map[string]string
		want    string
		refusal string
	}{
		"Licence": {
			reason: "Its text and the notices beside it must go along.",
			files:  map[string]string{"LICENSE": isc, "NOTICE.txt": "By A.\n", "license.go": "package license", "main.go": "package main"},
			want:   "==== example.com/a v1: ISC ====\n---- LICENSE ----\n" + isc + "\n---- NOTICE.txt ----\nBy A.\n\n",
		},
		"None": {
			reason:  "What nobody has licensed nobody may pass on.",
			files:   map[string]string{"main.go": "package main", "NOTICE": "By A."},
			refusal: "example.com/a v1 has no licence",
		},
		"Unknown": {
			reason:  "A text that nobody knows is for a person to read.",
			files:   map[string]string{"LICENSE": "Ask me first."},
			refusal: "example.com/a v1: LICENSE: only 0 % of it is the text of a known licence",
		},
		"NotAccepted": {
			reason:  "Not every known licence is accepted.",
			files:   map[string]string{"LICENSE": wtfpl},
			refusal: "example.com/a v1: LICENSE: WTFPL is not an accepted licence",
		},
		"OneOfTwo": {
			reason:  "Every licence must be accepted.",
			files:   map[string]string{"LICENSE": isc, "LICENSE.other": wtfpl},
			refusal: "LICENSE.other: WTFPL is not an accepted licence",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			for file, text := range tc.files {
				if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var list bytes.Buffer
			err := write(&list, "example.com/a v1", folder)
			if tc.refusal == "" && err != nil || tc.refusal != "" && (err == nil || !strings.Contains(err.Error(), tc.refusal)) {
				t.Errorf("%s\ngot error %v, want %q", tc.reason, err, tc.refusal)
			}
			if diff := cmp.Diff(tc.want, list.String()); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
