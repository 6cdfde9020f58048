package transcode

import (
	"fmt"
	"net/url"
	"strings"
)

// template is a parsed path template of a google.api.http rule, such as
// "/v1/{name=projects/*/topics/*}:publish".
type template struct {
	segments  []string
	variables []variable
	verb      string
}

// variable binds segments from..to (exclusive) to a field of the request.
type variable struct {
	field    string
	from, to int
}

// The wildcards of a template: one segment, or all that are left.
const (
	one  = "*"
	rest = "**"
)

func parseTemplate(path string) (*template, error) {
	t := &template{}
	remaining, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil, fmt.Errorf("path template %q does not begin with a slash", path)
	}
	for remaining != "" {
		literal, after, variable := strings.Cut(remaining, "{")
		if err := t.addLiteral(literal); err != nil {
			return nil, fmt.Errorf("path template %q: %w", path, err)
		}
		if !variable {
			break
		}
		inner, tail, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("path template %q: a variable is not closed", path)
		}
		t.addVariable(inner)
		remaining = tail
	}
	return t, nil
}

// addLiteral adds what stands outside of variables; a colon begins the verb.
func (t *template) addLiteral(literal string) error {
	literal, t.verb, _ = strings.Cut(literal, ":")
	if strings.Contains(t.verb, "/") {
		return fmt.Errorf("verb %q is not at the end", t.verb)
	}
	for segment := range strings.SplitSeq(literal, "/") {
		if segment != "" {
			t.segments = append(t.segments, segment)
		}
	}
	return nil
}

func (t *template) addVariable(inner string) {
	field, pattern, explicit := strings.Cut(inner, "=")
	if !explicit {
		pattern = one
	}
	from := len(t.segments)
	t.segments = append(t.segments, strings.Split(pattern, "/")...)
	t.variables = append(t.variables, variable{field: field, from: from, to: len(t.segments)})
}

// match returns the values of the variables if an escaped path fits.
func (t *template) match(escapedPath string) (map[string]string, bool) {
	segments := strings.Split(strings.TrimPrefix(escapedPath, "/"), "/")
	if t.verb != "" {
		last := len(segments) - 1
		trimmed, ok := strings.CutSuffix(segments[last], ":"+t.verb)
		if !ok {
			return nil, false
		}
		segments[last] = trimmed
	}
	ends, ok := t.align(segments)
	if !ok {
		return nil, false
	}
	values := map[string]string{}
	for _, v := range t.variables {
		value, err := url.PathUnescape(strings.Join(segments[v.from:ends[v.to]], "/"))
		if err != nil {
			return nil, false
		}
		values[v.field] = value
	}
	return values, true
}

// align compares segments with the template and returns where each of the
// template's positions is in the path; they differ only after a "**", which
// Google allows at the end alone.
func (t *template) align(segments []string) (positions []int, ok bool) {
	if len(segments) < len(t.segments) {
		return nil, false
	}
	positions = make([]int, len(t.segments)+1)
	for i, want := range t.segments {
		positions[i+1] = i + 1
		switch {
		case want == rest:
			positions[i+1] = len(segments)
		case want == one && segments[i] != "":
		case want != segments[i]:
			return nil, false
		}
	}
	return positions, positions[len(t.segments)] == len(segments)
}

// muxPattern returns the pattern of http.ServeMux that covers the template.
func (t *template) muxPattern() string {
	var pattern strings.Builder
	for i, segment := range t.segments {
		pattern.WriteByte('/')
		switch {
		case segment == rest:
			fmt.Fprintf(&pattern, "{w%d...}", i)
		case segment == one:
			fmt.Fprintf(&pattern, "{w%d}", i)
		case t.verb != "" && i == len(t.segments)-1:
			pattern.WriteString(segment + ":" + t.verb)
		default:
			pattern.WriteString(segment)
		}
	}
	return pattern.String()
}
