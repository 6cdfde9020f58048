package convert

import (
	"cmp"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/layout"
)

// Options say how to convert.
type Options struct {
	// Kinds are all kinds; nothing of Google Cloud is called.
	Kinds []kind.Kind
	// Namespace is the namespace for a project, where the source has none.
	Namespace func(project string) string
	// Project is the project of what names none; empty for none.
	Project string
	// Authoritative makes manifests own roles, or policies, where the source owned them.
	Authoritative bool
}

// Result is what became of a source.
type Result struct {
	// Objects are the manifests, Namespaces first, each sorted by namespace, kind and name.
	Objects []layout.Object
	// Notes are what has no equivalent, or means something else here, in the order of the source.
	Notes []Note
	// Handover is how to hand over.
	Handover Handover
}

// Note is something that a manifest does not say as the source does.
type Note struct {
	// Source is where in the source: a file and its object, or the address of a resource.
	Source string `json:"source"`
	// Field is the field of the source; empty for all of it.
	Field string `json:"field,omitempty"`
	// Message says what is so, and what to do.
	Message string `json:"message"`
}

// resource is a resource of the source that becomes a manifest.
type resource struct {
	kind             kind.Kind
	project, id      string
	namespace, name  string
	source           string
	annotations      map[string]string
	spec             map[string]any
	policy           *policy
	explicitDefaults bool // the source says them by intent
	// carries are the objects of the source that the manifest stands for.
	carries []string
}

// conversion gathers what a source comes to.
type conversion struct {
	Options

	resources  []*resource
	pieces     []piece
	namespaces map[string]string   // to their project
	further    map[string][]string // the other projects of a namespace
	notes      []Note
	// carried are the objects of the source that manifests stand for.
	carried map[string]bool
}

func newConversion(o Options) *conversion {
	return &conversion{Options: o, namespaces: map[string]string{}, further: map[string][]string{}, carried: map[string]bool{}}
}

func (c *conversion) note(source, field, message string) {
	c.notes = append(c.notes, Note{Source: source, Field: field, Message: message})
}

// kind finds a kind that there is, by its name.
func (c *conversion) kind(name string) kind.Kind {
	k, _ := kind.Named(c.Kinds, name)
	return k
}

// bind binds a namespace to a project, or adds the project to those that its objects may name; it says whether they have to.
func (c *conversion) bind(namespace, project string) (named bool) {
	bound, known := c.namespaces[namespace]
	if !known {
		c.namespaces[namespace] = project
		return false
	}
	if bound == project {
		return false
	}
	if !slices.Contains(c.further[namespace], project) {
		c.further[namespace] = append(c.further[namespace], project)
	}
	return true
}

// finish writes all manifests.
func (c *conversion) finish() Result {
	c.gather()
	result := Result{Notes: c.notes}
	names := map[string]*resource{}
	for _, r := range c.resources {
		named := c.bind(r.namespace, r.project)
		key := r.kind.Kind + "/" + r.namespace + "/" + r.name
		if other := names[key]; other != nil {
			why := "left out: " + other.source + " has the same kind, namespace and name"
			result.Notes = append(result.Notes, Note{Source: r.source, Message: why})
			continue
		}
		names[key] = r
		obj, err := r.write(named)
		if err != nil {
			result.Notes = append(result.Notes, Note{Source: r.source, Message: "left out: " + err.Error()})
			continue
		}
		result.Objects = append(result.Objects, obj)
		for _, source := range r.carries {
			c.carried[source] = true
		}
	}
	for namespace, project := range c.namespaces {
		annotations := map[string]string{}
		if more := c.further[namespace]; len(more) > 0 {
			slices.Sort(more)
			annotations[v1alpha1.AllowedProjectIDsAnnotation] = strings.Join(more, ",")
		}
		result.Objects = append(result.Objects, layout.NamespaceOf(namespace, project, annotations))
	}
	slices.SortFunc(result.Objects, func(a, b layout.Object) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.GetNamespace(), b.GetNamespace()),
			strings.Compare(a.GetKind(), b.GetKind()), strings.Compare(a.GetName(), b.GetName()))
	})
	return result
}

// rank is 0 for what has to be applied first.
func rank(obj layout.Object) int {
	if obj.GetNamespace() == "" {
		return 0
	}
	return 1
}

// write is the manifest of a resource. named says that it names its project.
func (r *resource) write(named bool) (layout.Object, error) {
	obj := r.kind.New()
	if err := decode(r.spec, obj); err != nil {
		return layout.Object{}, err
	}
	if r.kind.Fields != nil {
		if !r.explicitDefaults {
			distinct, defaults := diff.Distinct(obj, r.kind.New(), r.kind.FieldTraits)
			distinct = append(distinct, diff.Beside(distinct, defaults, r.kind.FieldTraits)...)
			obj = diff.Apply(r.kind.New(), distinct, r.kind.FieldTraits)
		}
		obj.GetCommonSpec().Adoption = v1alpha1.AdoptionIfMatches
		if r.name != r.id {
			obj.GetCommonSpec().ResourceID = r.id
		}
	}
	if named {
		obj.GetCommonSpec().ProjectID = r.project
	}
	obj.SetNamespace(r.namespace)
	obj.SetName(r.name)
	obj.SetAnnotations(r.annotations)
	out, err := layout.Of(r.kind.Kind, obj)
	if err != nil {
		return layout.Object{}, err
	}
	return out, r.policy.put(out, r.kind)
}
