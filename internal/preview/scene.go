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

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// Scene is what there is once manifests that were read are applied, alone or over what a cluster has, and what of it is to be shown: all, or what
// is another than in the manifests that were applied before.
type Scene struct {
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
	// all are the manifests that are applied, and those that leave.
	all     []plan.Manifest
	origins map[kind.Reference]manifests.Origin
	read    map[kind.Reference]manifests.Object
	was     map[kind.Reference]v1alpha1.Object
	leaving map[kind.Reference]bool
	// changed are those that differ from before; nil for all.
	changed map[kind.Reference]bool
}

// NewScene returns a scene of manifests, and of those that were applied before; nil for unknown.
func NewScene(kinds []kind.Kind, after, before *manifests.Tree) *Scene {
	s := &Scene{
		Kinds: kinds, Problems: after.Problems, after: after, before: before,
		origins: map[kind.Reference]manifests.Origin{}, read: map[kind.Reference]manifests.Object{}, was: map[kind.Reference]v1alpha1.Object{},
		leaving: map[kind.Reference]bool{},
	}
	for _, obj := range after.Objects {
		m := s.manifest(obj)
		s.origins[reference(m)], s.read[reference(m)] = obj.Origin, obj
		s.all = append(s.all, m)
	}
	if before != nil {
		s.leave()
	}
	return s
}

// leave finds what was there before, and what of that leaves.
func (s *Scene) leave() {
	if n := len(s.before.Problems); n > 0 {
		s.Unknowns = append(s.Unknowns, UnknownBefore(n))
	}
	for _, obj := range s.before.Objects {
		m := s.manifest(obj)
		ref := reference(m)
		s.was[ref] = obj.Object
		if _, stays := s.read[ref]; !stays && !s.after.Hides(ref, obj.Origin) {
			m.Object = m.Object.DeepCopyObject().(v1alpha1.Object) // that of was stays as it is
			s.leaving[ref], s.origins[ref] = true, obj.Origin
			s.all = append(s.all, m)
		}
	}
}

// Begin notes in an excerpt what the manifests are about, and applies their Namespaces to those that it has of the cluster. Namespaces that nothing
// binds to a project are taken to be bound to the given one; empty for none.
func (s *Scene) Begin(cluster *Excerpt, project string) {
	s.applyNamespaces(cluster, project)
	for _, m := range s.all {
		cluster.about(m)
	}
}

// UnknownBefore is what is not known of a plan where so many manifests could not be read that were applied before.
func UnknownBefore(problems int) string {
	return fmt.Sprintf("what was applied before of %d %s that the API server would refuse: taken as not there", problems, plural(problems, "manifest"))
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
func (s *Scene) applyNamespaces(cluster *Excerpt, project string) {
	used := map[string]bool{}
	for _, obj := range s.after.Objects {
		used[obj.GetNamespace()] = true
	}
	if s.before != nil {
		for _, namespace := range s.before.Namespaces {
			if !used[namespace.Name] {
				cluster.Namespace(namespace.Name, namespace.Annotations)
			}
		}
	}
	for _, namespace := range s.after.Namespaces {
		cluster.Namespace(namespace.Name, namespace.Annotations)
	}
	for _, name := range s.UsedNamespaces() {
		if project != "" && cluster.namespaces[name][v1alpha1.ProjectIDAnnotation] == "" {
			cluster.Namespace(name, map[string]string{v1alpha1.ProjectIDAnnotation: project})
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

// Differing are the manifests that differ from before by what they say themselves, those that leave among them; all where nothing was before.
func (s *Scene) Differing() []plan.Manifest {
	return slices.DeleteFunc(slices.Clone(s.all), func(m plan.Manifest) bool {
		was := s.was[reference(m)]
		return was != nil && !s.leaving[reference(m)] && same(was, m.Object)
	})
}

// findChanged finds the manifests that differ from before, or whose Namespace does, or that have to do with one that does: those that refer
// to it, and those of the same resource.
func (s *Scene) findChanged(ctx context.Context, cluster inventory.Source) error {
	s.changed = map[kind.Reference]bool{}
	namespaces := s.changedNamespaces()
	for _, m := range s.Differing() {
		s.changed[reference(m)] = true
	}
	for _, m := range s.all {
		if ref := reference(m); namespaces[ref.Namespace] {
			s.changed[ref] = true
		}
	}
	direct := maps.Clone(s.changed)
	resources := map[kind.Reference]string{}
	changed := map[string]bool{}
	for _, m := range s.all {
		ref := reference(m)
		resource, err := resourceOf(ctx, cluster, m)
		if err != nil {
			return err
		}
		resources[ref] = resource
		changed[resource] = changed[resource] || direct[ref]
	}
	for _, m := range s.all {
		refers := slices.ContainsFunc(m.Kind.References(m.Object), func(ref kind.Reference) bool {
			return direct[absolute(ref, m.Object.GetNamespace())]
		})
		if refers || changed[resources[reference(m)]] {
			s.changed[reference(m)] = true
		}
	}
	return nil
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

// resourceOf is which resource a manifest is of.
func resourceOf(ctx context.Context, cluster inventory.Source, m plan.Manifest) (string, error) {
	annotations, err := cluster.Namespace(ctx, m.Object.GetNamespace())
	if err != nil {
		return "", fmt.Errorf("reading the Namespace %q: %w", m.Object.GetNamespace(), err)
	}
	return strings.Join([]string{m.Kind.Kind, inventory.ProjectIn(m.Object, annotations), m.Kind.ResourceID(m.Object)}, " "), nil
}

func absolute(ref kind.Reference, namespace string) kind.Reference {
	if ref.Namespace == "" {
		ref.Namespace = namespace
	}
	return ref
}

// Over is what there is once all is applied over what the cluster has, and the manifests to preview: those to be shown, and those that they refer to.
// It is called once. Where the API server would refuse to put a manifest in the place of what is there, that is among the Problems, and nothing of it
// is applied.
func (s *Scene) Over(ctx context.Context, cluster inventory.Source, now time.Time) (inventory.Source, []plan.Manifest, error) {
	if s.before != nil {
		if err := s.findChanged(ctx, cluster); err != nil {
			return nil, nil, err
		}
	}
	over := NewOverlay(cluster, now)
	var laid []plan.Manifest
	for _, m := range s.all {
		stored, err := cluster.Manifest(ctx, m.Kind, m.Object.GetNamespace(), m.Object.GetName())
		if err != nil {
			return nil, nil, fmt.Errorf("reading the manifest of %s %s: %w", m.Kind.Kind, nameOf(m.Object), err)
		}
		if s.leaving[reference(m)] {
			if goes, there := s.goes(m, stored); there {
				over.Delete(goes)
				laid = append(laid, goes)
			}
			continue
		}
		taken, err := s.takes(ctx, m, stored)
		if err != nil {
			return nil, nil, err
		}
		if taken {
			over.Apply(m, stored)
			laid = append(laid, m)
		}
	}
	return over, s.toPreview(laid), nil
}

// goes is what is deleted of a manifest that leaves: what the cluster has of it, whatever the manifest said before. What nobody applied is not there.
func (s *Scene) goes(m plan.Manifest, stored v1alpha1.Object) (goes plan.Manifest, there bool) {
	ref := reference(m)
	switch {
	case stored != nil:
		m.Object = stored.DeepCopyObject().(v1alpha1.Object)
	case s.Knows.Records:
		s.leaving[ref], s.changed[ref] = false, false
		return m, false
	}
	return m, true
}

// takes says whether the API server would put a manifest in the place of what is there; why not is among the Problems.
func (s *Scene) takes(ctx context.Context, m plan.Manifest, stored v1alpha1.Object) (bool, error) {
	if stored == nil {
		return true, nil
	}
	problems, err := manifests.CheckUpdate(ctx, s.read[reference(m)], stored)
	s.Problems = append(s.Problems, problems...)
	return err == nil && len(problems) == 0, err
}

// toPreview are those to be shown, and those that they refer to.
func (s *Scene) toPreview(laid []plan.Manifest) (out []plan.Manifest) {
	referred := map[kind.Reference]bool{}
	for _, m := range laid {
		if s.shows(reference(m)) {
			for _, ref := range m.Kind.References(m.Object) {
				referred[absolute(ref, m.Object.GetNamespace())] = true
			}
		}
	}
	for _, m := range laid {
		if s.shows(reference(m)) || referred[reference(m)] {
			out = append(out, m)
		}
	}
	return out
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
