package manifests

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// document is one document of a file.
type document struct {
	// number counts from 1, and line is where it begins, from 1.
	number, line int
	// value is what it says; nil where that could not be read.
	value any
	// itemLines are where the items of a list begin; empty where that is not known.
	itemLines []int
	// faults are what is wrong with it as a text, whatever it is about.
	faults []fault
}

// fault is something that is wrong in a line of a file.
type fault struct {
	line    int
	field   string
	message string
}

// documents reads the documents of a file, in YAML or JSON: a file that begins with a brace is JSON, of which there may be several values one
// after the other, unless it turns out to be YAML.
func documents(text []byte) []document {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		if docs, ok := jsonDocuments(text); ok {
			return docs
		}
	}
	var docs []document
	for _, part := range split(text) {
		docs = append(docs, yamlDocument(part))
	}
	return docs
}

// jsonDocuments reads JSON values; it is not ok if they are none.
func jsonDocuments(text []byte) (docs []document, ok bool) {
	values := json.NewDecoder(bytes.NewReader(text))
	for {
		var raw json.RawMessage
		err := values.Decode(&raw)
		switch {
		case errors.Is(err, io.EOF):
			return docs, true
		case err != nil:
			return nil, false
		}
		begins := int(values.InputOffset()) - len(raw)
		doc := document{number: len(docs) + 1, line: 1 + bytes.Count(text[:begins], []byte("\n"))}
		repeated, err := kjson.UnmarshalStrict(raw, &doc.value, kjson.DisallowDuplicateFields)
		if err != nil {
			return nil, false
		}
		for _, err := range repeated {
			found := fault{line: doc.line, message: err.Error()}
			var at kjson.FieldError
			if errors.As(err, &at) {
				found.field = at.FieldPath()
			}
			doc.faults = append(doc.faults, found)
		}
		docs = append(docs, doc)
	}
}

// part is the text of a document of a YAML file.
type part struct {
	number int
	// before counts the lines of the file before it.
	before int
	text   []byte
}

// split cuts a YAML file where kubectl does: at lines that begin with three dashes, after which there is at most a comment. A part that says
// nothing is left out and not counted.
func split(text []byte) []part {
	var parts []part
	current := part{number: 1}
	line := 0
	end := func() {
		if says(current.text) {
			parts = append(parts, current)
			current.number++
		}
		current.before, current.text = line, nil
	}
	for text := range bytes.Lines(text) {
		line++
		if separates(text) {
			end()
			continue
		}
		current.text = append(current.text, text...)
	}
	end()
	return parts
}

func separates(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	rest = bytes.TrimSpace(rest)
	return ok && (len(rest) == 0 || rest[0] == '#')
}

// says reports whether there is anything but comments and empty lines.
func says(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line := bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return true
		}
	}
	return false
}

// begins is the number of lines before the first that says something.
func begins(text []byte) int {
	n := 0
	for line := range bytes.Lines(text) {
		if says(line) {
			return n
		}
		n++
	}
	return n
}

func yamlDocument(p part) document {
	doc := document{number: p.number, line: p.before + begins(p.text) + 1}
	text, err := yaml.YAMLToJSONStrict(p.text)
	if err != nil {
		doc.faults = yamlFaults(err, p.before, doc.line)
		if text, err = yaml.YAMLToJSON(p.text); err != nil {
			return doc
		}
	}
	if err := utiljson.Unmarshal(text, &doc.value); err != nil {
		doc.faults, doc.value = append(doc.faults, fault{line: doc.line, message: err.Error()}), nil
		return doc
	}
	if isList(doc.value) {
		doc.itemLines = itemLines(p)
	}
	return doc
}

// inLine is how the YAML library says where something is.
var inLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)

// yamlFaults reads what the YAML library says, one line for each fault: that of a syntax error follows the library's name, and those of values
// follow a heading.
func yamlFaults(err error, before, begins int) []fault {
	var faults []fault
	for text := range strings.Lines(err.Error()) {
		text = strings.TrimSpace(text)
		switch at := inLine.FindStringSubmatch(text); {
		case at != nil:
			n, _ := strconv.Atoi(at[1])
			faults = append(faults, fault{line: before + n, message: at[2]})
		case text != "yaml: unmarshal errors:":
			faults = append(faults, fault{line: begins, message: strings.TrimPrefix(text, "yaml: ")})
		}
	}
	return faults
}

// itemLines are where the items of a list begin.
func itemLines(p part) []int {
	var root yamlnode.Node
	if err := yamlnode.Unmarshal(p.text, &root); err != nil || len(root.Content) == 0 {
		return nil
	}
	fields := root.Content[0].Content
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i].Value != "items" {
			continue
		}
		var lines []int
		for _, item := range fields[i+1].Content {
			lines = append(lines, p.before+item.Line)
		}
		return lines
	}
	return nil
}

// isList says whether a document is a list of others, as kubectl prints several objects.
func isList(value any) bool {
	fields, _ := value.(map[string]any)
	kind, _ := fields["kind"].(string)
	_, items := fields["items"].([]any)
	return items && strings.HasSuffix(kind, "List")
}

// items are those of a list.
func items(list any) []any { return list.(map[string]any)["items"].([]any) }
