// Package render shows plans: as JSON, as text, and as markdown. It is pure.
package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/preview"
)

// The type of a Document.
const (
	APIVersion = "plan.holdfast.dev/v1alpha1"
	Kind       = "Plan"
)

// Document is a plan as `plan -o json` prints it. Fields may be added; those that are there keep their names and meaning.
type Document struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Summary counts the resources by effect, and the problems.
	Summary Summary `json:"summary"`
	// Resources are sorted by project, kind, namespace and name.
	Resources []Resource `json:"resources"`
	// Problems are what keeps manifests from being applied at all, which therefore are not among the resources.
	Problems []manifests.Problem `json:"problems,omitempty"`
	// Unknowns are what is not known of the plan as a whole, in sentences.
	Unknowns []string `json:"unknowns,omitempty"`
}

// Summary counts.
type Summary struct {
	Create   int `json:"create"`
	Update   int `json:"update"`
	Adopt    int `json:"adopt"`
	Delete   int `json:"delete"`
	Orphan   int `json:"orphan"`
	Revoke   int `json:"revoke"`
	OnHold   int `json:"onHold"`
	Refused  int `json:"refused"`
	Unknown  int `json:"unknown"`
	Nothing  int `json:"nothing"`
	Problems int `json:"problems"`
}

// Resource is what applying a manifest would do.
type Resource struct {
	// Kind, Namespace and Name are the manifest's.
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Origin is where the manifest stands; absent for one that is not in a file.
	Origin *manifests.Origin `json:"origin,omitempty"`
	// Project is the ID of the Google Cloud project; empty if the manifest may be in none.
	Project string `json:"project,omitempty"`
	// Resource is the full resource name, such as //storage.googleapis.com/logs.
	Resource string `json:"resource,omitempty"`
	// Effect is one of create, update, adopt, delete, orphan, revoke, on hold, refused, unknown and nothing.
	Effect preview.Effect `json:"effect"`
	// Reason is the reason that the condition Ready would have where nothing is written, such as Conflict.
	Reason string `json:"reason,omitempty"`
	// Message says what is so, and what a person can do.
	Message string `json:"message,omitempty"`
	// Hold is what the plan waits for.
	Hold *Hold `json:"hold,omitempty"`
	// Changes are what would be written, dangerous ones first; of what is refused or not managed, what differs.
	Changes []Change `json:"changes,omitempty"`
	// Unknowns are what is not known of the manifest that may make its plan another one, in sentences.
	Unknowns []preview.Gap `json:"unknowns,omitempty"`
	// Failed says that the resource could not be looked at in full, whatever its effect: the plan ends with the exit code 1.
	Failed bool `json:"failed,omitempty"`
}

// Hold is what a plan waits for.
type Hold struct {
	// On is one of adoption, approval, data loss and break-glass.
	On preview.Hold `json:"on"`
	// Hash is what to approve; absent where nobody can approve it yet.
	Hash string `json:"hash,omitempty"`
	// Release says what releases it.
	Release string `json:"release"`
}

// Change is a field, list, map key or grant that changes.
type Change struct {
	// Path is the field, such as spec.labels[team]; that of the resource itself is resource.
	Path string `json:"path"`
	// From and To are the values before and after; absent where there is none.
	From json.RawMessage `json:"from,omitempty"`
	To   json.RawMessage `json:"to,omitempty"`
	// Dangerous says that it loses data, cannot be undone, or gives somebody much.
	Dangerous bool `json:"dangerous,omitempty"`
}

// Plan is what a Document is made of.
type Plan struct {
	Previews []preview.Preview
	// Origin says where a manifest stands; nil for nowhere.
	Origin   func(v preview.Preview) *manifests.Origin
	Problems []manifests.Problem
	Unknowns []string
}

// Of makes the Document of a plan.
func Of(p Plan) Document {
	d := Document{APIVersion: APIVersion, Kind: Kind, Resources: []Resource{}, Problems: p.Problems, Unknowns: p.Unknowns}
	for _, v := range p.Previews {
		r := resourceOf(v)
		if p.Origin != nil {
			r.Origin = p.Origin(v)
		}
		d.Resources = append(d.Resources, r)
		*d.Summary.of(r.Effect)++
	}
	d.Summary.Problems = len(p.Problems)
	slices.SortStableFunc(d.Resources, func(a, b Resource) int {
		return cmp.Or(strings.Compare(a.Project, b.Project), strings.Compare(a.Kind, b.Kind),
			strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return d
}

func resourceOf(v preview.Preview) Resource {
	out := v.Outcome
	r := Resource{
		Kind: v.Kind.Kind, Namespace: v.Object.GetNamespace(), Name: v.Object.GetName(), Project: v.Environment.Ref.Project,
		Effect: out.Effect, Reason: out.Reason, Message: out.Message, Unknowns: v.Unknown, Failed: v.Failed(),
	}
	if r.Project != "" {
		r.Resource = v.Kind.ExternalName(v.Environment.Ref)
	}
	if out.Hold != "" {
		r.Hold = &Hold{On: out.Hold, Hash: out.Hash, Release: out.Release}
	}
	for _, c := range v.Shown() {
		r.Changes = append(r.Changes, Change{Path: c.Path, From: raw(c.From), To: raw(c.To), Dangerous: c.Dangerous})
	}
	return r
}

// raw is a value of a change as JSON, which it is already but for what nobody here knows the type of.
func raw(value string) json.RawMessage {
	switch {
	case value == "":
		return nil
	case json.Valid([]byte(value)):
		return json.RawMessage(value)
	}
	quoted, err := json.Marshal(value)
	if err != nil { // a string is always JSON
		panic(err)
	}
	return quoted
}

func (s *Summary) of(e preview.Effect) *int {
	return map[preview.Effect]*int{
		preview.Create: &s.Create, preview.Update: &s.Update, preview.Adopt: &s.Adopt, preview.Delete: &s.Delete, preview.Orphan: &s.Orphan,
		preview.Revoke: &s.Revoke, preview.OnHold: &s.OnHold, preview.Refused: &s.Refused, preview.Unknown: &s.Unknown, preview.Nothing: &s.Nothing,
	}[e]
}

// Fails says whether a manifest was refused, or could not be looked at or read.
func (d Document) Fails() bool {
	return d.Summary.Problems+d.Summary.Refused+d.Summary.Unknown > 0 || slices.ContainsFunc(d.Resources, func(r Resource) bool { return r.Failed })
}

// Changes says whether applying would change anything in Google Cloud, now or once it is released.
func (d Document) Changes() bool {
	s := d.Summary
	return s.Create+s.Update+s.Delete+s.Orphan+s.Revoke+s.OnHold > 0
}

// JSON is the document, indented, with a newline at its end.
func (d Document) JSON() (string, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	return string(text) + "\n", err
}

// words are the counts in a sentence.
func (s *Summary) words() string {
	var out []string
	for _, e := range preview.Effects {
		if n := *s.of(e); n > 0 {
			out = append(out, fmt.Sprintf(said[e], n))
		}
	}
	if s.Problems > 0 {
		out = append(out, fmt.Sprintf("%d not valid", s.Problems))
	}
	if len(out) == 0 {
		return "no manifests"
	}
	return strings.Join(out, ", ")
}

var said = map[preview.Effect]string{
	preview.Create: "%d to create", preview.Update: "%d to update", preview.Adopt: "%d to adopt", preview.Delete: "%d to delete",
	preview.Orphan: "%d to orphan", preview.Revoke: "%d to revoke", preview.OnHold: "%d on hold", preview.Refused: "%d refused",
	preview.Unknown: "%d unknown", preview.Nothing: "%d unchanged",
}

// title is effect and manifest in a line: on hold for adoption: Bucket shop/logs.
func (r Resource) title() string {
	effect := string(r.Effect)
	switch {
	case r.Hold != nil:
		effect += " (" + string(r.Hold.On) + ")"
	case r.Reason != "":
		effect += " (" + r.Reason + ")"
	}
	return fmt.Sprintf("%s %s/%s: %s", r.Kind, r.Namespace, r.Name, effect)
}

// notes are what is said beside the changes, a line each.
func (r Resource) notes() []string {
	var out []string
	if r.Message != "" {
		out = append(out, r.Message)
	}
	if r.Hold != nil {
		out = append(out, "released by "+r.Hold.Release)
	}
	return out
}

// shown are the changes that tell more than the title does.
func (r Resource) shown() []Change {
	if r.Effect != preview.Create {
		return r.Changes
	}
	return slices.DeleteFunc(slices.Clone(r.Changes), func(c Change) bool { return c.Path == plan.WholeResource && c.From == nil })
}

// line is the change in a line.
func (c Change) line() string {
	return plan.Line(diff.Change{Path: c.Path, From: string(c.From), To: string(c.To)})
}

// unknowns are what is not known, each once, with the number of resources that it is about.
func (d Document) unknowns() []string {
	var out []string
	counts := map[preview.Gap]int{}
	var order []preview.Gap
	for _, r := range d.Resources {
		for _, u := range r.Unknowns {
			counts[u]++
			if counts[u] == 1 {
				order = append(order, u)
			}
		}
	}
	for _, u := range order {
		out = append(out, fmt.Sprintf("of %d %s: %s", counts[u], plural(counts[u], "resource"), u))
	}
	return append(out, d.Unknowns...)
}

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}
