package planserver

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

func TestDecode(t *testing.T) {
	const good = `{"manifests": [{"kind": "Bucket"}]}`
	cases := map[string]struct {
		body, kind, encoding string
		code                 int // 0 for none
	}{
		"good":                        {good, "application/json", "", 0},
		"with a charset":              {good, "application/json; charset=utf-8", "", 0},
		"YAML":                        {"manifests: [{kind: Bucket}]", "application/yaml", "", 415},
		"YAML that claims to be JSON": {"manifests: &a [*a, *a]", "application/json", "", 400},
		"an alias bomb":               {"a: &a [x, x]\nb: &b [*a, *a]\nmanifests: [*b, *b]", "application/json", "", 400},
		"nothing said of it":          {good, "", "", 415},
		"compressed":                  {good, "application/json", "gzip", 415},
		"empty":                       {"", "application/json", "", 400},
		"no manifests":                {`{"manifests": []}`, "application/json", "", 400},
		"a field too many":            {`{"manifests": [{}], "namespaces": [{}]}`, "application/json", "", 400},
		"two requests":                {good + good, "application/json", "", 400},
		"too deep":                    {`{"manifests": [` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `]}`, "application/json", "", 400},
		"too deep, not closed":        {`{"manifests": [` + strings.Repeat(`{"a":`, 100_000), "application/json", "", 400},
		"too many":                    {`{"manifests": [` + strings.Repeat("{},", protocol.MostManifests) + `{}]}`, "application/json", "", 413},
		"against others":              {`{"manifests": [], "against": [{"kind": "Bucket"}]}`, "application/json", "", 0},
		"against nothing":             {`{"manifests": [], "against": []}`, "application/json", "", 400},
		"too many before":             {`{"manifests": [{}], "against": [` + strings.Repeat("{},", protocol.MostManifests) + `{}]}`, "application/json", "", 413},
		"too large before":            {`{"manifests": [], "against": ["` + strings.Repeat("x", protocol.MostBytes) + `"]}`, "application/json", "", 413},
		"too large":                   {`{"manifests": ["` + strings.Repeat("x", protocol.MostBytes) + `"]}`, "application/json", "", 413},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, protocol.Path, strings.NewReader(tc.body))
			r.Header.Set("Content-Type", tc.kind)
			r.Header.Set("Content-Encoding", tc.encoding)
			_, err := decode(httptest.NewRecorder(), r)
			var refused *refusal
			switch {
			case tc.code == 0 && err != nil:
				t.Error(err)
			case tc.code != 0 && (!errors.As(err, &refused) || refused.code != tc.code):
				t.Errorf("got %v, want the code %d", err, tc.code)
			}
			if len(tc.body) > 1000 && err != nil && len(err.Error()) > 1000 {
				t.Errorf("the answer has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestDepth(t *testing.T) {
	for text, want := range map[string]int{
		``: 0, `1`: 0, `[]`: 1, `[[],[]]`: 2, `{"a": {"b": [1]}}`: 3, `"[[["`: 0, `["\"[[", {}]`: 2, `["\\", [[]]]`: 3,
	} {
		if got := depth([]byte(text)); got != want {
			t.Errorf("%s is %d deep, want %d", text, got, want)
		}
	}
}
