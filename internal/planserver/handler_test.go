package planserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/inventory"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
	"github.com/holdfast-dev/holdfast/internal/preview"
	"github.com/holdfast-dev/holdfast/internal/preview/render"
)

// asked is a planner that keeps what it is asked, and whose plans say that all is created.
type asked struct {
	stored map[string]v1alpha1.Object // by namespace/name
	// wait holds plans up; nil for not.
	wait chan struct{}
	// panics says that plans panic.
	panics bool

	mu    sync.Mutex
	names []string // namespace/name of all that it was asked about
}

func (a *asked) Kinds() []kind.Kind                   { return kinds.All(nil) }
func (a *asked) OfAnotherShard(namespace string) bool { return namespace == "sharded" }

func (a *asked) note(namespace, name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names = append(a.names, namespace+"/"+name)
}

// cluster is what a planner that is asked looks into.
type cluster struct {
	inventory.Source
	*asked
}

func (c cluster) Namespace(context.Context, string) (map[string]string, error) { return nil, nil }

func (c cluster) Manifest(_ context.Context, _ kind.Kind, namespace, name string) (v1alpha1.Object, error) {
	c.note(namespace, name)
	return c.stored[namespace+"/"+name], nil
}

func (a *asked) Plan(ctx context.Context, scene *preview.Scene) ([]preview.Preview, error) {
	if a.panics {
		panic("of the tests")
	}
	scene.Knows.Records = true
	_, planned, err := scene.Over(ctx, cluster{asked: a}, time.Now())
	if err != nil {
		return nil, err
	}
	var out []preview.Preview
	for _, m := range planned {
		a.note(m.Object.GetNamespace(), m.Object.GetName())
		out = append(out, preview.Preview{Kind: m.Kind, Object: m.Object, Outcome: preview.Outcome{Effect: preview.Create}})
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-a.wait:
	}
	return out, nil
}

// token says who asks in these tests: user NAME.
const token = "secret-token-of-"

// service is a handler behind a server.
type service struct {
	*httptest.Server

	planner *asked
	metrics metrics.Plans
	log     *bytes.Buffer
}

// serveWith serves with bounds. Ci may have plans of buckets in shop and sharded, and of all in all.
func serveWith(t *testing.T, b bounds, planner *asked) *service {
	t.Helper()
	if planner.wait == nil {
		planner.wait = make(chan struct{})
		close(planner.wait)
	}
	s := &service{planner: planner, metrics: metrics.NewPlans(), log: &bytes.Buffer{}}
	var mu sync.Mutex
	log := funcr.New(func(prefix, args string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(s.log, prefix, args)
	}, funcr.Options{Verbosity: 10})
	h := &handler{
		identify: func(_ context.Context, text string) (user.Info, error) {
			name, ok := strings.CutPrefix(text, token)
			if !ok {
				return nil, notAccepted("it is not of these tests")
			}
			return &user.DefaultInfo{Name: name}, nil
		},
		admissions: newAdmissions(b),
		authorizer: newAuthorizer(&accesses{answer: func(spec authorizationv1.SubjectAccessReviewSpec) authorizationv1.SubjectAccessReviewStatus {
			in, of := spec.ResourceAttributes.Namespace, spec.ResourceAttributes.Resource
			return authorizationv1.SubjectAccessReviewStatus{Allowed: in == "all" || of == "buckets" && slices.Contains([]string{"shop", "sharded"}, in)}
		}}),
		planner: planner, metrics: s.metrics, log: log,
	}
	s.Server = httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// generous are bounds that no test runs into by accident.
var generous = bounds{
	most: 30 * time.Second, pace: time.Nanosecond, ahead: 1000, together: 100, callers: 100, bytes: 100 * protocol.MostBytes, leastBytes: 1,
}

// ask sends a body as somebody.
func (s *service) ask(t *testing.T, as, body string) (code int, answer string, header http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+protocol.Path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if as != "" {
		request.Header.Set("Authorization", "Bearer "+token+as)
	}
	response, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text), response.Header
}

// bucketsIn are a request for buckets, as namespace/name.
func bucketsIn(names ...string) string {
	return manifestsOf("Bucket", names...)
}

func manifestsOf(of string, names ...string) string {
	spec := map[string]string{"Bucket": `{"location": "EU"}`, "Topic": `{}`, "ServiceAccount": `{}`}[of]
	var all []string
	for _, name := range names {
		namespace, name, _ := strings.Cut(name, "/")
		all = append(all, fmt.Sprintf(`{"apiVersion": "gcp.holdfast.dev/v1alpha1", "kind": %q, "metadata": {"namespace": %q, "name": %q}, "spec": %s}`,
			of, namespace, name, spec))
	}
	return `{"manifests": [` + strings.Join(all, ",") + `]}`
}

func TestAPlanIsAnswered(t *testing.T) {
	s := serveWith(t, generous, &asked{})
	code, answer, header := s.ask(t, "ci", bucketsIn("shop/logs", "shop/media"))
	var got render.Document
	if err := json.Unmarshal([]byte(answer), &got); err != nil || code != http.StatusOK {
		t.Fatalf("%d %s (%v)", code, answer, err)
	}
	if got.Kind != render.Kind || got.Summary.Create != 2 || got.Resources[1].Origin.Document != 2 {
		t.Errorf("the plan is\n%s", answer)
	}
	if header.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer may be stored: %v", header)
	}
	if n := testutil.CollectAndCount(s.metrics, "holdfast_plan_request_duration_seconds"); n != 1 {
		t.Errorf("%d series of requests, want that of 200", n)
	}
}

// TestWhatACallerMayNotPlanIsRefusedUnseen: in the same words whatever there is, and nobody looks.
func TestWhatACallerMayNotPlanIsRefusedUnseen(t *testing.T) {
	planner := &asked{stored: map[string]v1alpha1.Object{"foreign/logs": bucket("foreign", "logs", v1alpha1.BucketSpec{Location: "US"})}}
	s := serveWith(t, generous, planner)
	_, answer, _ := s.ask(t, "ci", bucketsIn("foreign/logs", "missing/logs", "shop/logs"))
	var got render.Document
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, r := range got.Resources {
		if r.Namespace == "shop" {
			continue
		}
		r.Origin = nil
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, strings.ReplaceAll(string(text), r.Namespace, "NAMESPACE"))
	}
	if len(said) != 2 || said[0] != said[1] || !strings.Contains(said[0], `"reason":"Forbidden"`) {
		t.Errorf("what is said of the one and of the other:\n%s", strings.Join(said, "\n"))
	}
	if diff := cmp.Diff([]string{"shop/logs", "shop/logs"}, planner.names); diff != "" {
		t.Errorf("who was looked at (-want +got):\n%s", diff)
	}
	if !got.Fails() || got.Summary.Create != 1 {
		t.Errorf("the summary is %+v", got.Summary)
	}
}

// against are a request for manifests against others that were there before, each a request of its own.
func against(manifests, before string) string {
	return strings.TrimSuffix(manifests, "}") + `, "against": ` + strings.TrimPrefix(before, `{"manifests": `)
}

// TestWhatLeavesTakesAccess, too: nobody learns by a false account of what was there whether it is.
func TestWhatLeavesTakesAccess(t *testing.T) {
	there := func(namespace string) v1alpha1.Object {
		return bucket(namespace, "logs", v1alpha1.BucketSpec{Location: "EU"})
	}
	planner := &asked{stored: map[string]v1alpha1.Object{"foreign/logs": there("foreign"), "sharded/logs": there("sharded"), "shop/logs": there("shop")}}
	s := serveWith(t, generous, planner)
	before := bucketsIn("foreign/logs", "missing/logs", "sharded/logs", "shop/logs", "shop/never", "shop/stays", "foreign/stays")
	_, answer, _ := s.ask(t, "ci", against(bucketsIn("shop/stays", "foreign/stays"), before))
	var got render.Document
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	said := map[string]string{}
	for _, r := range got.Resources {
		said[r.Namespace+"/"+r.Name] = fmt.Sprintf("%s %s %d", r.Effect, strings.ReplaceAll(r.Message, r.Namespace, "NAMESPACE"), r.Origin.Document)
	}
	const forbidden = `refused "ci" may have no plans of buckets in namespace "NAMESPACE": that takes create on buckets/plan in gcp.holdfast.dev `
	want := map[string]string{
		"foreign/logs": forbidden + "3", "missing/logs": forbidden + "4", "shop/logs": "create  6",
		"sharded/logs": `refused namespace "NAMESPACE" is another shard's: ask the plan server of its release 5`,
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("what is said (-want +got):\n%s", diff)
	}
	// Each is looked up once, and what leaves is planned.
	if diff := cmp.Diff([]string{"shop/stays", "shop/logs", "shop/never", "shop/logs"}, planner.names); diff != "" {
		t.Errorf("who was looked at (-want +got):\n%s", diff)
	}
}

// TestAccessToAKindIsAccessToNoOther: a plan of a policy shows more than one of a bucket.
func TestAccessToAKindIsAccessToNoOther(t *testing.T) {
	s := serveWith(t, generous, &asked{})
	for request, want := range map[string]string{
		bucketsIn("shop/logs"):               `"effect":"create"`,
		manifestsOf("Topic", "shop/logs"):    `"reason":"Forbidden"`,
		manifestsOf("Topic", "all/logs"):     `"effect":"create"`,
		bucketsIn("sharded/logs"):            "another shard's",
		manifestsOf("Topic", "sharded/logs"): "may have no plans of topics",
	} {
		if code, answer, _ := s.ask(t, "ci", request); code != http.StatusOK || !strings.Contains(answer, want) {
			t.Errorf("%s: %d, want %s in\n%s", request, code, want, answer)
		}
	}
}

func TestWhatTheAPIServerWouldRefuseIsAProblem(t *testing.T) {
	stored := bucket("shop", "logs", v1alpha1.BucketSpec{Location: "US"})
	stored.Spec.ResourceID = "other"
	s := serveWith(t, generous, &asked{stored: map[string]v1alpha1.Object{"shop/logs": stored}})
	for what, tc := range map[string]struct{ request, want string }{
		"a field that is unknown":   {strings.Replace(bucketsIn("shop/logs"), "location", "locality", 1), "spec.locality"},
		"a field that is immutable": {bucketsIn("shop/logs"), `"document":1`},
		"twice the same":            {bucketsIn("shop/logs", "shop/logs"), "the same manifest"},
		"another version":           {strings.Replace(bucketsIn("shop/logs"), "v1alpha1", "v1", 1), "this version is not served"},
	} {
		t.Run(what, func(t *testing.T) {
			code, answer, _ := s.ask(t, "ci", tc.request)
			var got render.Document
			if err := json.Unmarshal([]byte(answer), &got); err != nil || code != http.StatusOK {
				t.Fatalf("%d %s (%v)", code, answer, err)
			}
			if got.Summary.Problems == 0 || !strings.Contains(answer, tc.want) {
				t.Errorf("want %s in\n%s", tc.want, answer)
			}
		})
	}
}

func TestRequestsThatGetNoPlan(t *testing.T) {
	var scopes []string
	for i := range protocol.MostScopes + 1 {
		scopes = append(scopes, fmt.Sprintf("n%d/logs", i))
	}
	for what, tc := range map[string]struct {
		as, request string
		code        int
		want        string
	}{
		"nobody":                   {"", bucketsIn("shop/logs"), 401, "the token is not accepted"},
		"no JSON":                  {"ci", "manifests: []", 400, "no list of manifests in JSON"},
		"no namespace":             {"ci", strings.Replace(bucketsIn("shop/logs"), `"namespace": "shop", `, "", 1), 400, "metadata.namespace is missing"},
		"a Namespace":              {"ci", `{"manifests": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"namespace": "a", "name": "shop"}}]}`, 400, "plans are of"},
		"a list":                   {"ci", strings.Replace(bucketsIn("shop/logs"), `"Bucket"`, `"BucketList"`, 1), 400, "send what is in it"},
		"a number that is none":    {"ci", strings.Replace(bucketsIn("shop/logs"), `"EU"`, `1e999`, 1), 400, "manifest 1"},
		"text that is no manifest": {"ci", `{"manifests": ["x"]}`, 400, "manifest 1"},
		"too many pairs":           {"ci", bucketsIn(scopes...), 413, "pairs of kind and namespace"},
		"too many pairs in both":   {"ci", against(bucketsIn(scopes[:200]...), bucketsIn(scopes[100:]...)), 413, "pairs of kind and namespace"},
		"no namespace before":      {"ci", against(bucketsIn("shop/logs"), bucketsIn("/logs")), 400, "manifest 2: metadata.namespace is missing"},
	} {
		t.Run(what, func(t *testing.T) {
			s := serveWith(t, generous, &asked{})
			code, answer, header := s.ask(t, tc.as, tc.request)
			if code != tc.code || !strings.Contains(answer, tc.want) || !strings.Contains(answer, `"error"`) {
				t.Errorf("%d %s; want %d and %q", code, answer, tc.code, tc.want)
			}
			if tc.code == 401 && header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("the headers are %v", header)
			}
			if len(s.planner.names) > 0 {
				t.Errorf("somebody looked at %v", s.planner.names)
			}
		})
	}
}

func TestACallerWhoAsksTooMuchIsToldWhenToCome(t *testing.T) {
	slow := generous
	slow.pace, slow.ahead = time.Minute, 1
	s := serveWith(t, slow, &asked{})
	if code, answer, _ := s.ask(t, "ci", bucketsIn("shop/logs")); code != http.StatusOK {
		t.Fatalf("%d %s", code, answer)
	}
	code, answer, header := s.ask(t, "ci", bucketsIn("shop/logs"))
	if code != http.StatusTooManyRequests || header.Get("Retry-After") != "60" || !strings.Contains(answer, "you ask too often") {
		t.Errorf("%d %s %v", code, answer, header)
	}
	if code, answer, _ := s.ask(t, "other", bucketsIn("shop/logs")); code != http.StatusOK {
		t.Errorf("another caller: %d %s", code, answer)
	}
}

func TestAPlanThatTakesTooLongEnds(t *testing.T) {
	short := generous
	short.most = 50 * time.Millisecond
	s := serveWith(t, short, &asked{wait: make(chan struct{})})
	if code, answer, _ := s.ask(t, "ci", bucketsIn("shop/logs")); code != http.StatusGatewayTimeout || !strings.Contains(answer, "fewer manifests") {
		t.Errorf("%d %s", code, answer)
	}
}

// TestNoTokenIsLogged: whoever may read the log could ask in somebody else's name.
func TestNoTokenIsLogged(t *testing.T) {
	s := serveWith(t, generous, &asked{})
	s.ask(t, "ci", bucketsIn("shop/logs"))
	s.ask(t, "ci", "{")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+protocol.Path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer unknown-token")
	response, err := s.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	s.Close() // and with it all that writes
	for _, secret := range []string{token, "unknown-token"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, s.log)
		}
	}
	if !strings.Contains(s.log.String(), `"user"="ci"`) {
		t.Errorf("who asked is not in the log:\n%s", s.log)
	}
}

// TestAPanicIsAFailure of one request, of which the log says where it was.
func TestAPanicIsAFailure(t *testing.T) {
	one := generous
	one.together = 1
	s := serveWith(t, one, &asked{panics: true})
	for range 2 { // the second finds the place free
		code, answer, _ := s.ask(t, "ci", bucketsIn("shop/logs"))
		if code != http.StatusInternalServerError || strings.Contains(answer, "tests") {
			t.Errorf("%d %s", code, answer)
		}
	}
	s.Close()
	if !strings.Contains(s.log.String(), "a panic: of the tests") || !strings.Contains(s.log.String(), "handler_test.go") {
		t.Errorf("the log is\n%s", s.log)
	}
}

// TestAFailureIsNotTold: what is wrong inside is nobody's business outside.
func TestAFailureIsNotTold(t *testing.T) {
	w := httptest.NewRecorder()
	code := answerError(w, errors.New("dialing 10.0.0.1: refused"))
	if code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "10.0.0.1") {
		t.Errorf("%d %s", code, w.Body)
	}
}
