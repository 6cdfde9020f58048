package diff

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Result is what a comparison found.
type Result[T v1alpha1.Object] struct {
	// Changes lead from live to desired.
	Changes Changes
	// Managed are the paths that the manifest sets, sorted.
	Managed []string
	// Want is live with the changes applied. Its unmanaged fields have Google's values.
	Want T
	// Lost are the values that the spec has no field for and that the changes take away: see Regard.
	Lost []Unmanaged
}

// Compare compares the spec of a manifest with live, described as a spec. applied are the paths that were applied before:
// those that the manifest no longer sets are reset to their default. The common spec is not compared.
//
// The two objects must be pointers to the same struct type with a field Spec; anything else is a programming error and
// panics.
func Compare[T v1alpha1.Object](desired, live T, applied []string, fields Fields) Result[T] {
	want := live.DeepCopyObject().(T)
	c := comparison{fields: fields, want: spec(want), absentIsDefault: !spec(live).IsZero()}
	c.walk("spec", spec(desired), spec(live))
	slices.Sort(c.managed)
	c.reset(applied, spec(live))
	slices.SortFunc(c.changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	fields.prune("spec", c.want)
	return Result[T]{Changes: c.changes, Managed: c.managed, Want: want}
}

// Apply returns live with changes applied that Compare found.
func Apply[T v1alpha1.Object](live T, changes Changes, fields Fields) T {
	want := live.DeepCopyObject().(T)
	for _, change := range changes {
		path := steps(change.Path)
		if target, ok := lookupType(spec(want).Type(), path); ok {
			assign(spec(want), path, parse(change.Path, change.To, target))
		}
	}
	fields.prune("spec", spec(want))
	return want
}

// Managed lists the paths that a manifest sets, sorted.
func Managed[T v1alpha1.Object](desired T, fields Fields) []string {
	c := comparison{fields: fields}
	c.walk("spec", spec(desired), reflect.Zero(spec(desired).Type()))
	slices.Sort(c.managed)
	return c.managed
}

func spec(obj v1alpha1.Object) reflect.Value {
	return reflect.ValueOf(obj).Elem().FieldByName("Spec")
}

type comparison struct {
	fields  Fields
	want    reflect.Value // the spec that is being built; invalid if only the managed paths are needed
	changes Changes
	managed []string
	// absentIsDefault says that a field that live lacks has its default; false if there is no live resource at all.
	absentIsDefault bool
}

// walk compares a struct, leaf by leaf. live is the zero Value where live has no such struct.
func (c *comparison) walk(path string, desired, live reflect.Value) {
	for i := range desired.NumField() {
		name, inline := fieldName(desired.Type().Field(i))
		child := desired.Field(i)
		var liveChild reflect.Value
		if live.IsValid() && isSet(live.Field(i)) {
			liveChild = live.Field(i)
		}
		switch {
		case child.Type() == reflect.TypeFor[v1alpha1.CommonSpec]():
		case inline:
			c.walk(path, child, liveChild)
		default:
			c.field(path+"."+name, child, liveChild)
		}
	}
}

func (c *comparison) field(path string, desired, live reflect.Value) {
	if !isSet(desired) || c.fields.of(path).Apart {
		return
	}
	desired, live = follow(desired), follow(live)
	switch {
	case desired.Kind() == reflect.Map:
		for _, key := range desired.MapKeys() {
			c.leaf(path+"["+key.String()+"]", desired.MapIndex(key), mapIndex(live, key))
		}
	case desired.Kind() == reflect.Struct && !c.fields.of(path).Atomic && !desired.IsZero():
		c.walk(path, desired, live)
	default:
		c.leaf(path, desired, live)
	}
}

// leaf compares what is owned as a whole: a scalar, a list, an atomic struct, a map's entry, an explicit {}.
func (c *comparison) leaf(path string, desired, live reflect.Value) {
	c.managed = append(c.managed, path)
	if c.want.IsValid() && !c.equal(path, desired, live) {
		c.change(path, desired, live)
	}
}

func (c *comparison) equal(path string, desired, live reflect.Value) bool {
	if isBlank(desired) {
		return !live.IsValid() || isBlank(live)
	}
	if !live.IsValid() {
		return c.absentIsDefault && text(desired) == c.fields.of(path).Default
	}
	if eq := c.fields.of(path).Equal; eq != nil {
		return eq(desired.Interface(), live.Interface())
	}
	return text(desired) == text(live)
}

func (c *comparison) change(path string, to, from reflect.Value) {
	c.changes = append(c.changes, Change{Path: path, From: text(from), To: text(to)})
	assign(c.want, steps(path), to)
}

// reset resets fields that were applied and have left the manifest to Google's default.
func (c *comparison) reset(applied []string, live reflect.Value) {
	for _, path := range applied {
		if c.covers(path) {
			continue
		}
		target, ok := lookupType(live.Type(), steps(path))
		if !ok {
			continue // a field of another version of the kind
		}
		from := follow(lookup(live, steps(path)))
		to := parse(path, c.fields.of(path).Default, target)
		if !from.IsValid() || isBlank(to) && isBlank(from) || text(to) == text(from) {
			continue
		}
		c.change(path, to, from)
	}
}

// covers says whether the manifest still manages the path, something above it or something below it.
func (c *comparison) covers(path string) bool {
	return slices.ContainsFunc(c.managed, func(m string) bool { return under(path, m) || under(m, path) })
}

// parse reads a default. It returns the zero Value for absent.
func parse(path, text string, t reflect.Type) reflect.Value {
	if text == "" {
		return reflect.Value{}
	}
	v := reflect.New(t)
	if err := json.Unmarshal([]byte(text), v.Interface()); err != nil {
		panic(fmt.Sprintf("default of %s is not of its type: %v", path, err))
	}
	return follow(v.Elem())
}

// text writes a value as compact JSON; empty for absent.
func text(v reflect.Value) string {
	if !v.IsValid() {
		return ""
	}
	b, err := json.Marshal(v.Interface())
	if err != nil {
		panic(fmt.Sprintf("a spec is always JSON: %v", err))
	}
	return string(b)
}

// Lookup returns the value at a path of an object's spec as compact JSON; empty when there is none.
func Lookup(obj v1alpha1.Object, path string) string {
	return text(follow(lookup(spec(obj), steps(path))))
}
