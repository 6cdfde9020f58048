package fleet

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// longestMessage is how much of a message a table shows unless it is wide, in bytes.
const longestMessage = 100

// Argument is how a manifest is named on the command line: bucket/logs.
func Argument(kind, name string) string { return strings.ToLower(kind) + "/" + name }

// Title is how a manifest is named in a sentence: Bucket shop/logs.
func Title(kind, namespace, name string) string { return kind + " " + namespace + "/" + name }

// Table writes rows in columns, as kubectl does. The zero value is not ready: see NewTable.
type Table struct {
	out    *tabwriter.Writer
	header []string
	rows   int
}

// NewTable is a table with that header, which is written with the first row.
func NewTable(out io.Writer, header ...string) *Table {
	return &Table{out: tabwriter.NewWriter(out, 0, 8, 3, ' ', 0), header: header}
}

// Row adds a row; an empty cell is shown as such.
func (t *Table) Row(cells ...string) {
	if t.rows == 0 {
		fmt.Fprintln(t.out, strings.Join(t.header, "\t"))
	}
	t.rows++
	shown := make([]string, len(cells))
	for i, cell := range cells {
		shown[i] = text.Visible(cmp.Or(cell, "-"))
	}
	fmt.Fprintln(t.out, strings.Join(shown, "\t"))
}

// Flush writes what was added; later rows may have other columns' widths.
func (t *Table) Flush() error { return t.out.Flush() }

// Age is how long ago something was, as kubectl writes it; empty if nobody knows.
func Age(now time.Time, then *time.Time) string {
	if then == nil || then.IsZero() {
		return ""
	}
	return duration.HumanDuration(now.Sub(*then))
}

// Lines is a table of manifests: with all that is known of each if it is wide.
type Lines struct {
	table *Table
	now   time.Time
	wide  bool
}

// NewLines is such a table.
func NewLines(out io.Writer, now time.Time, wide bool) *Lines {
	header := []string{"NAMESPACE", "OBJECT", "STATE", "REASON", "SINCE"}
	if wide {
		header = append(header, "PROJECT", "EXTERNAL-NAME")
	}
	return &Lines{table: NewTable(out, append(header, "MESSAGE")...), now: now, wide: wide}
}

// Add adds a manifest.
func (w *Lines) Add(l Line) {
	cells := []string{l.Namespace, Argument(l.Kind, l.Name), string(l.State), l.Reason, Age(w.now, l.Since)}
	if w.wide {
		w.table.Row(append(cells, l.Project, l.ExternalName, l.Message)...)
		return
	}
	w.table.Row(append(cells, text.Cut(l.Message, longestMessage))...)
}

// Flush writes what was added.
func (w *Lines) Flush() error { return w.table.Flush() }

// Counts writes how many manifests stand how, and for which reasons.
func (s *Summary) Counts(out io.Writer) error {
	header := []string{"KIND", "TOTAL"}
	for _, state := range States {
		header = append(header, strings.ToUpper(string(state)))
	}
	t := NewTable(out, header...)
	for _, k := range s.Kinds {
		row := []string{k.Kind, fmt.Sprint(k.Total)}
		for _, state := range States {
			row = append(row, fmt.Sprint(k.States[state]))
		}
		t.Row(row...)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, state := range slices.Backward(States) {
		if reasons := s.Reasons[state]; len(reasons) > 0 {
			fmt.Fprintf(out, "%s: %s\n", state, counted(reasons))
		}
	}
	return nil
}

// counted lists reasons, the most frequent first.
func counted(reasons map[string]int) string {
	names := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(-cmp.Compare(reasons[a], reasons[b]), cmp.Compare(a, b))
	})
	var out []string
	for _, name := range names {
		out = append(out, fmt.Sprintf("%s %d", name, reasons[name]))
	}
	return strings.Join(out, ", ")
}

// Text writes the summary for people.
func (s *Summary) Text(out io.Writer, now time.Time, wide bool) error {
	if err := s.Counts(out); err != nil || len(s.Attention) == 0 {
		return err
	}
	fmt.Fprintln(out)
	lines := NewLines(out, now, wide)
	for _, l := range s.Attention {
		lines.Add(l)
	}
	if err := lines.Flush(); err != nil || s.Omitted == 0 {
		return err
	}
	_, err := fmt.Fprintf(out, "… and %d more that are not Ready: --all shows them\n", s.Omitted)
	return err
}

// Changes writes changes, a line for each, indented.
func Changes(out io.Writer, changes []v1alpha1.Change) {
	for _, c := range changes {
		fmt.Fprintf(out, "  %s\n", line(c))
	}
}

func line(c v1alpha1.Change) string {
	return plan.Line(diff.Change{Path: c.Path, From: c.From, To: c.To})
}

// WritePlan writes the plan on hold, the whole of it where the status has room for it.
func WritePlan(out io.Writer, p *v1alpha1.Plan) {
	fmt.Fprintf(out, "Plan on hold: %s\n  %s\n", p.Hash, text.Visible(p.Why))
	if p.Text == "" {
		Changes(out, p.Changes)
		return
	}
	for line := range strings.Lines(p.Text) {
		fmt.Fprintf(out, "  %s\n", text.Visible(strings.TrimSuffix(line, "\n")))
	}
}

// Text writes all that is to be known about a manifest, for people.
func (v View) Text(out io.Writer, now time.Time) error {
	fmt.Fprintf(out, "%s: %s, %s", Title(v.Kind, v.Namespace, v.Name), v.State, v.Reason)
	if since := Age(now, v.Since); since != "" {
		fmt.Fprintf(out, " for %s", since)
	}
	fmt.Fprintf(out, "\n  %s\n\n", v.Message)
	if err := v.facts(out); err != nil {
		return err
	}
	if err := v.conditions(out, now); err != nil {
		return err
	}
	section(out, len(v.Drift), "Drift: from what Google Cloud has to what the manifest says", func() { Changes(out, v.Drift) })
	if v.Plan != nil {
		fmt.Fprintln(out)
		WritePlan(out, v.Plan)
		fmt.Fprintf(out, "  Approve it: %s\n", v.Approve)
	}
	section(out, len(v.References), "References", func() {
		for _, r := range v.References {
			fmt.Fprintf(out, "  %s: %s\n", Title(r.Kind, r.Namespace, r.Name), text.Visible(cmp.Or(r.Resolved, "waited for: "+r.Waiting)))
		}
	})
	section(out, len(v.Unmanaged), "Unmanaged: in Google Cloud, and without a field in the spec", func() {
		for _, u := range v.Unmanaged {
			fmt.Fprintf(out, "  %s: %s\n", text.Visible(u.Path), text.Visible(u.Value))
		}
	})
	if v.BreakGlass != nil {
		fmt.Fprintf(out, "\nGlass broken:\n")
		glass(out, *v.BreakGlass, "")
	}
	section(out, len(v.BreakGlassHistory), "Glass broken before, the last time first", func() {
		for _, e := range v.BreakGlassHistory {
			closed := fmt.Sprintf("%s at %s", strings.ToLower(string(e.Ending)), inUTC(e.ClosedAt.Time))
			if e.ClosedBy != "" {
				closed += " by " + text.Visible(e.ClosedBy)
			}
			glass(out, e.BreakGlass, closed)
		}
	})
	return nil
}

func (v View) facts(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 8, 3, ' ', 0)
	owner := "not this manifest's (yet)"
	switch {
	case v.Created:
		owner = "this manifest's, which created it"
	case v.Owned:
		owner = "this manifest's"
	}
	observed := fmt.Sprintf("%d", v.Generation)
	if v.ObservedGeneration != v.Generation {
		observed += fmt.Sprintf(", observed %d", v.ObservedGeneration)
	}
	facts := [][2]string{
		{"Project", v.Project}, {"External name", v.ExternalName}, {"Resource", owner}, {"Console", v.ConsoleURL},
		{"Management", fmt.Sprintf("%s, adoption %s, deletionPolicy %s", v.Management, v.Adoption, v.DeletionPolicy)}, {"Generation", observed},
	}
	if v.DeletionTime != nil {
		facts = append(facts, [2]string{"Being deleted", "since " + inUTC(v.DeletionTime.Time)})
	}
	if d := v.Deletion; d != nil {
		facts = append(facts, [2]string{"Deleted so far", fmt.Sprintf("%s, %s, since %s",
			count(int(d.ObjectsDeleted), "object generation"), count(int(d.FoldersDeleted), "folder"), inUTC(d.StartTime.Time))})
	}
	if v.Approved != nil {
		facts = append(facts, [2]string{"Approved", fmt.Sprintf("plan %s, by %s", v.Approved.Hash, cmp.Or(v.Approved.By, "an unrecorded user"))})
	}
	for _, f := range facts {
		fmt.Fprintf(t, "%s:\t%s\n", f[0], text.Visible(cmp.Or(f[1], "-")))
	}
	return t.Flush()
}

func (v View) conditions(out io.Writer, now time.Time) error {
	fmt.Fprintln(out)
	t := NewTable(out, "CONDITION", "STATUS", "REASON", "SINCE", "MESSAGE")
	for _, c := range v.Conditions {
		t.Row(c.Type, string(c.Status), c.Reason, Age(now, &c.LastTransitionTime.Time), c.Message)
	}
	return t.Flush()
}

// section writes a part of n entries; nothing if there are none.
func section(out io.Writer, n int, title string, write func()) {
	if n > 0 {
		fmt.Fprintf(out, "\n%s (%d):\n", title, n)
		write()
	}
}

// glass writes the record of a glass, and how it was closed unless it is open.
func glass(out io.Writer, g v1alpha1.BreakGlass, closed string) {
	by := text.Visible(cmp.Or(g.By, "an unrecorded user"))
	if !g.Verified {
		by += " (unverified)"
	}
	fmt.Fprintf(out, "  since %s by %s, on the %s", inUTC(g.Since.Time), by, g.Scope)
	if g.Until != nil {
		fmt.Fprintf(out, ", until %s", inUTC(g.Until.Time))
	}
	if closed != "" {
		fmt.Fprintf(out, "; %s", closed)
	}
	fmt.Fprintf(out, "\n    reason: %s\n", text.Visible(g.Reason))
	for _, e := range g.Edits {
		fmt.Fprintf(out, "    changed at %s by %s: %s", inUTC(e.Time.Time), text.Visible(cmp.Or(e.By, "an unrecorded user")), text.Visible(e.Reason))
		if e.Until != nil {
			fmt.Fprintf(out, ", until %s", inUTC(e.Until.Time))
		}
		fmt.Fprintln(out)
	}
	if g.LastWrite != "" {
		fmt.Fprintf(out, "    in flight when it was broken: %s\n", text.Visible(g.LastWrite))
	}
	for _, c := range g.Seen {
		fmt.Fprintf(out, "    seen meanwhile: %s\n", line(c))
	}
}

func inUTC(t time.Time) string { return t.UTC().Format(time.RFC3339) }
