package manifests

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/config/crd"
)

// definition is what the API server knows of a kind from its CustomResourceDefinition.
type definition struct {
	kind schema.GroupVersionKind
	// versions are all that are served. Their schemas are one, so that a manifest of any of them is one of kind's.
	versions []string
	schema   *structuralschema.Structural
	// status says that the status is written by itself, and so is none of a manifest's business.
	status bool
	// rules check objects; they are made when the first one is checked, since that compiles them.
	rules func() (rules, error)
}

// rules are what must be true of objects.
type rules struct {
	schema validation.SchemaValidator
	cel    *cel.Validator
}

// definitions are those of all kinds that are served, by kind.
var definitions = sync.OnceValues(func() (map[string]*definition, error) {
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		return nil, err
	}
	out := map[string]*definition{}
	for _, file := range files {
		text, err := crd.Bases.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var def apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &def); err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(file), err)
		}
		if out[def.Spec.Names.Kind], err = define(&def); err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(file), err)
		}
	}
	return out, nil
})

// define takes the version that the API types are of; the others that a definition serves are the same.
func define(def *apiextensionsv1.CustomResourceDefinition) (*definition, error) {
	var served []string
	for _, version := range def.Spec.Versions {
		served = append(served, version.Name)
	}
	at := slices.Index(served, v1alpha1.GroupVersion.Version)
	if at < 0 {
		return nil, fmt.Errorf("%s is not served", v1alpha1.GroupVersion)
	}
	version := def.Spec.Versions[at]
	var internal apiextensions.CustomResourceValidation
	toInternal := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation
	if err := toInternal(version.Schema, &internal, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	structural = structural.DeepCopy() // pruning the defaults changes it, and it shares them with what it was made from
	if err := defaulting.PruneDefaults(structural); err != nil {
		return nil, err
	}
	d := &definition{
		kind:     schema.GroupVersionKind{Group: def.Spec.Group, Version: version.Name, Kind: def.Spec.Names.Kind},
		versions: served,
		schema:   structural,
		status:   version.Subresources != nil && version.Subresources.Status != nil,
	}
	d.rules = sync.OnceValues(func() (rules, error) {
		validator, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
		return rules{validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}, err
	})
	return d, nil
}

// named are the apiVersions that are served.
func (d *definition) named() string {
	var all []string
	for _, version := range d.versions {
		all = append(all, d.kind.Group+"/"+version)
	}
	return strings.Join(all, " or ")
}

// served names the kinds that there are.
func served(definitions map[string]*definition) string {
	var kinds []string
	for kind := range definitions {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return strings.Join(kinds, ", ")
}
