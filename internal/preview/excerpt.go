package preview

import (
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// Excerpt is what of a cluster matters to the manifests of a Scene, for whoever reads the cluster page by page: there may be ten thousands of
// objects.
//
// It is filled in this order: what the cluster has of Namespaces (Namespace), the Scene (Scene.Begin), then what the cluster has of each kind (Live),
// in their Order.
type Excerpt struct {
	kinds      []kind.Kind
	namespaces map[string]map[string]string
	// named are the manifests that are applied or deleted.
	named map[kind.Reference]bool
	// kept are the manifests of the cluster that matter.
	kept []plan.Manifest
	// projects are those that the manifests' namespaces reach, and ids the names of their resources, by kind: what else is of one of those may
	// be a rival.
	projects map[string]bool
	ids      map[string]map[string]bool
	// referred are what manifests refer to, and refused the members that Google refused.
	referred map[kind.Reference]bool
	refused  map[kind.Name]bool
}

// NewExcerpt returns an empty one.
func NewExcerpt(kinds []kind.Kind) *Excerpt {
	return &Excerpt{
		kinds: kinds, namespaces: map[string]map[string]string{}, named: map[kind.Reference]bool{},
		projects: map[string]bool{}, ids: map[string]map[string]bool{}, referred: map[kind.Reference]bool{}, refused: map[kind.Name]bool{},
	}
}

// Order are the kinds in the order in which what the cluster has of them is to be passed in: what others refer to comes last.
func (e *Excerpt) Order() []kind.Kind {
	return slices.SortedStableFunc(slices.Values(e.kinds), func(a, b kind.Kind) int { return order(a) - order(b) })
}

func order(k kind.Kind) int {
	if k.Principal != nil {
		return 1
	}
	return 0
}

// Namespace adds a Namespace, or what is applied to one that was added.
func (e *Excerpt) Namespace(name string, annotations map[string]string) {
	kept := e.namespaces[name]
	if kept == nil {
		kept = map[string]string{}
		e.namespaces[name] = kept
	}
	for key, value := range annotations {
		if strings.HasPrefix(key, ours) {
			kept[key] = value
		}
	}
}

// about notes what matters to a manifest that is applied or deleted.
func (e *Excerpt) about(m plan.Manifest) {
	e.named[reference(m)] = true
	for _, binding := range tenancy.Bindings(e.namespaces[m.Object.GetNamespace()]) {
		e.projects[binding.Project] = true
	}
	if e.ids[m.Kind.Kind] == nil {
		e.ids[m.Kind.Kind] = map[string]bool{}
	}
	e.ids[m.Kind.Kind][m.Kind.ResourceID(m.Object)] = true
	e.refer(m)
}

// refer notes what a manifest refers to.
func (e *Excerpt) refer(m plan.Manifest) {
	for _, ref := range m.Kind.References(m.Object) {
		e.referred[absolute(ref, m.Object.GetNamespace())] = true
	}
	if iam := m.Object.GetCommonStatus().IAM; iam != nil {
		for _, refusal := range iam.Refused {
			if name, ok := kind.MemberName(refusal.Member); ok {
				e.refused[name] = true
			}
		}
	}
}

// Live adds a manifest that the cluster has.
func (e *Excerpt) Live(m plan.Manifest) {
	project := inventory.ProjectIn(m.Object, e.namespaces[m.Object.GetNamespace()])
	own := e.named[reference(m)]
	rival := e.projects[project] && e.ids[m.Kind.Kind][m.Kind.ResourceID(m.Object)]
	if own || rival {
		e.refer(m)
	}
	named := m.Kind.Referent != nil && e.refused[kind.Name{Kind: m.Kind.Kind, Referent: m.Kind.Referent(m.Object)}]
	if own || rival || named || e.referred[reference(m)] {
		m.Object = m.Object.DeepCopyObject().(v1alpha1.Object) // of the page that it came with nothing is kept
		m.Object.GetObjectKind().SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(m.Kind.Kind))
		e.kept = append(e.kept, m)
	}
}

// Source is what was kept.
func (e *Excerpt) Source() inventory.Source {
	objects := make([]v1alpha1.Object, 0, len(e.kept))
	for _, m := range e.kept {
		objects = append(objects, m.Object)
	}
	return inventory.NewFolder(e.kinds, e.namespaces, objects)
}

// Accounts are the service accounts that Namespaces name to be acted as.
func (e *Excerpt) Accounts() []string {
	var out []string
	for _, annotations := range e.namespaces {
		if account := tenancy.Impersonates(annotations); account != "" {
			out = append(out, account)
		}
	}
	return out
}
