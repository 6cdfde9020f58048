package gcp

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"cloud.google.com/go/auth"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// unpaidBody is Google's answer to a call that names no project to bill.
var unpaidBody = storageBody(400, "required", "Bucket is requester pays bucket but no user project provided.")

// paidCloud is a Cloud Storage with one bucket, whose requesters pay or not.
type paidCloud struct {
	paid bool
	// refuse, if set, is its answer to calls that name a project to bill.
	refuse func() (code int, body string)
	// asked are the calls: the verb, the path, the project in the query, the one in the header, the body.
	asked []string
}

func (c *paidCloud) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	payer := req.URL.Query().Get("userProject")
	c.asked = append(c.asked, strings.Join([]string{
		req.Method, strings.TrimPrefix(req.URL.Path, "/storage/v1/"), payer, req.Header.Get("X-Goog-User-Project"), string(body),
	}, " "))
	recorder := httptest.NewRecorder()
	code, answer := c.answer(req.Method, payer, string(body))
	recorder.WriteHeader(code)
	_, _ = recorder.WriteString(answer)
	return recorder.Result(), nil
}

func (c *paidCloud) answer(verb, payer, body string) (code int, answer string) {
	switch {
	case c.paid && payer == "":
		return 400, unpaidBody
	case c.refuse != nil && payer != "":
		return c.refuse()
	case verb == http.MethodDelete:
		return 204, ""
	case strings.Contains(body, "requesterPays"):
		c.paid = strings.Contains(body, "true")
	}
	if c.paid {
		return 200, `{"name":"logs","billing":{"requesterPays":true}}`
	}
	return 200, `{"name":"logs","billing":{"requesterPays":false}}`
}

// do makes a call about the bucket.
func do(ctx context.Context, clients *Clients, verb, path, body string) error {
	service, err := clients.StorageService(ctx, "")
	if err != nil {
		return err
	}
	if verb == http.MethodDelete {
		return service.Buckets.Delete("logs").Context(ctx).Do()
	}
	var sent any
	if body != "" {
		sent = map[string]any{"billing": map[string]any{"requesterPays": body == "true"}}
	}
	return service.Call(ctx, verb, path, url.Values{}, sent, new(any))
}

func TestPayer(t *testing.T) {
	type step struct {
		verb, body string
		// before changes the cloud before the call.
		before func(*paidCloud)
		// asked are the calls that it takes.
		asked []string
	}
	const off, on = `{"billing":{"requesterPays":false}}`, `{"billing":{"requesterPays":true}}`
	paid := func(on bool) func(*paidCloud) { return func(c *paidCloud) { c.paid = on } }
	get, billed := "GET b/logs   ", "GET b/logs p  "
	for name, steps := range map[string][]step{
		"the owner pays": {{verb: "GET", asked: []string{get}}, {verb: "GET", asked: []string{get}}},
		"requesters pay: asked once without, then always with": {
			{verb: "GET", before: paid(true), asked: []string{get, billed}}, {verb: "GET", asked: []string{billed}},
		},
		"a write is repeated whole": {
			{verb: "PATCH", body: "true", before: paid(true), asked: []string{"PATCH b/logs   " + on, "PATCH b/logs p  " + on}},
			{verb: "DELETE", asked: []string{"DELETE b/logs p  "}},
		},
		"switched on by a write": {
			{verb: "PATCH", body: "true", asked: []string{"PATCH b/logs   " + on}}, {verb: "GET", asked: []string{get, billed}},
		},
		"switched off by a write": {
			{verb: "GET", before: paid(true), asked: []string{get, billed}},
			{verb: "PATCH", body: "false", asked: []string{"PATCH b/logs p  " + off}}, {verb: "GET", asked: []string{get}},
		},
		"switched off by somebody else": {
			{verb: "GET", before: paid(true), asked: []string{get, billed}},
			{verb: "GET", before: paid(false), asked: []string{billed}}, {verb: "GET", asked: []string{get}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := &paidCloud{}
			clients := newClients(t, Options{credentials: staticToken("managers", nil), base: cloud})
			for i, s := range steps {
				if s.before != nil {
					s.before(cloud)
				}
				cloud.asked = nil
				if err := do(WithProject(t.Context(), "p"), clients, s.verb, "b/logs", s.body); err != nil {
					t.Errorf("step %d: %v", i, err)
				}
				if diff := cmp.Diff(s.asked, cloud.asked); diff != "" {
					t.Errorf("step %d: calls (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// What is known of a bucket's requesters is forgotten when Google refuses to bill the project: if they do not pay any more, nobody needs to.
func TestPayerRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		code int
		body string
		want Error
		// asked is how the next call begins.
		asked string
	}{
		"no permission": {
			403, storageBody(403, "forbidden",
				"ann@p.iam.gserviceaccount.com does not have serviceusage.services.use access to the Google Cloud project. Permission 'serviceusage.services.use' denied on resource (or it may not exist)."),
			Error{
				Class: kind.Denied, Permission: "serviceusage.services.use", Resource: "projects/p", Denial: deniedPayer.say(map[string]string{"project": "p"}),
				Message: "ann@p.iam.gserviceaccount.com does not have serviceusage.services.use access to the Google Cloud project. Permission 'serviceusage.services.use' denied on resource (or it may not exist).",
			}, "GET b/logs   ",
		},
		"another permission": {
			403, storageBody(403, "forbidden",
				"ann@p.iam.gserviceaccount.com does not have storage.buckets.get access to the Google Cloud Storage bucket. Permission 'storage.buckets.get' denied on resource (or it may not exist)."),
			Error{
				Class: kind.Denied, Permission: "storage.buckets.get",
				Message: "ann@p.iam.gserviceaccount.com does not have storage.buckets.get access to the Google Cloud Storage bucket. Permission 'storage.buckets.get' denied on resource (or it may not exist).",
			}, "GET b/logs   ",
		},
		"no such project": {
			400, storageBody(400, "invalid", "User project specified in the request is invalid."),
			Error{Class: kind.Invalid, Message: "User project specified in the request is invalid."}, "GET b/logs   ",
		},
		"no such bucket": {
			404, storageBody(404, "notFound", "The specified bucket does not exist."),
			Error{Class: kind.NotFound, Message: "The specified bucket does not exist."}, "GET b/logs   ",
		},
		"no answer to rely on": {
			503, storageBody(503, "backendError", "We encountered an internal error."),
			Error{Class: kind.Unavailable, Message: "We encountered an internal error."}, "GET b/logs p  ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := &paidCloud{paid: true, refuse: func() (int, string) { return tc.code, tc.body }}
			clients := newClients(t, Options{credentials: staticToken("managers", nil), base: cloud})
			ctx := WithProject(t.Context(), "p")
			err := do(ctx, clients, http.MethodGet, "b/logs", "")
			if diff := cmp.Diff(&tc.want, Classify(err), cmpopts.IgnoreFields(Error{}, "Err")); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			cloud.asked = nil
			_ = do(ctx, clients, http.MethodGet, "b/logs", "")
			if cloud.asked[0] != tc.asked {
				t.Errorf("the next call began with %q; want %q", cloud.asked[0], tc.asked)
			}
		})
	}
}

// Nobody is billed whom Google did not ask for: not for another refusal, not without a project, and not the project of the credentials.
func TestNoPayer(t *testing.T) {
	withQuota := auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider:          staticToken("managers", nil),
		QuotaProjectIDProvider: auth.CredentialsPropertyFunc(func(context.Context) (string, error) { return "own-quota", nil }),
	})
	for name, tc := range map[string]struct {
		project string
		body    string
		asked   []string
	}{
		"a bucket whose requesters pay":      {"p", unpaidBody, []string{"GET b/logs   ", "GET b/logs p  "}},
		"as Google says it now":              {"p", storageBody(400, "required", "Bucket is a requester pays bucket but no user project provided."), []string{"GET b/logs   ", "GET b/logs p  "}},
		"as Google's documentation names it": {"p", storageBody(400, "userProjectMissing", "No project."), []string{"GET b/logs   ", "GET b/logs p  "}},
		"a project that is not known":        {"", unpaidBody, []string{"GET b/logs   "}},
		"something else that is required":    {"p", storageBody(400, "required", "Required parameter: project"), []string{"GET b/logs   "}},
		"something else about such a bucket": {"p", storageBody(400, "invalid", "A requester pays bucket, but no user project, cannot do that."), []string{"GET b/logs   "}},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			cloud := roundTripper(func(req *http.Request) (*http.Response, error) {
				asked = append(asked, strings.Join([]string{
					req.Method, strings.TrimPrefix(req.URL.Path, "/storage/v1/"), req.URL.Query().Get("userProject"), req.Header.Get("X-Goog-User-Project"), "",
				}, " "))
				recorder := httptest.NewRecorder()
				recorder.WriteHeader(http.StatusBadRequest)
				_, _ = recorder.WriteString(tc.body)
				return recorder.Result(), nil
			})
			clients := newClients(t, Options{credentials: withQuota, base: cloud})
			if err := do(WithProject(t.Context(), tc.project), clients, http.MethodGet, "b/logs", ""); !IsInvalid(err) {
				t.Error(err)
			}
			if diff := cmp.Diff(tc.asked, asked); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// What is remembered is bounded, and each account's own.
func TestPayersAreBounded(t *testing.T) {
	cloud := &paidCloud{paid: true}
	clients := newClients(t, Options{credentials: staticToken("managers", nil), base: cloud})
	clients.payers.known.Add(payer{tenant, "logs"}, nil)
	if err := do(WithProject(t.Context(), "p"), clients, http.MethodGet, "b/logs", ""); err != nil || len(cloud.asked) != 2 {
		t.Errorf("%d calls, %v; another account's bucket is not known to this one", len(cloud.asked), err)
	}
	for i := range maxPayers + 5 {
		clients.payers.known.Add(i, nil)
	}
	if n := clients.payers.known.Len(); n != maxPayers {
		t.Errorf("%d buckets are remembered; want %d", n, maxPayers)
	}
}
