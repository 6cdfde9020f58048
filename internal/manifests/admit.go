package manifests

import (
	"context"
	"slices"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/api/operation"
	"k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/features"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
)

// The API server handles a request for an object of a CustomResourceDefinition in these steps, by this code of its own, in this order. What it
// does between them concerns the request, the storage, or who asks.

// create makes of a manifest what would be stored if it were created, or says why it would be refused: fields that it should not have
// or cannot have, or what is wrong with those that it has.
func (d *definition) create(ctx context.Context, u *unstructured.Unstructured) (field.ErrorList, error) {
	rules, err := d.rules()
	if err != nil {
		return nil, err
	}
	if err := d.decode(u); err != nil {
		return nil, err
	}
	defaulting.Default(u.Object, d.schema)
	unset(u)
	if d.status {
		delete(u.Object, "status")
	}
	u.SetGeneration(1)
	errs := d.metadata(ctx, u, nil)
	errs = append(errs, validation.ValidateCustomResource(nil, u.Object, rules.schema)...)
	errs = append(errs, objectmeta.Validate(ctx, nil, u.Object, d.schema, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, d.schema, u.Object)...)
	if blocking(errs) {
		errs = append(errs, field.Invalid(nil, nil, unchecked))
	} else {
		broken, _ := rules.cel.Validate(ctx, nil, d.schema, u.Object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	if len(errs) == 0 {
		errs = apivalidation.ValidateObjectMetaAccessor(u, true, segmentName, field.NewPath("metadata"))
	}
	defaulting.Default(u.Object, d.schema) // what a new object's status is when it is read
	return errs, nil
}

// update says why an object must not take the place of an old one.
func (d *definition) update(ctx context.Context, u, old *unstructured.Unstructured) (field.ErrorList, error) {
	rules, err := d.rules()
	if err != nil {
		return nil, err
	}
	defaulting.Default(u.Object, d.schema)
	correlated := common.NewCorrelatedObject(u.Object, old.Object, &model.Structural{Structural: d.schema})
	errs := apivalidation.ValidateObjectMetaAccessor(u, true, segmentName, field.NewPath("metadata"))
	errs = append(errs, d.metadata(ctx, u, old)...)
	errs = append(errs, validation.ValidateCustomResourceUpdate(nil, u.Object, old.Object, rules.schema, validation.WithRatcheting(correlated))...)
	errs = append(errs, objectmeta.Validate(ctx, nil, u.Object, d.schema, false)...)
	if len(listtype.ValidateListSetsAndMaps(nil, d.schema, old.Object)) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, d.schema, u.Object)...)
	}
	if blocking(errs) {
		errs = append(errs, field.Invalid(nil, nil, unchecked))
	} else {
		broken, _ := rules.cel.Validate(ctx, nil, d.schema, u.Object, old.Object, celconfig.RuntimeCELCostBudget, cel.WithRatcheting(correlated))
		errs = append(errs, broken...)
	}
	return errs, nil
}

// segmentName says why a name, or the prefix of names, cannot be a segment of a path.
func segmentName(name string, prefix bool) []string {
	if prefix {
		return content.IsPathSegmentPrefix(name)
	}
	return content.IsPathSegmentName(name)
}

// decode takes what is known from a manifest, with strict validation: fields that are not in the schema are an error, and nulls that stand for
// nothing go.
func (d *definition) decode(u *unstructured.Unstructured) error {
	meta, _, unknown, err := objectmeta.GetObjectMetaWithOptions(u.Object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return err
	}
	track := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	unknown = append(unknown, pruning.PruneWithOptions(u.Object, d.schema, true, track)...)
	defaulting.PruneNonNullableNullsWithoutDefaults(u.Object, d.schema)
	invalid, more := objectmeta.CoerceWithOptions(nil, u.Object, d.schema, false, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	if invalid != nil {
		return invalid
	}
	if err := objectmeta.SetObjectMeta(u.Object, meta); err != nil {
		return err
	}
	if unknown = slices.Concat(unknown, more); len(unknown) == 0 {
		return nil
	}
	var errs []error
	for _, path := range unknown {
		errs = append(errs, unknownField(path))
	}
	return runtime.NewStrictDecodingError(errs)
}

// unknownField is the error of a field that a kind does not have.
type unknownField string

// Error implements error, in the API server's words.
func (f unknownField) Error() string { return `unknown field "` + string(f) + `"` }

// unset takes away what the API server sets, whatever a manifest says: that would be another value each time.
func unset(u *unstructured.Unstructured) {
	u.SetUID(types.UID(""))
	u.SetResourceVersion("")
	u.SetCreationTimestamp(metav1.Time{})
	u.SetDeletionTimestamp(nil)
	u.SetDeletionGracePeriodSeconds(nil)
	u.SetSelfLink("")
	u.SetManagedFields(nil)
}

// metadata says what is wrong with an object's metadata; old is nil where there is none yet.
func (d *definition) metadata(ctx context.Context, u, old *unstructured.Unstructured) field.ErrorList {
	var meta, before metav1.PartialObjectMetadata
	at, beta := field.NewPath("metadata"), utilfeature.DefaultFeatureGate.Enabled(features.DeclarativeValidationBeta)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &meta); err != nil {
		return field.ErrorList{field.Invalid(at, u.Object["metadata"], err.Error())}
	}
	if old == nil {
		name := apivalidation.NameIsDNSSubdomain
		return apivalidation.ValidateObjectMetaDeclaratively(ctx, operation.Create, &meta.ObjectMeta, nil, true, name, at, beta)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(old.Object, &before); err != nil {
		return field.ErrorList{field.Invalid(at, old.Object["metadata"], err.Error())}
	}
	return apivalidation.ValidateObjectMetaDeclaratively(ctx, operation.Update, &meta.ObjectMeta, &before.ObjectMeta, true, nil, at, beta)
}

// unchecked stands for the rules that are not evaluated where they might fail for want of what they are about.
const unchecked = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"

func blocking(errs field.ErrorList) bool {
	return slices.ContainsFunc(errs, func(err *field.Error) bool {
		return slices.Contains([]field.ErrorType{
			field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid,
		}, err.Type)
	})
}
