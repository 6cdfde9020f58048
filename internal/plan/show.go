package plan

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Bounds of what status shows of changes. Hashes cover all of it, uncut.
const (
	mostChanges = 64
	longestText = 256
	// longestPlan is for the whole of a plan, in bytes, if the object leaves as much room.
	longestPlan = 384 << 10
	// largestObject is how large an object with the whole of a plan may become: well below the 1.5 MiB that etcd takes.
	largestObject = 1280 << 10
)

// Show is how status shows a plan that is on hold.
func (m Manifest) Show(a Assessment) *v1alpha1.Plan {
	shown := Bounded(m.Kind, a.Plan)
	p := &v1alpha1.Plan{Hash: a.Hash, Why: a.Verdict.Message, Changes: shown, Omitted: int64(len(a.Plan) - len(shown))}
	if !fitsList(a.Plan) {
		p.Text, _ = m.planText(a.Plan)
	}
	return p
}

// Unshown says what status.plan.changes does not show of a plan, and where to read it; empty if it shows all.
func (m Manifest) Unshown(plan diff.Changes) string {
	if fitsList(plan) {
		return ""
	}
	said := fmt.Sprintf("status.plan.changes shows %d of %d changes, dangerous ones first", min(len(plan), mostChanges), len(plan))
	if len(plan) <= mostChanges {
		said = "status.plan.changes cuts long values"
	}
	if _, whole := m.planText(plan); !whole {
		return said + "; the whole plan is too large to be read, and so to be approved: change the manifest in several steps"
	}
	return said + fmt.Sprintf("; read all of it: kubectl get -n %s %s %s -o jsonpath='{.status.plan.text}'",
		m.Object.GetNamespace(), m.Kind.Argument(), m.Object.GetName())
}

// readable says whether status shows all of a plan.
func (m Manifest) readable(plan diff.Changes) bool {
	if fitsList(plan) {
		return true
	}
	_, whole := m.planText(plan)
	return whole
}

// fitsList says whether Bounded leaves nothing out.
func fitsList(changes diff.Changes) bool {
	for _, c := range changes {
		if max(len(c.From), len(c.To)) > longestText {
			return false
		}
	}
	return len(changes) <= mostChanges
}

// planText is a plan to be read, a line for each change, dangerous ones first; whole says whether there is room for all of it.
func (m Manifest) planText(plan diff.Changes) (lines string, whole bool) {
	var b strings.Builder
	room := m.room()
	for i, c := range DangerousFirst(m.Kind, plan) {
		line := Line(c) + "\n"
		if b.Len()+len(line) > room {
			fmt.Fprintf(&b, "… and %d more, for which there is no room\n", len(plan)-i)
			return b.String(), false
		}
		b.WriteString(line)
	}
	return b.String(), true
}

// room is how many bytes of a plan the object can take. What others own of it, which is in its metadata, is not at hand: it is no longer than what
// they said.
func (m Manifest) room() int {
	status := m.Object.GetCommonStatus()
	return min(longestPlan, largestObject-2*(jsonSize(m.Object)-jsonSize(status.Plan)))
}

// Line is a change to be read, in one line: + for what is added, - for what is removed, ~ for what changes. What could make one line look like
// several, or like another, is escaped.
func Line(c diff.Change) string {
	var line string
	switch {
	case c.From == "":
		line = "+ " + c.Path + valueOf(c.Path, c.To)
	case c.To == "":
		line = "- " + c.Path + valueOf(c.Path, c.From)
	default:
		line = "~ " + c.Path + ": " + c.From + " -> " + c.To
	}
	return text.Visible(line)
}

// valueOf is a value after its path; empty if the path has it already, as that of a grant does.
func valueOf(path, value string) string {
	var key string
	if json.Unmarshal([]byte(value), &key) == nil && strings.HasSuffix(path, "["+key+"]") {
		return ""
	}
	return ": " + value
}

func jsonSize(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("an object is always JSON: %v", err))
	}
	return len(b)
}

// Bounded is how status shows changes: so many of them, dangerous ones first, each cut to a length.
func Bounded(k kind.Kind, changes diff.Changes) []v1alpha1.Change {
	if len(changes) == 0 {
		return nil
	}
	out := make([]v1alpha1.Change, 0, min(len(changes), mostChanges))
	for _, c := range DangerousFirst(k, changes)[:min(len(changes), mostChanges)] {
		out = append(out, v1alpha1.Change{
			Path: text.Visible(c.Path), From: text.Cut(text.Visible(c.From), longestText), To: text.Cut(text.Visible(c.To), longestText),
		})
	}
	return out
}

// ShowUnmanaged is how status shows what the spec has no field for: so many values, each cut to a length.
func ShowUnmanaged(unmanaged []diff.Unmanaged) []v1alpha1.UnmanagedField {
	var out []v1alpha1.UnmanagedField
	for _, u := range unmanaged[:min(len(unmanaged), mostChanges)] {
		out = append(out, v1alpha1.UnmanagedField{Path: text.Cut(u.Path, longestText), Value: text.Cut(u.Value, longestText)})
	}
	return out
}
