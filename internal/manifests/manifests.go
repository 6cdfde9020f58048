// Package manifests reads manifests as people write them, from files, folders and kustomizations, and checks them as the API server would,
// without one: by the schemas, defaults and rules of the CustomResourceDefinitions.
package manifests

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Options say what to read, and as what.
type Options struct {
	// Paths are files, folders, which are read with all that is below them, and "-" for Stdin. They are relative to Dir.
	Paths []string
	// Dir is the working folder; empty for the one of the process.
	Dir string
	// Stdin is what "-" reads.
	Stdin io.Reader
	// Revision is what git shows the files of, such as origin/main; empty for the files as they are.
	Revision string
	// Namespace is that of manifests that name none.
	Namespace string
	// Kinds are the kinds whose manifests become Objects.
	Kinds []kind.Kind
}

// Tree is what was read. As long as there are Problems, a manifest may be there without being in it.
type Tree struct {
	// Namespaces are those that there are manifests of, in the order in which they were read.
	Namespaces []Namespace
	// Objects are the manifests that the API server would accept, as it would store them, in the order in which they were read.
	Objects []Object
	// Problems are what it would not accept, and what could not be read.
	Problems []Problem
	// Foreign counts the manifests of Config Connector that were passed over, by kind, such as StorageBucket.
	Foreign map[string]int
}

// Folder is what inventory answers from: the Namespaces and Objects.
func (t *Tree) Folder(kinds []kind.Kind) *inventory.Folder {
	namespaces := map[string]map[string]string{}
	for _, n := range t.Namespaces {
		namespaces[n.Name] = n.Annotations
	}
	objects := make([]v1alpha1.Object, 0, len(t.Objects))
	for _, obj := range t.Objects {
		objects = append(objects, obj.Object)
	}
	return inventory.NewFolder(kinds, namespaces, objects)
}

// Hides says whether a manifest may be there that is not among the Objects, for a Problem that is its own or nobody knows whose. It stood in another
// version of the tree.
func (t *Tree) Hides(manifest kind.Reference, stood Origin) bool {
	return slices.ContainsFunc(t.Problems, func(p Problem) bool {
		if p.Kind == "" { // nobody knows what it is
			return p.Origin.File == stood.File
		}
		return kind.Reference{Kind: p.Kind, Namespace: p.Namespace, Name: p.Name} == manifest
	})
}

// Namespace is a manifest of a Namespace.
type Namespace struct {
	Name                string
	Labels, Annotations map[string]string
	Origin              Origin
}

// Object is a manifest of a kind, with the defaults of fields that it does not set. Its status is that of a new object.
type Object struct {
	v1alpha1.Object

	Origin Origin
}

// Origin is where a manifest stands.
type Origin struct {
	// File is the path as it was given, and what is below it; "-" is standard input.
	File string `json:"file"`
	// Kustomization is the folder whose kustomization renders the file, if one does: patches may come from other files, and where the
	// manifest is generated, File is that of the kustomization.
	Kustomization string `json:"kustomization,omitempty"`
	// Document counts the documents of the file from 1, and Line is where it begins, from 1; both are 0 where that is not known.
	Document int `json:"document,omitempty"`
	Line     int `json:"line,omitempty"`
}

// String says where in a line for people, as in apps/topic.yaml:14.
func (o Origin) String() string {
	out := o.File
	if o.File == stdin {
		out = "standard input"
	}
	if o.Line > 0 {
		out += fmt.Sprintf(":%d", o.Line)
	}
	if o.Document > 1 {
		out += fmt.Sprintf(" (document %d)", o.Document)
	}
	if o.Kustomization != "" && o.Kustomization != o.File {
		out += fmt.Sprintf(" (kustomization %s)", o.Kustomization)
	}
	return out
}

// Problem is one thing that keeps a manifest from being applied. All but Origin and Message is empty where it is not known.
type Problem struct {
	Origin Origin `json:"origin"`
	// Kind, Namespace and Name say which manifest.
	Kind      string `json:"kind,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// Field is the path of the field, such as spec.labels.team.
	Field string `json:"field,omitempty"`
	// Message is what the API server would say of the field.
	Message string `json:"message"`
}

// String says all of it in a line for people.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Origin.String() + ": ")
	if p.Kind != "" {
		fmt.Fprintf(&b, "%s %s/%s: ", p.Kind, p.Namespace, p.Name)
	}
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Read reads and checks all that Options say. An error says that there is nothing to read, such as a path that does not exist; what is
// wrong with a manifest is among the Problems of the Tree, and does not keep others from being read.
//
// A folder is read with all folders below it whose names do not begin with a dot: files that end in .yaml, .yml or .json. Where a folder has
// a kustomization, what it renders takes the place of the files there and below. Of several kustomizations those are rendered that no other
// one refers to: of apps/base and apps/overlays/prod, which refers to it, the second.
//
// Only Namespaces and the kinds of gcp.holdfast.dev are looked at; patches, which have $patch, are none of them. At a Revision, a path that
// does not exist there has nothing below it.
func Read(ctx context.Context, o Options) (*Tree, error) {
	place, err := placeOf(ctx, o)
	if err != nil {
		return nil, err
	}
	defer place.close()
	f := finder{fsys: place, resolve: place.resolve, revision: o.Revision != "", seen: map[visit]bool{}}
	if err := f.find(o.Paths); err != nil {
		return nil, err
	}
	definitions, err := definitions()
	if err != nil {
		return nil, err
	}
	r := reader{Options: o, place: place, definitions: definitions, first: map[identity]Origin{}, tree: &Tree{Foreign: map[string]int{}}}
	checks := errgroup.Group{}
	checks.SetLimit(runtime.GOMAXPROCS(0))
	r.beside = func(check func(context.Context)) {
		checks.Go(func() error {
			check(ctx)
			return ctx.Err()
		})
	}
	defer func() { _ = checks.Wait() }() // which are in vain where reading ends early
	for _, problem := range f.problems {
		problem.Message = place.relative(problem.Message)
		r.problem(problem)
	}
	for _, file := range f.files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.file(file)
	}
	for _, k := range roots(place, f.kustomizations) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.kustomization(k)
	}
	if err := checks.Wait(); err != nil {
		return nil, err
	}
	r.finish()
	return r.tree, nil
}
