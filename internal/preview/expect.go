package preview

import (
	"path"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// expect resolves references to what is there though no status says so yet, or what the manifests that are previewed would create: once all
// is applied, what refers to it is applied as well.
func (p *Previewer) expect(previews []Preview) {
	there := map[kind.Reference]string{}
	for i := range previews {
		if v := &previews[i]; v.Kind.Referent != nil {
			if referent := v.referent(); referent != "" {
				there[kind.Reference{Kind: v.Kind.Kind, Namespace: v.Object.GetNamespace(), Name: v.Object.GetName()}] = referent
			}
		}
	}
	for i := range previews {
		v := &previews[i]
		v.awaits = resolve(v.Environment.References, v.Object.GetNamespace(), there)
		for _, rival := range v.Environment.Rivals {
			resolve(rival.References, rival.Object.GetNamespace(), there)
		}
	}
}

// referent is what others name the resource by: as it is live, or as it would be created; empty if it is not there and would not be.
func (v *Preview) referent() string {
	switch seen := v.Seen.Fields; {
	case v.decided, v.deleting(), seen.Foreign, !seen.Looked:
		return ""
	case seen.Exists:
		return v.Kind.Referent(seen.Live.Object)
	case v.Kind.Principal == nil: // of accounts alone the name tells by what others name them
		return ""
	}
	as := *v
	as.assess()
	if as.Verdict.Action != plan.Create {
		return ""
	}
	return path.Base(v.Kind.ExternalName(v.Environment.Ref)) // its e-mail
}

// resolve says whether it has resolved any.
func resolve(references plan.References, from string, there map[kind.Reference]string) (did bool) {
	for ref, resolved := range references {
		if value := there[absolute(ref, from)]; value != "" && resolved.Value == "" && resolved.NotAllowed == "" {
			references[ref], did = plan.Resolved{Value: value}, true
		}
	}
	return did
}
