package importer

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/preview"
)

// Previewer says what applying manifests would do.
type Previewer interface {
	All(ctx context.Context, manifests []plan.Manifest, progress func(done, total int)) ([]preview.Preview, error)
}

// Verifier proves that applying manifests would write nothing.
type Verifier struct {
	Previewer Previewer
	// Policies says that IAM policies are looked at, with a call for each. Otherwise what manifests say of them is not checked.
	Policies bool
	// ProjectOf is the project that a manifest's resource is in; empty where its namespace is bound to none.
	ProjectOf func(ctx context.Context, obj v1alpha1.Object) (string, error)
	// Progress is told how many manifests are checked.
	Progress func(done, of int)
}

// Finding is a manifest that applying would write something for, or would leave waiting or refused, or that could not be checked.
type Finding struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Effect is what applying it would do, as kubectl holdfast plan says it; Unchecked where nobody looked.
	Effect preview.Effect `json:"effect"`
	// Message says why; empty where the changes say all.
	Message string `json:"message,omitempty"`
	// Changes are what differs.
	Changes []Change `json:"changes,omitempty"`
}

// Change is a field that differs.
type Change struct {
	Path string `json:"path"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// Unchecked is the effect of a manifest whose IAM policy nobody looked at.
const Unchecked preview.Effect = "unchecked"

const unchecked = "what it says of the IAM policy was not checked: that takes a call for each resource, and --iam"

// Verify checks manifests, project by project. It counts them by effect, and returns those that do not come to nothing.
func (v *Verifier) Verify(ctx context.Context, manifests []plan.Manifest) (counts map[preview.Effect]int, findings []Finding, err error) {
	byProject := map[string][]plan.Manifest{}
	for _, m := range manifests {
		project, err := v.ProjectOf(ctx, m.Object)
		if err != nil {
			return nil, nil, err
		}
		byProject[project] = append(byProject[project], m)
	}
	counts = map[preview.Effect]int{}
	done := 0
	for _, of := range byProject {
		found, err := v.project(ctx, of, counts)
		if err != nil {
			return nil, nil, err
		}
		findings = append(findings, found...)
		done += len(of)
		v.Progress(done, len(manifests))
	}
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
	return counts, findings, nil
}

func (v *Verifier) project(ctx context.Context, manifests []plan.Manifest, counts map[preview.Effect]int) (findings []Finding, err error) {
	var checked []plan.Manifest
	for _, m := range manifests {
		mentions := plan.MentionsPolicy(m, plan.Record{})
		if !v.Policies && mentions {
			findings = append(findings, Finding{
				Kind: m.Kind.Kind, Namespace: m.Object.GetNamespace(), Name: m.Object.GetName(), Effect: Unchecked, Message: unchecked,
			})
		}
		switch {
		case v.Policies || !mentions:
			checked = append(checked, m)
		case m.Kind.Fields != nil:
			checked = append(checked, plan.Manifest{Kind: withoutPolicy(m.Kind), Object: m.Object})
		default:
			counts[Unchecked]++
		}
	}
	previews, err := v.Previewer.All(ctx, checked, nil)
	if err != nil {
		return nil, err
	}
	for _, p := range previews {
		counts[p.Outcome.Effect]++
		if p.Outcome.Effect != preview.Adopt && p.Outcome.Effect != preview.Nothing {
			findings = append(findings, findingOf(p))
		}
	}
	return findings, nil
}

// withoutPolicy is the kind as if its resources had no IAM policy.
func withoutPolicy(k kind.Kind) kind.Kind {
	k.Policy = nil
	return k
}

func findingOf(p preview.Preview) Finding {
	f := Finding{
		Kind: p.Kind.Kind, Namespace: p.Object.GetNamespace(), Name: p.Object.GetName(), Effect: p.Outcome.Effect, Message: p.Outcome.Message,
	}
	for _, c := range p.Shown() {
		f.Changes = append(f.Changes, Change{Path: c.Path, From: c.From, To: c.To})
	}
	return f
}
