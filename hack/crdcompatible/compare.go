package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// breaks says what of a definition is no longer as whoever uses it knows it: what of their manifests would be refused, dropped or read in
// another way.
func breaks(before, after *apiextensionsv1.CustomResourceDefinition) []string {
	var found []string
	if before.Spec.Scope != after.Spec.Scope {
		found = append(found, fmt.Sprintf("the scope is %s, was %s", after.Spec.Scope, before.Spec.Scope))
	}
	if old, now := before.Spec.Names, after.Spec.Names; old.Kind != now.Kind || old.Plural != now.Plural {
		found = append(found, fmt.Sprintf("it names %s (%s), was %s (%s)", now.Kind, now.Plural, old.Kind, old.Plural))
	}
	for _, short := range before.Spec.Names.ShortNames {
		if !slices.Contains(after.Spec.Names.ShortNames, short) {
			found = append(found, "the short name "+short+" is gone")
		}
	}
	for _, old := range before.Spec.Versions {
		i := slices.IndexFunc(after.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == old.Name })
		switch {
		case i < 0:
			found = append(found, "the version "+old.Name+" is gone: objects may be stored in it, and manifests written")
		case old.Served && !after.Spec.Versions[i].Served:
			found = append(found, "the version "+old.Name+" is not served any more")
		default:
			found = append(found, versionBreaks(old, after.Spec.Versions[i])...)
		}
	}
	return found
}

func versionBreaks(before, after apiextensionsv1.CustomResourceDefinitionVersion) []string {
	var found []string
	if before.Subresources != nil && before.Subresources.Status != nil && (after.Subresources == nil || after.Subresources.Status == nil) {
		found = append(found, before.Name+": the subresource status is gone")
	}
	c := comparison{}
	c.schemas(before.Name, before.Schema.OpenAPIV3Schema, after.Schema.OpenAPIV3Schema)
	return append(found, c.found...)
}

// comparison collects what is found.
type comparison struct{ found []string }

func (c *comparison) add(path, format string, args ...any) {
	c.found = append(c.found, path+": "+fmt.Sprintf(format, args...))
}

// schemas compares the schemas of a field.
func (c *comparison) schemas(path string, before, after *apiextensionsv1.JSONSchemaProps) {
	for _, each := range []struct{ what, before, after string }{
		{"type", before.Type, after.Type},
		{"format", before.Format, after.Format},
		{"pattern", before.Pattern, after.Pattern},
		{"list type", value(before.XListType), value(after.XListType)},
		{"map type", value(before.XMapType), value(after.XMapType)},
		{"list keys", fmt.Sprint(before.XListMapKeys), fmt.Sprint(after.XListMapKeys)},
		{"default", raw(before.Default), raw(after.Default)},
	} {
		if each.before != each.after && !(each.after == "" && (each.what == "pattern" || each.what == "format")) {
			c.add(path, "the %s is %q, was %q", each.what, each.after, each.before)
		}
	}
	c.limits(path, before, after)
	c.values(path, before, after)
	for _, required := range after.Required {
		if !slices.Contains(before.Required, required) && after.Properties[required].Default == nil {
			c.add(path, "%s is required now", required)
		}
	}
	for _, rule := range after.XValidations {
		if !slices.ContainsFunc(before.XValidations, func(old apiextensionsv1.ValidationRule) bool { return old.Rule == rule.Rule }) {
			c.add(path, "there is a further rule: %s", rule.Rule)
		}
	}
	if before.Nullable && !after.Nullable {
		c.add(path, "null is refused now")
	}
	if value(before.XPreserveUnknownFields) == "true" && value(after.XPreserveUnknownFields) != "true" {
		c.add(path, "fields that are not known are dropped now")
	}
	c.inside(path, before, after)
}

// limits compares what numbers, lengths and counts may be.
func (c *comparison) limits(path string, before, after *apiextensionsv1.JSONSchemaProps) {
	for _, each := range []struct {
		what          string
		before, after *float64
		direction     int
	}{
		{"least value", before.Minimum, after.Minimum, 1}, {"greatest value", before.Maximum, after.Maximum, -1},
		{"least length", number(before.MinLength), number(after.MinLength), 1},
		{"greatest length", number(before.MaxLength), number(after.MaxLength), -1},
		{"least number of items", number(before.MinItems), number(after.MinItems), 1},
		{"greatest number of items", number(before.MaxItems), number(after.MaxItems), -1},
		{"least number of fields", number(before.MinProperties), number(after.MinProperties), 1},
		{"greatest number of fields", number(before.MaxProperties), number(after.MaxProperties), -1},
	} {
		if each.after != nil && (each.before == nil || cmp.Compare(*each.after, *each.before) == each.direction) {
			c.add(path, "the %s is %v now", each.what, *each.after)
		}
	}
	if after.ExclusiveMinimum && !before.ExclusiveMinimum || after.ExclusiveMaximum && !before.ExclusiveMaximum {
		c.add(path, "a limit excludes its value now")
	}
	if after.MultipleOf != nil && !reflect.DeepEqual(before.MultipleOf, after.MultipleOf) {
		c.add(path, "it must be a multiple of %v now", *after.MultipleOf)
	}
}

// values compares which values are listed.
func (c *comparison) values(path string, before, after *apiextensionsv1.JSONSchemaProps) {
	if len(after.Enum) == 0 {
		return
	}
	if len(before.Enum) == 0 {
		c.add(path, "only some values are accepted now")
		return
	}
	for _, old := range before.Enum {
		if !slices.ContainsFunc(after.Enum, func(now apiextensionsv1.JSON) bool { return bytes.Equal(now.Raw, old.Raw) }) {
			c.add(path, "the value %s is refused now", old.Raw)
		}
	}
}

// inside compares what is in a field.
func (c *comparison) inside(path string, before, after *apiextensionsv1.JSONSchemaProps) {
	for _, name := range slices.Sorted(maps.Keys(before.Properties)) {
		old := before.Properties[name]
		now, ok := after.Properties[name]
		if !ok {
			c.add(path, "the field %s is gone", name)
			continue
		}
		c.schemas(path+"."+name, &old, &now)
	}
	switch old, now := items(before), items(after); {
	case old == nil && now == nil:
	case old == nil || now == nil:
		c.add(path, "what is in it is another thing")
	default:
		c.schemas(path+"[]", old, now)
	}
	for _, each := range []struct {
		word          string
		before, after any
	}{
		{"allOf", before.AllOf, after.AllOf}, {"anyOf", before.AnyOf, after.AnyOf},
		{"oneOf", before.OneOf, after.OneOf}, {"not", before.Not, after.Not},
	} {
		if !reflect.DeepEqual(each.before, each.after) {
			c.add(path, "%s is another: look at it", each.word)
		}
	}
}

// items is the schema of what a list or a map has; nil for none.
func items(s *apiextensionsv1.JSONSchemaProps) *apiextensionsv1.JSONSchemaProps {
	switch {
	case s.Items != nil:
		return s.Items.Schema
	case s.AdditionalProperties != nil:
		return s.AdditionalProperties.Schema
	}
	return nil
}

func number(n *int64) *float64 {
	if n == nil {
		return nil
	}
	return new(float64(*n))
}

func value[T any](v *T) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(*v)
}

func raw(v *apiextensionsv1.JSON) string {
	if v == nil {
		return ""
	}
	var compact bytes.Buffer
	if json.Compact(&compact, v.Raw) != nil {
		return string(v.Raw)
	}
	return compact.String()
}
