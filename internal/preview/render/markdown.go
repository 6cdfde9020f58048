package render

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/preview"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Marker is the first line of the markdown, which nobody sees: by it a bot finds the comment that it has written before.
const Marker = "<!-- holdfast: plan -->"

const (
	// MostMarkdown is how many bytes the markdown has at most: as many characters as a comment may have on GitHub.
	MostMarkdown = 65536
	// longestLine and mostLines bound what is shown of a resource, and mostCollapsed of all without being collapsed.
	longestLine   = 1000
	mostLines     = 100
	mostCollapsed = 80
	// mostListed bounds the lists of problems and of what is not known.
	mostListed = 20
	// spare is room for what is there whatever is left out.
	spare = 1024
)

// Markdown is the document as a comment on a pull request. The same plan gives the same text. What comes from manifests or from Google stands in
// code alone, out of which it cannot break.
func (d Document) Markdown() string {
	head := d.head()
	lists := section("Not valid", problems(d)) + section("Not known", d.unknowns())
	blocks, left := d.blocks(MostMarkdown - len(head) - len(lists) - spare)
	var b strings.Builder
	b.WriteString(head)
	b.WriteString(blocks)
	b.WriteString(lists)
	if left > 0 {
		fmt.Fprintf(&b, "\n%d more %s for which there is no room here: run `kubectl holdfast plan` to see all.\n", left, plural(left, "resource"))
	}
	return b.String()
}

// head are the marker, the counts in a sentence, and as a table.
func (d Document) head() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n### Holdfast: %s\n", Marker, d.Summary.words())
	if len(d.Resources) == 0 {
		return b.String()
	}
	names, rules, counts := "\n|", "|", "|"
	for _, e := range preview.Effects {
		if n := *d.Summary.of(e); n > 0 {
			names, rules, counts = names+" "+string(e)+" |", rules+"---|", counts+fmt.Sprintf(" %d |", n)
		}
	}
	fmt.Fprintf(&b, "%s\n%s\n%s\n", names, rules, counts)
	return b.String()
}

// block is a resource as it is shown.
type block struct {
	project, text string
	lines, weight int
	fits          bool
}

// blocks are the resources as far as there is room, those first that a person must look at, and how many are left out.
func (d Document) blocks(room int) (shown string, left int) {
	var all []*block
	lines := 0
	for _, r := range d.Resources {
		if r.silent() {
			continue
		}
		b := blockOf(r)
		all = append(all, b)
		lines += b.lines
	}
	heavy := slices.SortedStableFunc(slices.Values(all), func(a, b *block) int { return b.weight - a.weight })
	projects := map[string]bool{}
	for _, b := range heavy {
		takes := len(b.text)
		if !projects[b.project] {
			takes += len(opening(b.project, false)) + len(closing)
		}
		if takes > room {
			left++
			continue
		}
		b.fits, projects[b.project] = true, true
		room -= takes
	}
	return joined(slices.DeleteFunc(all, func(b *block) bool { return !b.fits }), lines <= mostCollapsed), left
}

// joined are blocks, those of a project together.
func joined(blocks []*block, open bool) string {
	var out strings.Builder
	for i, b := range blocks {
		if i == 0 || blocks[i-1].project != b.project {
			out.WriteString(opening(b.project, open))
		}
		out.WriteString(b.text)
		if i == len(blocks)-1 || blocks[i+1].project != b.project {
			out.WriteString(closing)
		}
	}
	return out.String()
}

const closing = "\n</details>\n"

func opening(project string, open bool) string {
	tag := "<details>"
	if open {
		tag = "<details open>"
	}
	return fmt.Sprintf("\n%s\n<summary>%s</summary>\n", tag, htmlCode(cmp.Or(project, "in no project")))
}

// short is a text in a line of bounded length, all of which can be seen.
func short(s string) string {
	return text.Cut(text.Visible(text.Cut(s, longestLine)), longestLine)
}

// htmlCode is a text as code in HTML.
func htmlCode(s string) string {
	return "<code>" + html.EscapeString(short(s)) + "</code>"
}

func blockOf(r Resource) *block {
	var lines []string
	for _, note := range r.notes() {
		lines = append(lines, "# "+note)
	}
	dangerous := false
	for _, c := range r.shown() {
		line := c.line()
		if c.Dangerous {
			dangerous, line = true, line[:1]+" (!)"+line[1:]
		}
		lines = append(lines, line)
	}
	b := &block{project: r.Project, weight: weight(r, dangerous)}
	b.text = "\n" + code(r.title()) + "\n" + fenced("diff", lines)
	b.lines = strings.Count(b.text, "\n")
	return b
}

// weight is how much a person must look at a resource.
func weight(r Resource, dangerous bool) int {
	switch {
	case r.Effect == preview.Refused, r.Effect == preview.Unknown, r.Effect == preview.Delete:
		return 3
	case dangerous, r.Effect == preview.OnHold, r.Effect == preview.Revoke:
		return 2
	case r.Effect == preview.Nothing, r.Effect == preview.Adopt:
		return 0
	default:
		return 1
	}
}

// code is a text as code in a line.
func code(s string) string {
	s = short(s)
	ticks := strings.Repeat("`", longestRun(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

// fenced are lines as a block of code in a language; empty for none.
func fenced(language string, lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	if more := len(lines) - mostLines; more > 0 {
		lines = append(slices.Clone(lines[:mostLines]), fmt.Sprintf("# … and %d more", more))
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(short(line) + "\n")
	}
	body := b.String()
	fence := strings.Repeat("`", max(3, longestRun(body)+1))
	return fence + language + "\n" + body + fence + "\n"
}

// longestRun is the length of the longest run of backticks.
func longestRun(s string) int {
	longest, run := 0, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

func section(title string, items []string) string {
	if len(items) == 0 {
		return ""
	}
	if more := len(items) - mostListed; more > 0 {
		items = append(slices.Clone(items[:mostListed]), fmt.Sprintf("… and %d more", more))
	}
	return "\n**" + title + "**\n" + fenced("text", items)
}
