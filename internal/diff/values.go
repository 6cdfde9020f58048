package diff

import (
	"reflect"
	"strings"
)

// fieldName returns a struct field's name in JSON, and whether its fields are written in place of it.
func fieldName(f reflect.StructField) (name string, inline bool) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name, name == "" && (f.Anonymous || strings.Contains(options, "inline"))
}

// isSet says whether a manifest manages the field. A list or map is set if it is present, even empty.
func isSet(v reflect.Value) bool {
	return v.IsValid() && !v.IsZero()
}

// isBlank says whether a value is absent or empty at every level: an empty struct, list or map, or a struct of such.
func isBlank(v reflect.Value) bool {
	v = follow(v)
	if !v.IsValid() {
		return true
	}
	switch v.Kind() {
	case reflect.Map, reflect.Slice:
		return v.Len() == 0
	case reflect.Struct:
		for _, f := range v.Fields() {
			if isSet(f) && !isBlank(f) {
				return false
			}
		}
		return true
	default: // a map's value may be the empty string
		return false
	}
}

// follow follows pointers; a nil pointer is the zero Value.
func follow(v reflect.Value) reflect.Value {
	for v.IsValid() && v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

func mapIndex(m, key reflect.Value) reflect.Value {
	if !m.IsValid() || m.IsNil() {
		return reflect.Value{}
	}
	return m.MapIndex(key)
}

// steps splits a path below spec: spec.labels[a.b] is labels, [a.b].
func steps(path string) []string {
	path = strings.TrimPrefix(path, "spec.")
	path, key, keyed := strings.Cut(path, "[")
	out := strings.Split(path, ".")
	if keyed {
		out = append(out, "["+strings.TrimSuffix(key, "]"))
	}
	return out
}

// child finds a field by its JSON name, also one that is inline.
func child(t reflect.Type, name string) ([]int, bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		fname, inline := fieldName(f)
		if fname == name && !inline {
			return []int{i}, true
		}
		if inline {
			if below, ok := child(f.Type, name); ok {
				return append([]int{i}, below...), true
			}
		}
	}
	return nil, false
}

// lookup returns the value at a path, or the zero Value.
func lookup(v reflect.Value, path []string) reflect.Value {
	for _, step := range path {
		v = follow(v)
		if !v.IsValid() {
			return v
		}
		if key, ok := strings.CutPrefix(step, "["); ok {
			return mapIndex(v, reflect.ValueOf(key).Convert(v.Type().Key()))
		}
		index, ok := child(v.Type(), step)
		if !ok {
			return reflect.Value{}
		}
		v = v.FieldByIndex(index)
	}
	if !isSet(v) {
		return reflect.Value{}
	}
	return v
}

// lookupType returns the type of the value at a path, pointers followed.
func lookupType(t reflect.Type, path []string) (reflect.Type, bool) {
	for _, step := range path {
		switch {
		case strings.HasPrefix(step, "[") && t.Kind() == reflect.Map:
			t = t.Elem()
		case t.Kind() == reflect.Struct:
			index, ok := child(t, step)
			if !ok {
				return nil, false
			}
			t = t.FieldByIndex(index).Type
		default:
			return nil, false
		}
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	return t, true
}

// assign puts a value (the zero Value: nothing) at a path, allocating the structs and maps on the way. Structs on the way are
// copies already: v is addressable and shares nothing.
func assign(v reflect.Value, path []string, to reflect.Value) {
	for _, step := range path {
		v = allocate(v)
		if key, ok := strings.CutPrefix(step, "["); ok {
			if v.IsNil() {
				v.Set(reflect.MakeMap(v.Type()))
			}
			v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), to) // the zero Value deletes
			return
		}
		index, ok := child(v.Type(), step)
		if !ok {
			return
		}
		v = v.FieldByIndex(index)
	}
	if !to.IsValid() {
		v.SetZero()
		return
	}
	allocate(v).Set(to)
}

// allocate follows pointers and allocates what nil ones should point to.
func allocate(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return v
}

// prune sets each pointer to an empty struct to nil, so that a kind needs to check for nil alone. An atomic struct stays as it is:
// in a union the presence of an empty member matters.
func (f Fields) prune(path string, v reflect.Value) {
	if v.Kind() != reflect.Struct || f.of(path).Atomic {
		return
	}
	for i := range v.NumField() {
		name, inline := fieldName(v.Type().Field(i))
		at := path + "." + name
		if inline {
			at = path
		}
		child := v.Field(i)
		if child.Kind() == reflect.Pointer && !child.IsNil() && child.Elem().Kind() == reflect.Struct {
			f.prune(at, child.Elem())
			if isBlank(child) {
				child.SetZero()
			}
		} else if child.Kind() == reflect.Struct {
			f.prune(at, child)
		}
	}
}
