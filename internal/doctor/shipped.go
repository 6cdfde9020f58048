package doctor

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/holdfast-dev/holdfast/config/admission"
	"github.com/holdfast-dev/holdfast/config/crd"
	"github.com/holdfast-dev/holdfast/config/rbac"
)

// Shipped is what an installation of this version has.
type Shipped struct {
	// Definitions are the CustomResourceDefinitions.
	Definitions []*unstructured.Unstructured
	// Policies are the admission policies and their bindings.
	Policies []*unstructured.Unstructured
	// Roles are the ClusterRoles of people and of the operator.
	Roles []*unstructured.Unstructured
	// Operator are the Roles and ClusterRoles that the operator's service account is bound to.
	Operator []*unstructured.Unstructured
}

// Ship reads what this version comes with, for an operator of that user name.
func Ship(operator string) (*Shipped, error) {
	definitions, err := objects(operator, crd.Bases, "bases")
	if err != nil {
		return nil, err
	}
	policies, err := objects(operator, admission.Files, ".")
	if err != nil {
		return nil, err
	}
	s := &Shipped{Definitions: definitions}
	for _, text := range [][]byte{rbac.Users, rbac.Manager, rbac.Metrics} {
		more, err := parse(text)
		if err != nil {
			return nil, err
		}
		policies = append(policies, more...)
	}
	for _, obj := range policies {
		switch {
		case strings.Contains(obj.GetKind(), "AdmissionPolicy"):
			s.Policies = append(s.Policies, obj)
		case obj.GetKind() == "ClusterRole":
			s.Roles = append(s.Roles, obj)
		}
		if slices.Contains(operatorRoles, obj.GetName()) && strings.HasSuffix(obj.GetKind(), "Role") {
			s.Operator = append(s.Operator, obj)
		}
	}
	return s, nil
}

// ShortNames are the short names of kinds, such as gcsbucket.
func (s *Shipped) ShortNames() map[string]string {
	out := map[string]string{}
	for _, definition := range s.Definitions {
		kind, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "kind")
		names, _, _ := unstructured.NestedStringSlice(definition.Object, "spec", "names", "shortNames")
		for _, name := range names {
			out[name] = kind
		}
	}
	return out
}

func objects(operator string, files embed.FS, folder string) ([]*unstructured.Unstructured, error) {
	entries, err := files.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, entry := range entries {
		text, err := files.ReadFile(path.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		more, err := parse(admission.For(operator, text))
		if err != nil {
			return nil, fmt.Errorf("reading %s, which is built in: %w", entry.Name(), err)
		}
		out = slices.Concat(out, more)
	}
	return out, nil
}

func parse(text []byte) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096); ; {
		obj := &unstructured.Unstructured{}
		switch err := decoder.Decode(obj); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		case len(obj.Object) > 0:
			out = append(out, obj)
		}
	}
}
