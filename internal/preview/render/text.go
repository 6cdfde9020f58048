package render

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/preview"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Escape sequences of terminals.
const (
	red, green, yellow, bold, plain = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[0m"
)

// symbols stand before what would be done.
var symbols = map[preview.Effect]string{
	preview.Create: "+", preview.Update: "~", preview.Adopt: "=", preview.Delete: "-", preview.Orphan: "-", preview.Revoke: "-",
	preview.OnHold: "!", preview.Refused: "x", preview.Unknown: "?", preview.Nothing: " ",
}

// Text is the document for people who read it in a terminal, with colour if it has any. Where there is nothing to do, and nothing to say, a
// resource is counted and not shown.
func (d Document) Text(colour bool) string {
	t := &texter{colour: colour}
	project := ""
	for _, r := range d.Resources {
		if r.silent() {
			continue
		}
		if t.Len() == 0 || r.Project != project {
			t.heading(cmp.Or(r.Project, "in no project"))
			project = r.Project
		}
		t.resource(r)
	}
	t.list("Not valid", problems(d))
	t.list("Not known", d.unknowns())
	if t.Len() > 0 {
		fmt.Fprintln(t)
	}
	fmt.Fprintln(t, d.Summary.words())
	return t.String()
}

// silent says whether there is nothing to show of a resource.
func (r Resource) silent() bool {
	return r.Effect == preview.Nothing && r.Message == "" && len(r.Changes) == 0
}

func problems(d Document) []string {
	var out []string
	for _, p := range d.Problems {
		out = append(out, p.String())
	}
	return out
}

type texter struct {
	strings.Builder

	colour bool
}

func (t *texter) heading(what string) {
	if t.Len() > 0 {
		fmt.Fprintln(t)
	}
	t.line("", bold, "", what)
}

// line writes a line of a colour, after a mark.
func (t *texter) line(indent, colour, mark, what string) {
	what = text.Visible(what)
	if t.colour && colour != "" {
		what = colour + what + plain
	}
	fmt.Fprintf(t, "%s%s%s\n", indent, mark, what)
}

func (t *texter) resource(r Resource) {
	symbol := symbols[r.Effect]
	t.line("  ", colourOf(symbol), "", symbol+" "+r.title())
	for _, note := range r.notes() {
		t.line("      ", "", "", note)
	}
	for _, c := range r.shown() {
		mark := "  "
		if c.Dangerous {
			mark = "! "
		}
		line := c.line()
		t.line("    ", colourOf(line[:1]), mark, line)
	}
}

func colourOf(symbol string) string {
	return map[string]string{"+": green, "-": red, "x": red, "~": yellow, "!": yellow, "?": yellow}[symbol]
}

func (t *texter) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	t.heading(title)
	for _, item := range items {
		t.line("  ", "", "", item)
	}
}
