// Package manifests reads manifests as people write them, from files, folders and kustomizations, and checks them as the API server would,
// without one: by the schemas, defaults and rules of the CustomResourceDefinitions.
package manifests

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
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

// Tree is what was read.
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

// Read reads and checks all that Options say. An error says that there is nothing to read, such as a path that does not exist; what is
// wrong with a manifest is among the Problems of the Tree, and does not keep others from being read.
func Read(ctx context.Context, o Options) (*Tree, error) {
	return nil, fmt.Errorf("reading %q: %w", o.Paths, errors.Join(errors.ErrUnsupported, ctx.Err()))
}

// CheckUpdate says why the API server would refuse to replace an object by a manifest that was read: what is immutable, and whatever else
// depends on what was there before.
func CheckUpdate(ctx context.Context, obj Object, old v1alpha1.Object) ([]Problem, error) {
	return nil, fmt.Errorf("comparing %s with %s: %w", obj.GetName(), old.GetName(), errors.Join(errors.ErrUnsupported, ctx.Err()))
}
