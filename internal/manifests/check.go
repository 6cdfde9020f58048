package manifests

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// CheckUpdate says why the API server would refuse to apply a manifest that was read to the object that is there: what is immutable, and
// whatever else depends on what was there before.
func CheckUpdate(ctx context.Context, obj Object, old v1alpha1.Object) ([]Problem, error) {
	definitions, err := definitions()
	if err != nil {
		return nil, err
	}
	kind := obj.GetObjectKind().GroupVersionKind().Kind
	var wanted, before unstructured.Unstructured
	if err := errors.Join(convert(obj.Object, &wanted.Object), convert(old, &before.Object)); err != nil {
		return nil, err
	}
	before.SetGroupVersionKind(wanted.GroupVersionKind())
	found, err := definitions[kind].update(ctx, applied(&wanted, &before), &before)
	return problems(about(wanted.Object, obj.Origin), found, err), nil
}

// applied is an object after a manifest was applied to it: its spec is the manifest's, and labels and annotations that the manifest does not
// set stay.
func applied(manifest, to *unstructured.Unstructured) *unstructured.Unstructured {
	out := to.DeepCopy()
	out.Object["spec"] = manifest.Object["spec"]
	out.SetLabels(merged(to.GetLabels(), manifest.GetLabels()))
	out.SetAnnotations(merged(to.GetAnnotations(), manifest.GetAnnotations()))
	return out
}

func merged(below, above map[string]string) map[string]string {
	out := maps.Clone(below)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, above)
	return out
}

// about is a problem of a manifest, without the problem.
func about(fields map[string]any, from Origin) Problem {
	u := unstructured.Unstructured{Object: fields}
	return Problem{Origin: from, Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
}

// problems are those that the API server's code finds, or that keep it from looking for some, in the order of their fields.
func problems(about Problem, found field.ErrorList, err error) []Problem {
	var out []Problem
	add := func(field, message string) {
		about.Field, about.Message = field, message
		out = append(out, about)
	}
	strict, isStrict := runtime.AsStrictDecodingError(err)
	switch {
	case isStrict:
		for _, err := range strict.Errors() {
			var unknown unknownField
			_ = errors.As(err, &unknown)
			add(string(unknown), err.Error())
		}
	case err != nil:
		add("", err.Error())
	}
	var last []Problem
	for _, err := range found {
		if err.Detail == unchecked {
			about.Field, about.Message = "", unchecked
			last = append(last, about)
			continue
		}
		add(strings.TrimPrefix(err.Field, nowhere), err.ErrorBody())
	}
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Message, b.Message))
	})
	return append(out, last...)
}

// nowhere is how the path of a field is written that is nil: that of the object as a whole.
var nowhere = (*field.Path)(nil).String()

// convert makes one form of an object of another.
func convert(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return utiljson.Unmarshal(text, to)
}
