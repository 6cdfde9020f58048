package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRun(t *testing.T) {
	t.Parallel()
	const (
		config  = `{"config": {"scanner_name": "govulncheck"}}`
		entries = `{"osv": {"id": "GO-1", "summary": "Panics"}} {"osv": {"id": "GO-2", "summary": "Leaks"}}`
		there   = `{"finding": {"osv": "GO-1", "fixed_version": "v0.2.0", "trace": [{"module": "example.com/a", "version": "v0.1.0"}]}}`
		called  = `{"finding": {"osv": "GO-1", "trace": [{"module": "example.com", "version": "v7.0.0", "package": "example.com/a", "function": "F"}]}}`
		stdlib  = `{"finding": {"osv": "GO-2", "fixed_version": "v1.26.9", "trace": [{"module": "stdlib", "version": "v1.26.8"}]}}`
		unfixed = `{"finding": {"osv": "GO-2", "trace": [{"module": "stdlib", "version": "v1.26.8"}]}}`
	)
	cases := map[string]struct {
		reason   string
		in       string
		accepted string
		want     string
		refusal  string
	}{
		"Nothing": {
			reason: "No finding is what everybody wants.",
			in:     config + entries,
		},
		"Silence": {
			reason:  "A scanner that did not run has found nothing, either, and must not pass.",
			refusal: "govulncheck said nothing",
		},
		"Open": {
			reason:  "A module in the program counts, called or not.",
			in:      config + entries + there,
			want:    "open: GO-1 in example.com/a v0.1.0 (not called, fixed in v0.2.0): Panics\n",
			refusal: "known vulnerabilities left open: 1: raise the module",
		},
		"Called": {
			reason:  "Several findings of one vulnerability are one; the first says where it is.",
			in:      config + entries + there + called + there,
			want:    "open: GO-1 in example.com/a v0.1.0 (called, fixed in v0.2.0): Panics\n",
			refusal: "known vulnerabilities left open: 1",
		},
		"Accepted": {
			reason:   "What is accepted is said, with its reason.",
			in:       config + entries + there,
			accepted: "GO-1: Nobody reaches it.",
			want:     "accepted: GO-1 in example.com/a v0.1.0 (not called, fixed in v0.2.0): Panics: Nobody reaches it.\n",
		},
		"AcceptedWithoutReason": {
			reason:   "A reason is the point of the list.",
			in:       config + entries + there,
			accepted: "GO-1: ''",
			want:     "open: GO-1 in example.com/a v0.1.0 (not called, fixed in v0.2.0): Panics\n",
			refusal:  "known vulnerabilities left open: 1",
		},
		"AcceptedForNothing": {
			reason:   "The list shrinks with what it is about.",
			in:       config + entries,
			accepted: "GO-7: It was there once.",
			want:     "open: GO-7 is accepted, and not there any more: take it off the list\n",
			refusal:  "known vulnerabilities left open: 1",
		},
		"FixedInReleases": {
			reason: "Go 1.26.11 comes after 1.26.9, and is what releases are built with.",
			in:     config + entries + stdlib,
			want:   "1 in the library of the Go that built this are fixed in Go 1.26.11, which builds releases\n",
		},
		"NotFixedInGo": {
			reason:  "No Go has a fix.",
			in:      config + entries + unfixed,
			want:    "open: GO-2 in stdlib v1.26.8 (not called, no fix yet): Leaks\n",
			refusal: "known vulnerabilities left open: 1",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := filepath.Join(t.TempDir(), "accepted.yaml")
			if err := os.WriteFile(list, []byte(tc.accepted), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			err := run("1.26.11", list, strings.NewReader(tc.in), &out)
			if diff := cmp.Diff(tc.want, out.String()); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
			if tc.refusal == "" && err != nil || tc.refusal != "" && (err == nil || !strings.Contains(err.Error(), tc.refusal)) {
				t.Errorf("%s\ngot error %v, want %q", tc.reason, err, tc.refusal)
			}
		})
	}
}
