package wire

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// Difference is one place where an answer is not what was recorded.
type Difference struct {
	// Path is where in the body, such as "/labels/a"; "status" and header
	// names stand for the rest of the answer.
	Path string
	// Recorded and Actual are the two values as JSON, "nothing" where there
	// is none.
	Recorded, Actual string
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: recorded %s, got %s", d.Path, d.Recorded, d.Actual)
}

// wildcards are the values that the recorder wrote in place of those that
// differ from one recording to the next, each with the form of the values
// that it stands for.
var wildcards = map[string]*regexp.Regexp{
	"2024-04-01T12:34:56.123456Z": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`),
	// Etags are base64; the recorder cut the padding off some.
	"abcdef0123A=": regexp.MustCompile(`^[A-Za-z0-9+/_-]+=*$`),
	"abcdef0123A":  regexp.MustCompile(`^[A-Za-z0-9+/_-]+=*$`),
	// A generation; the length depends on the time.
	"12345678901234": regexp.MustCompile(`^\d{13,}$`),
	// The ID of a bucket, which is its name.
	"000000000000000000000": regexp.MustCompile(`^[a-z0-9][a-z0-9._-]+$`),
	// The revision of a schema.
	"revision-id-placeholder": regexp.MustCompile(`^[0-9a-f]{8}$`),
}

const nothing = "nothing"

// Compare lists where a JSON body is not what was recorded. Two bodies that
// are not JSON are compared as they are.
func Compare(recorded, actual string) []Difference {
	var want, got any
	wantErr := json.Unmarshal([]byte(recorded), &want)
	gotErr := json.Unmarshal([]byte(actual), &got)
	if wantErr != nil || gotErr != nil {
		if recorded == actual {
			return nil
		}
		return []Difference{{"body", orNothing(recorded), orNothing(actual)}}
	}
	return compareValues("", want, got)
}

func orNothing(body string) string {
	if body == "" {
		return nothing
	}
	return body
}

func compareValues(path string, want, got any) []Difference {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return compareObjects(path, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok {
			return compareLists(path, w, g)
		}
	case string:
		g, ok := got.(string)
		if pattern := wildcards[w]; ok && pattern != nil && pattern.MatchString(g) {
			return nil
		}
		if ok && g == w {
			return nil
		}
	default:
		if want == got {
			return nil
		}
	}
	return []Difference{{path, show(want), show(got)}}
}

func compareObjects(path string, want, got map[string]any) []Difference {
	var differences []Difference
	keys := maps.Clone(want)
	maps.Copy(keys, got)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		w, recorded := want[key]
		g, answered := got[key]
		at := path + "/" + key
		switch {
		case !recorded:
			differences = append(differences, Difference{at, nothing, show(g)})
		case !answered:
			differences = append(differences, Difference{at, show(w), nothing})
		default:
			differences = append(differences, compareValues(at, w, g)...)
		}
	}
	return differences
}

func compareLists(path string, want, got []any) []Difference {
	var differences []Difference
	for i := range max(len(want), len(got)) {
		at := path + "/" + strconv.Itoa(i)
		switch {
		case i >= len(want):
			differences = append(differences, Difference{at, nothing, show(got[i])})
		case i >= len(got):
			differences = append(differences, Difference{at, show(want[i]), nothing})
		default:
			differences = append(differences, compareValues(at, want[i], got[i])...)
		}
	}
	return differences
}

func show(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(encoded)
}
