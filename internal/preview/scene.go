package preview

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// Scene is what there is once manifests that were read are applied, alone or over what a cluster has, and what of it is to be shown: all, or what
// is another than in the manifests that were applied before.
//
// It is filled in this order: what the cluster has of Namespaces (Namespace), the manifests (Begin), and what the cluster has of each kind, in their
// Order (Live).
type Scene struct {
	*Overlay

	// Kinds are all kinds.
	Kinds []kind.Kind
	// Knows is what is known beside the manifests.
	Knows Knowledge
	// Owner is the name by which the operator marks what it owns; empty where it is not known.
	Owner string
	// Problems keep manifests from being applied.
	Problems []manifests.Problem
	// Unknowns are what is not known of the plan as a whole, in sentences.
	Unknowns []string

	after, before *manifests.Tree
	origins       map[kind.Reference]manifests.Origin
	read          map[kind.Reference]manifests.Object
	was           map[kind.Reference]v1alpha1.Object
	leaving       map[kind.Reference]bool
	// changed are those that differ from before; nil for all. refused are those that the API server would not take.
	changed, refused map[kind.Reference]bool
}

// NewScene returns a scene of manifests, and of those that were applied before; nil for unknown.
func NewScene(kinds []kind.Kind, now time.Time, after, before *manifests.Tree) *Scene {
	return &Scene{
		Overlay: NewOverlay(kinds, now), Kinds: kinds, Problems: after.Problems, after: after, before: before,
		origins: map[kind.Reference]manifests.Origin{}, read: map[kind.Reference]manifests.Object{}, was: map[kind.Reference]v1alpha1.Object{},
		leaving: map[kind.Reference]bool{}, refused: map[kind.Reference]bool{},
	}
}

// Begin applies the manifests. Namespaces that nothing binds to a project are taken to be bound to the given one; empty for none.
func (s *Scene) Begin(project string) {
	s.applyNamespaces(project)
	for _, obj := range s.after.Objects {
		m := s.manifest(obj)
		s.origins[reference(m)], s.read[reference(m)] = obj.Origin, obj
		s.Apply(m)
	}
	if s.before == nil {
		return
	}
	s.changed = map[kind.Reference]bool{}
	if n := len(s.before.Problems); n > 0 {
		s.Unknowns = append(s.Unknowns, fmt.Sprintf("what was applied before of %d %s that the API server would refuse: taken as not there", n, plural(n, "manifest")))
	}
	for _, obj := range s.before.Objects {
		m := s.manifest(obj)
		ref := reference(m)
		s.was[ref] = obj.Object
		if _, stays := s.at[ref]; !stays && !s.invalid(ref, obj.Origin) {
			m.Object = m.Object.DeepCopyObject().(v1alpha1.Object)
			s.leaving[ref], s.changed[ref], s.origins[ref] = true, true, obj.Origin
			s.Apply(m)
		}
	}
	s.findChanged()
}

// invalid says whether a manifest may be there still, and not be valid.
func (s *Scene) invalid(ref kind.Reference, was manifests.Origin) bool {
	return slices.ContainsFunc(s.after.Problems, func(p manifests.Problem) bool {
		if p.Kind == "" { // nobody knows what it is
			return p.Origin.File == was.File
		}
		return kind.Reference{Kind: p.Kind, Namespace: p.Namespace, Name: p.Name} == ref
	})
}

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}

// UsedNamespaces are the namespaces that manifests are in, those before among them, sorted.
func (s *Scene) UsedNamespaces() []string {
	used := map[string]bool{}
	for _, tree := range []*manifests.Tree{s.after, s.before} {
		if tree == nil {
			continue
		}
		for _, obj := range tree.Objects {
			used[obj.GetNamespace()] = true
		}
	}
	return slices.Sorted(maps.Keys(used))
}

// applyNamespaces applies the Namespaces; and that of manifests that leave with their Namespace is as it was.
func (s *Scene) applyNamespaces(project string) {
	used := map[string]bool{}
	for _, obj := range s.after.Objects {
		used[obj.GetNamespace()] = true
	}
	if s.before != nil {
		for _, namespace := range s.before.Namespaces {
			if !used[namespace.Name] {
				s.Namespace(namespace.Name, namespace.Annotations)
			}
		}
	}
	for _, namespace := range s.after.Namespaces {
		s.Namespace(namespace.Name, namespace.Annotations)
	}
	for _, name := range s.UsedNamespaces() {
		if project != "" && s.namespaces[name][v1alpha1.ProjectIDAnnotation] == "" {
			s.Namespace(name, map[string]string{v1alpha1.ProjectIDAnnotation: project})
		}
	}
}

// manifest is an object with its kind.
func (s *Scene) manifest(obj manifests.Object) plan.Manifest {
	for _, k := range s.Kinds {
		if reflect.TypeOf(k.New()) == reflect.TypeOf(obj.Object) {
			return plan.Manifest{Kind: k, Object: obj.Object}
		}
	}
	panic(fmt.Sprintf("%T is of none of the kinds that were read", obj.Object))
}

// findChanged finds the manifests that differ from before, or whose Namespace does, or that have to do with one that does: those that refer
// to it, and those of the same resource.
func (s *Scene) findChanged() {
	namespaces := s.changedNamespaces()
	for _, m := range s.applied {
		ref := reference(m)
		if was := s.was[ref]; was == nil || namespaces[ref.Namespace] || !same(was, m.Object) {
			s.changed[ref] = true
		}
	}
	direct := maps.Clone(s.changed)
	resources := map[string]bool{}
	for _, m := range s.applied {
		if direct[reference(m)] {
			resources[s.resource(m)] = true
		}
	}
	for _, m := range s.applied {
		refers := slices.ContainsFunc(m.Kind.References(m.Object), func(ref kind.Reference) bool {
			return direct[absolute(ref, m.Object.GetNamespace())]
		})
		if refers || resources[s.resource(m)] {
			s.changed[reference(m)] = true
		}
	}
}

func (s *Scene) changedNamespaces() map[string]bool {
	was, changed := map[string]map[string]string{}, map[string]bool{}
	for _, namespace := range s.before.Namespaces {
		was[namespace.Name] = namespace.Annotations
	}
	for _, namespace := range s.after.Namespaces {
		changed[namespace.Name] = !maps.Equal(own(namespace.Annotations), own(was[namespace.Name]))
		delete(was, namespace.Name)
	}
	for name := range was {
		changed[name] = true
	}
	return changed
}

// own are the annotations that mean something to Holdfast.
func own(annotations map[string]string) map[string]string {
	out := maps.Clone(annotations)
	maps.DeleteFunc(out, func(key, _ string) bool { return !strings.HasPrefix(key, ours) })
	return out
}

func same(a, b v1alpha1.Object) bool {
	return equality.Semantic.DeepEqual(part(a, "Spec").Interface(), part(b, "Spec").Interface()) &&
		maps.Equal(own(a.GetAnnotations()), own(b.GetAnnotations()))
}

// resource is which resource a manifest is of.
func (s *Scene) resource(m plan.Manifest) string {
	return strings.Join([]string{m.Kind.Kind, inventory.ProjectIn(m.Object, s.namespaces[m.Object.GetNamespace()]), m.Kind.ResourceID(m.Object)}, " ")
}

func absolute(ref kind.Reference, namespace string) kind.Reference {
	if ref.Namespace == "" {
		ref.Namespace = namespace
	}
	return ref
}

// Live adds a manifest that the cluster has. Where the API server would refuse to put the one that is applied in its place, that is a problem, and
// nothing of it is applied.
func (s *Scene) Live(ctx context.Context, m plan.Manifest) error {
	ref := reference(m)
	if read, ok := s.read[ref]; ok {
		problems, err := manifests.CheckUpdate(ctx, read, m.Object)
		if err != nil {
			return err
		}
		s.Problems, s.refused[ref] = append(s.Problems, problems...), len(problems) > 0
	}
	s.Overlay.Live(m)
	return nil
}

// Done is what there is then, and the manifests to preview: those to be shown, and those that they refer to.
func (s *Scene) Done() (inventory.Source, []plan.Manifest) {
	var out []plan.Manifest
	referred := map[kind.Reference]bool{}
	for _, m := range s.applied {
		if s.shows(reference(m)) {
			for _, ref := range m.Kind.References(m.Object) {
				referred[absolute(ref, m.Object.GetNamespace())] = true
			}
		}
	}
	for i, m := range s.applied {
		ref := reference(m)
		if s.leaving[ref] {
			if s.Knows.Records && !s.known[i] { // which nobody applied
				s.leaving[ref], s.changed[ref] = false, false
				continue
			}
			m.Object.SetDeletionTimestamp(&metav1.Time{Time: s.now})
			m.Object.SetFinalizers(nil) // what it holds now it lets go of
		}
		if (s.shows(ref) || referred[ref]) && !s.refused[ref] {
			out = append(out, m)
		}
	}
	return s.source(), out
}

func (s *Scene) shows(ref kind.Reference) bool { return s.changed == nil || s.changed[ref] }

// Shown are those of the previews that are to be shown.
func (s *Scene) Shown(previews []Preview) []Preview {
	return slices.DeleteFunc(slices.Clone(previews), func(v Preview) bool { return !s.shows(reference(v.manifest())) })
}

// Before is what was applied before of a manifest, where nobody else remembers it: see Previewer.Before.
func (s *Scene) Before(m plan.Manifest) v1alpha1.Object {
	if was := s.was[reference(m)]; was != nil && !s.Knows.Records {
		return was
	}
	return nil
}

// Origin is where a manifest stands; nil for nowhere.
func (s *Scene) Origin(v Preview) *manifests.Origin {
	if origin, ok := s.origins[reference(v.manifest())]; ok {
		return &origin
	}
	return nil
}
