package storage

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// normalize brings a document into the form of a resource, as the types of
// the API's own client describe it: fields that the resource does not have
// are dropped, integers are written the way the API writes them (64-bit ones
// as strings), and nulls are kept. A value of another type is refused.
func normalize(doc document, resource reflect.Type) (document, error) {
	value, err := normalizeValue(doc, resource, false)
	if err != nil {
		return nil, err
	}
	return value.(document), nil
}

func normalizeValue(value any, t reflect.Type, quoted bool) (any, error) {
	if value == nil {
		return nil, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return normalizeValue(value, t.Elem(), quoted)
	case reflect.Struct:
		return normalizeStruct(value, t)
	case reflect.Map:
		return normalizeMap(value, t.Elem())
	case reflect.Slice:
		return normalizeList(value, t.Elem())
	case reflect.Bool:
		return normalizeBool(value)
	case reflect.String:
		if s, ok := value.(string); ok {
			return s, nil
		}
		return nil, badValue("STRING", value)
	case reflect.Int64, reflect.Uint64:
		return normalizeInteger(value, quoted)
	default:
		return value, nil
	}
}

func normalizeStruct(value any, t reflect.Type) (any, error) {
	doc, ok := value.(document)
	if !ok {
		return nil, badValue("MESSAGE", value)
	}
	normalized := document{}
	for described := range t.Fields() {
		name, options, _ := strings.Cut(described.Tag.Get("json"), ",")
		inner, given := doc[name]
		if name == "" || name == "-" || !given {
			continue
		}
		quoted := strings.Contains(options, "string")
		field, err := normalizeValue(inner, described.Type, quoted)
		if err != nil {
			return nil, err
		}
		normalized[name] = field
	}
	return normalized, nil
}

func normalizeMap(value any, elem reflect.Type) (any, error) {
	doc, ok := value.(document)
	if !ok {
		return nil, badValue("MESSAGE", value)
	}
	normalized := document{}
	for key, inner := range doc {
		item, err := normalizeValue(inner, elem, false)
		if err != nil {
			return nil, err
		}
		normalized[key] = item
	}
	return normalized, nil
}

func normalizeList(value any, elem reflect.Type) (any, error) {
	items, ok := value.([]any)
	if !ok {
		return nil, badValue("repeated", value)
	}
	normalized := make([]any, 0, len(items))
	for _, inner := range items {
		if inner == nil {
			return nil, badValue("MESSAGE", nil)
		}
		item, err := normalizeValue(inner, elem, false)
		if err != nil {
			return nil, err
		}
		normalized = append(normalized, item)
	}
	return normalized, nil
}

// normalizeBool takes "true" and "false" too, as the JSON API does.
func normalizeBool(value any) (any, error) {
	switch v := value.(type) {
	case bool:
		return v, nil
	case string:
		if b, err := strconv.ParseBool(v); err == nil {
			return b, nil
		}
	}
	return nil, badValue("BOOL", value)
}

// normalizeInteger takes numbers and strings alike, as the JSON API does.
func normalizeInteger(value any, quoted bool) (any, error) {
	var digits string
	switch v := value.(type) {
	case json.Number:
		digits = v.String()
	case string:
		digits = v
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil && quoted:
		return nil, badValue("INT64", value)
	case err != nil:
		return nil, badValue("INT32", value)
	case quoted:
		return strconv.FormatInt(n, 10), nil
	default:
		return json.Number(strconv.FormatInt(n, 10)), nil
	}
}

func badValue(kind string, value any) error {
	sent, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return failf(400, "parseError", "Parse Error: Invalid value for TYPE_%s field: '%s'.", kind, sent)
}
