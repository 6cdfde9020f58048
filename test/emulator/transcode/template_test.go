package transcode

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTemplateMatch(t *testing.T) {
	cases := map[string]struct {
		template, path string
		want           map[string]string // nil: no match
	}{
		"literal":                {"/v3/projects", "/v3/projects", map[string]string{}},
		"longer path":            {"/v3/projects", "/v3/projects/p", nil},
		"shorter path":           {"/v1/{name=projects/*/topics/*}", "/v1/projects/p/topics", nil},
		"name":                   {"/v1/{name=projects/*/topics/*}", "/v1/projects/p/topics/t", map[string]string{"name": "projects/p/topics/t"}},
		"nested field":           {"/v1/{topic.name=projects/*/topics/*}", "/v1/projects/p/topics/t", map[string]string{"topic.name": "projects/p/topics/t"}},
		"other collection":       {"/v1/{name=projects/*/topics/*}", "/v1/projects/p/schemas/s", nil},
		"empty segment":          {"/v1/{name=projects/*/topics/*}", "/v1/projects//topics/t", nil},
		"escapes":                {"/v1/{name=projects/*/topics/*}", "/v1/projects/p/topics/a%25b%2Fc", map[string]string{"name": "projects/p/topics/a%b/c"}},
		"bad escape":             {"/v1/{name=projects/*}", "/v1/projects/a%", nil},
		"verb":                   {"/v1/{topic=projects/*/topics/*}:publish", "/v1/projects/p/topics/t:publish", map[string]string{"topic": "projects/p/topics/t"}},
		"other verb":             {"/v1/{topic=projects/*/topics/*}:publish", "/v1/projects/p/topics/t:detach", nil},
		"verb missing":           {"/v1/{topic=projects/*/topics/*}:publish", "/v1/projects/p/topics/t", nil},
		"verb on a literal":      {"/v1/{parent=projects/*}/schemas:validate", "/v1/projects/p/schemas:validate", map[string]string{"parent": "projects/p"}},
		"tail":                   {"/v1/{parent=projects/*}/schemas", "/v1/projects/p/schemas", map[string]string{"parent": "projects/p"}},
		"two variables":          {"/v1/{a}/b/{c=d/*}", "/v1/x/b/d/y", map[string]string{"a": "x", "c": "d/y"}},
		"all that is left":       {"/v1/{name=operations/**}", "/v1/operations/a/b", map[string]string{"name": "operations/a/b"}},
		"nothing left":           {"/v1/{name=operations/**}", "/v1/operations", nil},
		"domain-scoped projects": {"/v1/{name=projects/*/topics/*}", "/v1/projects/a.com:p/topics/t", map[string]string{"name": "projects/a.com:p/topics/t"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			parsed, err := parseTemplate(tc.template)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := parsed.match(tc.path)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("variables (-want +got):\n%s", diff)
			}
			if ok != (tc.want != nil) {
				t.Errorf("match: %v", ok)
			}
		})
	}
}

func TestTemplatesThatCannotBeRead(t *testing.T) {
	for _, path := range []string{"v1/projects", "/v1/{name=projects/*", "/v1/a:verb/{b}"} {
		if _, err := parseTemplate(path); err == nil {
			t.Errorf("template %q was read", path)
		}
	}
}

func TestMuxPattern(t *testing.T) {
	for template, want := range map[string]string{
		"/v1/{name=projects/*/topics/*}:publish":   "/v1/projects/{w2}/topics/{w4}",
		"/v1/{parent=projects/*}/schemas:validate": "/v1/projects/{w2}/schemas:validate",
		"/v1/{name=operations/**}":                 "/v1/operations/{w2...}",
	} {
		parsed, err := parseTemplate(template)
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.muxPattern(); got != want {
			t.Errorf("pattern of %q is %q, want %q", template, got, want)
		}
	}
}

// FuzzTemplateMatch looks for paths that panic.
func FuzzTemplateMatch(f *testing.F) {
	f.Add("/v1/{name=projects/*/topics/*}:publish", "/v1/projects/p/topics/t:publish")
	f.Add("/v1/{name=operations/**}", "/v1/operations/a/b")
	f.Fuzz(func(_ *testing.T, template, path string) {
		if parsed, err := parseTemplate(template); err == nil {
			parsed.match(path)
			_ = parsed.muxPattern()
		}
	})
}
