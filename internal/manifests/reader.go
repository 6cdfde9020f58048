package manifests

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// configConnector is what the groups of Config Connector's kinds end in.
const configConnector = ".cnrm.cloud.google.com"

// namespaces are the kind of Namespaces.
var namespaces = corev1.SchemeGroupVersion.WithKind("Namespace")

// reader makes a Tree of documents.
type reader struct {
	Options

	place       *place
	definitions map[string]*definition
	// first is where each manifest was read first.
	first map[identity]Origin
	// tree has all but Objects and Problems, which are in outcomes until everything is read.
	tree     *Tree
	outcomes []*outcome
	// beside does something while more is read.
	beside func(do func(context.Context))
}

// outcome is what comes of a manifest, or of something that is none.
type outcome struct {
	problems []Problem
	object   *Object
	// about is a problem of a manifest, without the problem.
	about Problem
	// faulty is one that cannot be applied, whatever the check says.
	faulty bool
}

// identity is what only one manifest may have.
type identity struct{ kind, namespace, name string }

// file reads a file.
func (r *reader) file(f file) {
	text, err := r.read(f)
	switch {
	case err != nil:
		r.problem(Problem{Origin: Origin{File: f.name}, Message: r.place.relative(err.Error())})
	case !f.template:
		for _, doc := range documents(text) {
			r.document(doc, Origin{File: f.name})
		}
	case bytes.Contains(text, []byte(v1alpha1.GroupVersion.Group)):
		message := "this is a template of a Helm chart: render it first, as in `helm template CHART | kubectl holdfast plan -f -`"
		r.problem(Problem{Origin: Origin{File: f.name}, Message: message})
	}
}

func (r *reader) read(f file) ([]byte, error) {
	if f.name != stdin {
		return r.place.ReadFile(f.path)
	}
	if r.Stdin == nil {
		return nil, nil
	}
	return io.ReadAll(r.Stdin)
}

// kustomization reads what one renders.
func (r *reader) kustomization(k file) {
	manifests, err := render(r.place, k)
	if err != nil {
		r.problem(Problem{Origin: Origin{File: k.kustomization()}, Message: "rendering the kustomization: " + r.place.relative(err.Error())})
		return
	}
	for _, m := range manifests {
		r.document(m.document, m.origin)
	}
}

// document reads a document of a file, or one of what a kustomization rendered, which has no line of its own.
func (r *reader) document(doc document, from Origin) {
	if from.Kustomization == "" {
		from.Document, from.Line = doc.number, doc.line
	}
	faulty := len(doc.faults) > 0 && (doc.value == nil || concerns(doc.value))
	if faulty {
		fields, _ := doc.value.(map[string]any)
		for _, fault := range doc.faults {
			at := from
			if at.Line > 0 {
				at.Line = fault.line
			}
			p := about(fields, at)
			p.Field, p.Message = fault.field, fault.message
			r.problem(p)
		}
	}
	if !isList(doc.value) {
		r.manifest(doc.value, from, faulty)
		return
	}
	for i, item := range items(doc.value) {
		at := from
		if i < len(doc.itemLines) {
			at.Line = doc.itemLines[i]
		}
		r.manifest(item, at, faulty)
	}
}

// concerns says whether a manifest, or one in a list, is of a kind that is looked at.
func concerns(value any) bool {
	if isList(value) {
		return slices.ContainsFunc(items(value), concerns)
	}
	fields, _ := value.(map[string]any)
	gvk := kindOf(fields)
	return gvk == namespaces || gvk.Group == v1alpha1.GroupVersion.Group
}

// kindOf is the kind that a manifest says it is; empty if it says none.
func kindOf(fields map[string]any) schema.GroupVersionKind {
	apiVersion, _ := fields["apiVersion"].(string)
	kind, _ := fields["kind"].(string)
	return schema.FromAPIVersionAndKind(apiVersion, kind)
}

// manifest reads a manifest. A faulty one is checked, too, but cannot be applied.
func (r *reader) manifest(value any, from Origin, faulty bool) {
	fields, _ := value.(map[string]any)
	if _, patch := fields["$patch"]; patch {
		return
	}
	switch gvk := kindOf(fields); {
	case gvk == namespaces:
		r.namespace(fields, from)
	case gvk.Group == v1alpha1.GroupVersion.Group:
		r.own(fields, from, faulty)
	case strings.HasSuffix(gvk.Group, configConnector):
		r.tree.Foreign[gvk.Kind]++
	}
}

func (r *reader) namespace(fields map[string]any, from Origin) {
	var read metav1.PartialObjectMetadata
	problem := about(fields, from)
	err := apiruntime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"metadata": fields["metadata"]}, &read)
	first := slices.IndexFunc(r.tree.Namespaces, func(n Namespace) bool { return n.Name == read.Name })
	switch {
	case err != nil:
		problem.Field, problem.Message = "metadata", err.Error()
	case read.Name == "":
		problem.Field, problem.Message = "metadata.name", "Required value"
	case first < 0:
		r.tree.Namespaces = append(r.tree.Namespaces, Namespace{Name: read.Name, Labels: read.Labels, Annotations: read.Annotations, Origin: from})
	case !maps.Equal(r.tree.Namespaces[first].Labels, read.Labels), !maps.Equal(r.tree.Namespaces[first].Annotations, read.Annotations):
		at := r.tree.Namespaces[first].Origin
		problem.Message = fmt.Sprintf("the same Namespace is in %s, with other labels or annotations: remove one of the two", at)
	}
	if problem.Message != "" {
		r.problem(problem)
	}
}

// own reads a manifest of our group.
func (r *reader) own(fields map[string]any, from Origin, faulty bool) {
	u := &unstructured.Unstructured{Object: fields}
	if fields["metadata"] == nil {
		fields["metadata"] = map[string]any{}
	}
	if metadata, ok := fields["metadata"].(map[string]any); ok && (metadata["namespace"] == nil || metadata["namespace"] == "") {
		metadata["namespace"] = cmp.Or(r.Namespace, metav1.NamespaceDefault)
	}
	out := &outcome{about: about(fields, from), faulty: faulty}
	out.problems = r.wellKnown(u, out.about)
	known := len(out.problems) == 0
	r.outcomes = append(r.outcomes, out)
	id := identity{out.about.Kind, out.about.Namespace, out.about.Name}
	if first, again := r.first[id]; again && id.name != "" {
		again := out.about
		again.Message = fmt.Sprintf("the same manifest is in %s: remove one of the two", first)
		out.problems = append(out.problems, again)
	} else {
		r.first[id] = from
	}
	if known {
		u.SetGroupVersionKind(r.definitions[u.GetKind()].kind)
		r.beside(func(ctx context.Context) { out.check(ctx, u, r.definitions[u.GetKind()], r.Kinds) })
	}
}

// wellKnown says what is wrong before there is anything to check a manifest by.
func (r *reader) wellKnown(u *unstructured.Unstructured, p Problem) []Problem {
	definition, known := r.definitions[u.GetKind()]
	switch {
	case !known:
		p.Field, p.Message = "kind", fmt.Sprintf("there is no such kind in %s: it has %s", v1alpha1.GroupVersion, served(r.definitions))
	case !slices.Contains(definition.versions, u.GroupVersionKind().Version):
		p.Field, p.Message = "apiVersion", fmt.Sprintf("this version is not served: use %s", definition.named())
	case u.GetName() == "" && u.GetGenerateName() != "":
		p.Field, p.Message = "metadata.generateName", "a generated name would stand for another object each time: use metadata.name"
	default:
		return nil
	}
	return []Problem{p}
}

func (r *reader) problem(p Problem) {
	r.outcomes = append(r.outcomes, &outcome{problems: []Problem{p}})
}

// finish puts what came of all manifests into the tree, in the order of reading.
func (r *reader) finish() {
	for _, out := range r.outcomes {
		r.tree.Problems = append(r.tree.Problems, out.problems...)
		if out.object != nil && len(out.problems) == 0 && !out.faulty {
			r.tree.Objects = append(r.tree.Objects, *out.object)
		}
	}
}

// check checks a manifest. What only the operator makes is of none of the kinds, and becomes no object.
func (o *outcome) check(ctx context.Context, manifest *unstructured.Unstructured, definition *definition, kinds []kind.Kind) {
	found, err := definition.create(ctx, manifest)
	o.problems = append(problems(o.about, found, err), o.problems...)
	k, ok := kind.Named(kinds, o.about.Kind)
	if len(o.problems) > 0 || !ok {
		return
	}
	o.object = &Object{Object: k.New(), Origin: o.about.Origin}
	o.problems = problems(o.about, nil, convert(manifest, o.object.Object))
}
