package storage

import "strings"

// selection is what a partial response keeps: field names, each with the
// selection inside it; an empty selection keeps everything.
type selection map[string]selection

// selectFields applies the fields parameter, such as
// "items(name,labels),nextPageToken" or "items/name", to an answer. Without
// one the answer is returned whole.
func selectFields(doc document, fields string) document {
	if fields == "" {
		return doc
	}
	wanted, _ := parseSelection(fields)
	return wanted.apply(doc).(document)
}

// parseSelection reads a list of fields up to its end or the bracket that
// closes it, and returns what comes after.
func parseSelection(fields string) (selection, string) {
	parsed := selection{}
	for fields != "" {
		end := strings.IndexAny(fields, ",/()")
		if end < 0 {
			parsed.add(fields, nil)
			return parsed, ""
		}
		name, separator := strings.TrimSpace(fields[:end]), fields[end]
		fields = fields[end+1:]
		switch separator {
		case ')':
			parsed.add(name, nil)
			return parsed, fields
		case ',':
			parsed.add(name, nil)
		case '(':
			var inner selection
			inner, fields = parseSelection(fields)
			parsed.add(name, inner)
		case '/':
			var inner selection
			inner, fields = parsePath(fields)
			parsed.add(name, inner)
		}
	}
	return parsed, ""
}

// parsePath reads what follows a slash: one field, with what is inside it.
func parsePath(fields string) (selection, string) {
	end := strings.IndexAny(fields, ",/()")
	parsed := selection{}
	switch {
	case end < 0:
		parsed.add(fields, nil)
		return parsed, ""
	case fields[end] == '/':
		inner, rest := parsePath(fields[end+1:])
		parsed.add(fields[:end], inner)
		return parsed, rest
	case fields[end] == '(':
		inner, rest := parseSelection(fields[end+1:])
		parsed.add(fields[:end], inner)
		return parsed, rest
	default:
		parsed.add(fields[:end], nil)
		return parsed, fields[end:]
	}
}

func (s selection) add(name string, inner selection) {
	if name == "" {
		return
	}
	if s[name] == nil {
		s[name] = selection{}
	}
	for key, value := range inner {
		s[name].add(key, value)
	}
}

func (s selection) apply(value any) any {
	if len(s) == 0 || s["*"] != nil {
		return value
	}
	switch v := value.(type) {
	case document:
		kept := document{}
		for name, inner := range s {
			if field, ok := v[name]; ok {
				kept[name] = inner.apply(field)
			}
		}
		return kept
	case []any:
		kept := make([]any, len(v))
		for i := range v {
			kept[i] = s.apply(v[i])
		}
		return kept
	default:
		return value
	}
}
