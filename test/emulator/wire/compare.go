package wire

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
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

// recordedEtag is what the recorder wrote in place of all etags.
const recordedEtag = "abcdef0123A="

// wildcards are the values that the recorder wrote in place of those that
// differ from one recording to the next, each with the form of the values
// that it stands for.
var wildcards = map[string]*regexp.Regexp{
	"2024-04-01T12:34:56.123456Z": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`),
	// Etags are base64; the recorder cut the padding off some, and what is
	// around it in others.
	recordedEtag:  regexp.MustCompile(`^(W/"[0-9a-f]+"|[A-Za-z0-9+/_-]+=*)$`),
	"abcdef0123A": regexp.MustCompile(`^[A-Za-z0-9+/_-]+=*$`),
	// The numbers of a service account.
	"111111111111111111111": regexp.MustCompile(`^[1-9][0-9]{20}$`),
	"888888888888888888888": regexp.MustCompile(`^[1-9][0-9]{20}$`),
	// A generation; the length depends on the time.
	"12345678901234": regexp.MustCompile(`^\d{13,}$`),
	// The ID of a bucket, which is its name, and of an entry of its access list.
	"000000000000000000000": regexp.MustCompile(`^[a-z0-9][a-z0-9._-]+(/[A-Za-z0-9@._-]+)?$`),
	// The revision of a schema.
	"revision-id-placeholder": regexp.MustCompile(`^[0-9a-f]{8}$`),
}

const nothing = "nothing"

// errorDetails are what the recorder takes out of every error, since they may
// be confidential.
const errorDetails = "/error/details"

// projectNumber is a field with the number of a project, which Google chooses
// and the recorder leaves in where it does not know the project.
var projectNumber = map[string]*regexp.Regexp{
	"projectNumber": regexp.MustCompile(`^[1-9][0-9]+$`),
	"name":          regexp.MustCompile(`^projects/[1-9][0-9]+$`),
}

// placeholder is what the recorder wrote in place of a value that has a name.
var placeholder = regexp.MustCompile(`\$\{([A-Za-z]+)\}`)

// comparison is one of two bodies.
type comparison struct {
	// learned are the values that were found in the place of placeholders,
	// and the last etag.
	learned map[string]string
}

// Compare lists where a JSON body is not what was recorded. Two bodies that
// are not JSON are compared as they are. A placeholder in a string stands for
// any value, which is added to learned by its name.
func Compare(recorded, actual string, learned map[string]string) []Difference {
	var want, got any
	wantErr := json.Unmarshal([]byte(recorded), &want)
	gotErr := json.Unmarshal([]byte(actual), &got)
	if wantErr != nil || gotErr != nil {
		if recorded == actual {
			return nil
		}
		return []Difference{{"body", orNothing(recorded), orNothing(actual)}}
	}
	return comparison{learned}.values("", want, got)
}

func orNothing(body string) string {
	if body == "" {
		return nothing
	}
	return body
}

func (c comparison) values(path string, want, got any) []Difference {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return c.objects(path, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok {
			return c.lists(path, w, g)
		}
	case string:
		g, ok := got.(string)
		if pattern := wildcards[w]; ok && pattern != nil && pattern.MatchString(g) {
			if w == recordedEtag {
				c.learned[w] = g
			}
			return nil
		}
		number := projectNumber[path[strings.LastIndex(path, "/")+1:]]
		if ok && number != nil && number.MatchString(w) && number.MatchString(g) {
			return nil
		}
		if ok && c.text(w, g) {
			return nil
		}
	default:
		if want == got {
			return nil
		}
	}
	return []Difference{{path, show(want), show(got)}}
}

// text compares two strings, and learns what stands for placeholders.
func (c comparison) text(want, got string) bool {
	want = substitute(want, c.learned)
	names := placeholder.FindAllStringSubmatch(want, -1)
	if len(names) == 0 {
		return want == got
	}
	pattern := "^" + quotedPlaceholder.ReplaceAllString(regexp.QuoteMeta(want), "(.+)") + "$"
	values := regexp.MustCompile(pattern).FindStringSubmatch(got)
	if values == nil {
		return false
	}
	for i, name := range names {
		c.learned[name[1]] = values[i+1]
	}
	return true
}

// quotedPlaceholder is a placeholder in a quoted regular expression.
var quotedPlaceholder = regexp.MustCompile(`\\\$\\\{[A-Za-z]+\\\}`)

func (c comparison) objects(path string, want, got map[string]any) []Difference {
	var differences []Difference
	keys := maps.Clone(want)
	maps.Copy(keys, got)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		w, recorded := want[key]
		g, answered := got[key]
		at := path + "/" + key
		switch {
		case !recorded && at == errorDetails:
		case !recorded:
			differences = append(differences, Difference{at, nothing, show(g)})
		case !answered:
			differences = append(differences, Difference{at, show(w), nothing})
		default:
			differences = append(differences, c.values(at, w, g)...)
		}
	}
	return differences
}

func (c comparison) lists(path string, want, got []any) []Difference {
	var differences []Difference
	for i := range max(len(want), len(got)) {
		at := path + "/" + strconv.Itoa(i)
		switch {
		case i >= len(want):
			differences = append(differences, Difference{at, nothing, show(got[i])})
		case i >= len(got):
			differences = append(differences, Difference{at, show(want[i]), nothing})
		default:
			differences = append(differences, c.values(at, want[i], got[i])...)
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
