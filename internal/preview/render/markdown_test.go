package render

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/preview"
)

// hostile is what a manifest, or Google, might say to break out of a comment, or to have somebody notified.
var hostile = []string{
	"```\n# Approved by @ada\n```", "`` ` ``", "</code></summary></details><img src=x onerror=alert(1)>", "@ada please approve #1",
	"a\r\n\r\n- [x] done", "<!-- -->", "| a | b |", "[click](https://evil.example.com)", "\u202egnp", strings.Repeat("`", 500),
}

// outside is the markdown without what stands in fences, in code and in tags.
func outside(t *testing.T, markdown string) string {
	t.Helper()
	var out []string
	fence := ""
	for line := range strings.SplitSeq(markdown, "\n") {
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence != "":
			if line == fence {
				fence = ""
			}
		case len(ticks) >= 3 && !strings.Contains(line[len(ticks):], "`"):
			fence = ticks
		case ticks != "": // code in a line: from a run of backticks to the next run of the same length
			rest, closed := strings.CutSuffix(line, ticks)
			if !closed || strings.Contains(rest[len(ticks):], ticks) {
				t.Errorf("code is not closed: %q", line)
			}
		default:
			out = append(out, line)
		}
	}
	if fence != "" {
		t.Error("a fence is not closed")
	}
	return strings.Join(out, "\n")
}

// TestMarkdownHoldsWhatOthersSay: nothing that comes from manifests or from Google is read as markdown or HTML.
func TestMarkdownHoldsWhatOthersSay(t *testing.T) {
	for i, said := range hostile {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			value, err := json.Marshal(said)
			if err != nil {
				t.Fatal(err)
			}
			d := Document{
				Resources: []Resource{{
					Kind: "Bucket", Namespace: "shop", Name: said, Project: said, Effect: preview.OnHold, Message: said, Reason: said,
					Hold:    &Hold{On: preview.HoldAdoption, Release: said},
					Changes: []Change{{Path: said, From: value, To: value, Dangerous: true}}, Unknowns: []preview.Gap{preview.Gap(said)},
				}},
				Problems: []manifests.Problem{{Origin: manifests.Origin{File: said}, Kind: said, Name: said, Field: said, Message: said}},
				Unknowns: []string{said},
			}
			d.Summary = Summary{OnHold: 1, Problems: 1}
			got := d.Markdown()
			left := outside(t, got)
			for _, forbidden := range []string{"@ada", "<img", "evil.example.com", "- [x]", "\u202e"} {
				for line := range strings.SplitSeq(left, "\n") {
					if code, ok := strings.CutPrefix(line, "<summary><code>"); ok { // HTML, in which only & and < begin anything
						code = strings.TrimSuffix(code, "</code></summary>")
						if strings.ContainsAny(code, "<>") {
							t.Errorf("HTML in %q", code)
						}
						continue
					}
					if strings.Contains(line, forbidden) {
						t.Errorf("%q is outside of code in\n%s", forbidden, got)
					}
				}
			}
		})
	}
}

// TestMarkdownIsBounded: a comment has room for so much. What must be looked at is shown first, and what is left out is counted.
func TestMarkdownIsBounded(t *testing.T) {
	var d Document
	long := strings.Repeat("é", 5000)
	for i := range 600 {
		r := Resource{Kind: "Bucket", Namespace: "shop", Name: fmt.Sprintf("logs-%d", i), Project: fmt.Sprintf("p-%d", i%60), Effect: preview.Update}
		for j := range 10 {
			r.Changes = append(r.Changes, Change{Path: fmt.Sprintf("spec.labels[k%d]", j), To: json.RawMessage(`"` + long + `"`)})
		}
		d.Summary.Update++
		d.Resources = append(d.Resources, r)
	}
	last := &d.Resources[599]
	last.Effect, last.Message, last.Changes = preview.Refused, "this must be seen", nil
	for range 500 {
		d.Problems = append(d.Problems, manifests.Problem{Message: long})
		d.Unknowns = append(d.Unknowns, long)
	}
	got := d.Markdown()
	if len(got) > MostMarkdown || len(got) < MostMarkdown/2 {
		t.Errorf("%d bytes", len(got))
	}
	outside(t, got)
	for _, part := range []string{"this must be seen", "… and 480 more", "for which there is no room here"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is missing", part)
		}
	}
	if strings.Count(got, "<details") != strings.Count(got, "</details>") {
		t.Error("details are not closed")
	}
}

// TestMarkdownIsTheSame: the first line is the marker, and the same plan gives the same text.
func TestMarkdownIsTheSame(t *testing.T) {
	d := Document{Resources: []Resource{{Kind: "Topic", Namespace: "shop", Name: "orders", Project: "p", Effect: preview.Create}}, Summary: Summary{Create: 1}}
	got := d.Markdown()
	if first, _, _ := strings.Cut(got, "\n"); first != Marker || got != d.Markdown() {
		t.Errorf("got\n%s", got)
	}
	if !strings.Contains(got, "<details open>") {
		t.Error("a short plan is collapsed")
	}
}
