package storage

import (
	"bytes"
	"encoding/json"
	"maps"
)

// document is a JSON object, numbers being json.Number. Stored documents are
// never changed in place: whoever changes one clones it first.
type document = map[string]any

// decode reads a JSON object. An empty body is an empty object.
func decode(body []byte) (document, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return document{}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var doc document
	if err := decoder.Decode(&doc); err != nil || doc == nil {
		return nil, failf(400, "parseError", "Parse Error")
	}
	return doc, nil
}

// merge applies a JSON merge patch (RFC 7396): objects merge field by field,
// null removes, anything else replaces. Neither argument is changed.
func merge(target, patch document) document {
	merged := maps.Clone(target)
	if merged == nil {
		merged = document{}
	}
	for key, value := range patch {
		if value == nil {
			delete(merged, key)
			continue
		}
		if inner, ok := value.(document); ok {
			old, _ := merged[key].(document)
			merged[key] = merge(old, inner)
			continue
		}
		merged[key] = value
	}
	return merged
}

// clone copies a document with everything in it.
func clone(doc document) document {
	copied := make(document, len(doc))
	for key, value := range doc {
		copied[key] = cloneValue(value)
	}
	return copied
}

func cloneValue(value any) any {
	switch v := value.(type) {
	case document:
		return clone(v)
	case []any:
		copied := make([]any, len(v))
		for i := range v {
			copied[i] = cloneValue(v[i])
		}
		return copied
	default:
		return value
	}
}

// lookup follows a path of keys; it returns nil where there is nothing.
func lookup(doc document, path ...string) any {
	var value any = doc
	for _, key := range path {
		inner, ok := value.(document)
		if !ok {
			return nil
		}
		value = inner[key]
	}
	return value
}

// text returns the string at a path, or "".
func text(doc document, path ...string) string {
	s, _ := lookup(doc, path...).(string)
	return s
}

// flag returns the boolean at a path, or false.
func flag(doc document, path ...string) bool {
	b, _ := lookup(doc, path...).(bool)
	return b
}

// object returns the object at a path, or nil.
func object(doc document, path ...string) document {
	o, _ := lookup(doc, path...).(document)
	return o
}

// list returns the array at a path, or nil.
func list(doc document, path ...string) []any {
	l, _ := lookup(doc, path...).([]any)
	return l
}

// texts returns the array of strings at a path.
func texts(doc document, path ...string) []string {
	var all []string
	for _, item := range list(doc, path...) {
		if s, ok := item.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// integer returns the whole number at a path, written as a number or as a
// string, and whether there is one.
func integer(doc document, path ...string) (int64, bool) {
	switch v := lookup(doc, path...).(type) {
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case string:
		n, err := json.Number(v).Int64()
		return n, err == nil
	}
	return 0, false
}

// same reports whether two values are equal as JSON.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
