package storage

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequesterPays(t *testing.T) {
	const missing = "Bucket is a requester pays bucket but no user project provided."
	none := refusal{Status: 200}
	for name, c := range map[string]struct {
		verb, path, body string
		header           []string
		want             refusal
	}{
		"reading":                     {"GET", "/b/paid", "", nil, refusal{400, "required", missing}},
		"changing":                    {"PATCH", "/b/paid", `{"billing": {"requesterPays": false}}`, nil, refusal{400, "required", missing}},
		"the policy":                  {"GET", "/b/paid/iam", "", nil, refusal{400, "required", missing}},
		"objects":                     {"GET", "/b/paid/o", "", nil, refusal{400, "required", missing}},
		"with a project":              {"GET", "/b/paid?userProject=" + testProject, "", nil, none},
		"with a project's header":     {"GET", "/b/paid", "", []string{"X-Goog-User-Project", testProject}, none},
		"turning it off":              {"PATCH", "/b/paid?userProject=" + testProject, `{"billing": {"requesterPays": false}}`, nil, none},
		"with a project that is none": {"GET", "/b/paid?userProject=No-Project", "", nil, invalid("User project specified in the request is invalid.")},
		"with somebody else's project": {
			"GET", "/b/paid?userProject=their-project", "", nil,
			refusal{403, "forbidden", "caller@emulator.iam.gserviceaccount.com does not have serviceusage.services.use access to the Google Cloud project. Permission 'serviceusage.services.use' denied on resource (or it may not exist)."},
		},
		"where the owner pays": {"GET", "/b/free", "", nil, none},
		"making another":       {"POST", "/b?project=" + testProject, `{"name": "more", "billing": {"requesterPays": true}}`, nil, none},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(o *Options) { o.EnforceRequesterPays = true })
			h.create(t, "paid", `"billing": {"requesterPays": true}`)
			h.create(t, "free", "")
			a := h.do(t, c.verb, c.path, c.body, c.header...)
			if diff := cmp.Diff(c.want, refusal{a.status, a.reason(), a.message()}); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if err := h.EditBucket("paid", map[string]any{"labels": map[string]any{"by": "console"}}); err != nil {
				t.Errorf("the console needs no payer: %v", err)
			}
		})
	}
}
