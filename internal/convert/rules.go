package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// rule says what becomes of a field of a source.
type rule struct {
	// from is the field, by its path with dots. A list on the way has one item: that is how Terraform writes a block.
	from string
	// to is the field of the spec; empty for a field that has no equivalent, or needs none.
	to string
	// value converts the value; nil to leave it as it is. A value of nil sets nothing.
	value func(any) (any, error)
	// items convert the items of a list of blocks.
	items []rule
	// why says why the field has no equivalent; empty, with to, for a field that need not be told: one that Google puts out, or that says
	// which resource it is.
	why string
}

// source are the fields of an object of the source. What is taken is gone; what is left in the end is told.
type source struct {
	fields map[string]any
	// unset says whether a value says nothing, as all of Terraform's attributes do that nobody has set.
	unset func(any) bool
	// silent says of a value that nobody took whether it need not be told, beside those that are unset.
	silent func(any) bool
	// hidden are fields whose values must not be shown.
	hidden map[string]bool
	// tell tells of a field.
	tell func(field, message string)
}

// below are the fields of a part of the source.
func (s source) below(part any) source {
	s.fields = asMap(part)
	return s
}

// take takes a field away.
func (s source) take(path string) any {
	return s.taken(takeFrom(s.fields, strings.Split(path, ".")))
}

func (s source) taken(value any) any {
	if s.unset(value) {
		return nil
	}
	return value
}

// text is a field that is a text.
func (s source) text(path string) string {
	text, _ := s.take(path).(string)
	return text
}

func takeFrom(fields map[string]any, path []string) any {
	value, ok := fields[path[0]]
	if !ok {
		return nil
	}
	if len(path) == 1 {
		delete(fields, path[0])
		return value
	}
	if list, is := value.([]any); is && len(list) == 1 {
		value = list[0]
	}
	below, is := value.(map[string]any)
	if !is {
		return nil
	}
	taken := takeFrom(below, path[1:])
	if len(below) == 0 {
		delete(fields, path[0])
	}
	return taken
}

// apply moves fields into a spec, by rules.
func (s source) apply(rules []rule, spec map[string]any, at string) {
	for _, r := range rules {
		value := s.take(r.from)
		switch {
		case value == nil:
		case r.items != nil:
			s.applyItems(r, value, spec, at)
		case r.to == "" && r.why != "":
			s.tell(at+r.from, r.why)
		case r.to != "":
			s.put(r, value, spec, at)
		}
	}
}

func (s source) put(r rule, value any, spec map[string]any, at string) {
	if r.value != nil {
		converted, err := r.value(value)
		if err != nil {
			s.tell(at+r.from, err.Error())
			return
		}
		value = converted
	}
	if value == nil {
		return
	}
	if err := unstructured.SetNestedField(spec, plain(value), strings.Split(r.to, ".")...); err != nil {
		s.tell(at+r.from, err.Error())
	}
}

// applyItems moves a list of blocks.
func (s source) applyItems(r rule, value any, spec map[string]any, at string) {
	list, ok := value.([]any)
	if !ok {
		s.tell(at+r.from, "is no list")
		return
	}
	var items []any
	for i, item := range list {
		fields, ok := item.(map[string]any)
		if !ok {
			s.tell(fmt.Sprintf("%s%s[%d]", at, r.from, i), "is no block")
			continue
		}
		below := s.below(fields)
		into := map[string]any{}
		where := fmt.Sprintf("%s%s[%d].", at, r.from, i)
		below.apply(r.items, into, where)
		below.rest(where)
		items = append(items, into)
	}
	if err := unstructured.SetNestedField(spec, plain(items), strings.Split(r.to, ".")...); err != nil {
		s.tell(at+r.from, err.Error())
	}
}

// unknown is said of a field that no rule is about.
const unknown = "there is no field for it"

// rest tells of all that nobody took.
func (s source) rest(at string) {
	for _, name := range slices.Sorted(maps.Keys(s.fields)) {
		s.restOf(strings.TrimPrefix(strings.TrimSuffix(at, ".")+"."+name, "."), s.fields[name])
	}
}

func (s source) restOf(at string, value any) {
	fields, _ := value.(map[string]any)
	items, _ := value.([]any)
	switch {
	case len(fields) > 0:
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			s.restOf(at+"."+name, fields[name])
		}
	case len(items) > 0:
		for i, item := range items {
			s.restOf(fmt.Sprintf("%s[%d]", at, i), item)
		}
	case !s.unset(value) && !s.silent(value):
		message := unknown
		if name, _, _ := strings.Cut(at, "."); !s.hidden[strings.Split(name, "[")[0]] {
			message += ": " + short(value)
		}
		s.tell(at, message)
	}
}

// mostShown is how much of a value is told, in bytes.
const mostShown = 80

func short(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	if len(encoded) > mostShown {
		return strings.ToValidUTF8(string(encoded[:mostShown]), "") + "…"
	}
	return string(encoded)
}

// plain is a value as JSON has it.
func plain(value any) any {
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	var out any
	if json.Unmarshal(encoded, &out) != nil {
		return nil
	}
	return out
}

// decode reads a spec into an empty manifest.
func decode(spec map[string]any, obj v1alpha1.Object) error {
	encoded, err := json.Marshal(map[string]any{"spec": spec})
	if err != nil {
		return err
	}
	return json.Unmarshal(encoded, obj)
}

// whole converts a whole number, which may be written as a text.
func whole(value any) (any, error) {
	switch v := value.(type) {
	case float64:
		return int64(v), nil
	case int64:
		return v, nil
	case json.Number:
		return v.Int64()
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", v)
		}
		return n, nil
	}
	return nil, fmt.Errorf("%v is no whole number", value)
}

// seconds converts a duration such as 86400s.
func seconds(value any) (any, error) {
	text, _ := value.(string)
	d, err := time.ParseDuration(text)
	if err != nil || d%time.Second != 0 {
		return nil, fmt.Errorf("%v is no duration in whole seconds", value)
	}
	return int64(d / time.Second), nil
}

// ifTrue sets a value where the source has true, and nothing where it has false.
func ifTrue(set any) func(any) (any, error) {
	return func(value any) (any, error) {
		if value == true {
			return set, nil
		}
		return nil, nil
	}
}

// block is an empty struct where the source has an empty block.
func block(any) (any, error) { return map[string]any{}, nil }
