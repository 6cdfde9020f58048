package engine

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// TestAnswersMeanWhatTheCallWasFor: the same answer means something else for each call.
func TestAnswersMeanWhatTheCallWasFor(t *testing.T) {
	const words = "Google's words."
	type told struct {
		Reason, Message string
		Retries         bool
	}
	unavailable := func(says string) told {
		return told{v1alpha1.ReasonUnavailable, "calling: " + says + ": " + words, true}
	}
	invalid := func(says string, retries bool) told {
		return told{v1alpha1.ReasonInvalid, "calling: " + says + ": " + words, retries}
	}
	each := func(always told) map[call]told {
		return map[call]told{reading: always, creating: always, updating: always, deleting: always}
	}
	const (
		manifest = "Google rejected the manifest"
		request  = "Google rejected the request"
		named    = "Google does not find something that the manifest names"
		changed  = "it changed in the meantime; checking again"
	)
	cases := map[kind.Class]map[call]told{
		kind.NotFound: {
			reading:  unavailable("Google does not find the resource now; checking again"),
			creating: invalid(named, true),
			updating: invalid(named, true),
			deleting: unavailable("it is gone already; checking again"),
		},
		kind.AlreadyExists: {
			reading:  unavailable(changed),
			creating: unavailable("something has that name already; checking what"),
			updating: invalid("something that the manifest adds exists already", true),
			deleting: unavailable(changed),
		},
		kind.Conflict: {
			reading:  unavailable(changed),
			creating: unavailable("somebody else is changing something of that name; checking again"),
			updating: unavailable(changed),
			deleting: unavailable(changed),
		},
		kind.Invalid: {
			reading: invalid(request, false), creating: invalid(manifest, false), updating: invalid(manifest, false), deleting: invalid(request, false),
		},
		kind.Retained: {
			reading: invalid(request, false), creating: invalid(manifest, false), updating: invalid(manifest, false),
			deleting: {v1alpha1.ReasonNotEmpty, "calling: a hold or a retention keeps it: " + words, true},
		},
		kind.NotEmpty: {
			reading: invalid(request, false), creating: invalid(manifest, false), updating: invalid(manifest, false),
			deleting: {v1alpha1.ReasonNotEmpty, "calling: " + words + " Empty it, or set spec.deletionPolicy to DeleteWithContents or Orphan", false},
		},
		kind.Throttled:     each(told{v1alpha1.ReasonThrottled, "calling: Google asked to slow down: " + words, false}),
		kind.QuotaExceeded: each(told{v1alpha1.ReasonQuotaExceeded, "calling: the quota is used up: " + words + " Delete what is not needed, or ask Google for a higher quota", false}),
		kind.Denied:        each(told{v1alpha1.ReasonDenied, "calling: " + words, false}),
		kind.Unavailable:   each(told{v1alpha1.ReasonUnavailable, "calling: " + words + "; retrying", true}),
	}
	for class, calls := range cases {
		for what, want := range calls {
			t.Run(fmt.Sprintf("%s of call %d", class, what), func(t *testing.T) {
				out := failed(what, "calling", &kind.Error{Class: class, Message: words})
				if d := cmp.Diff(want, told{out.reason, out.message, out.err != nil}); d != "" {
					t.Errorf("outcome (-want +got):\n%s", d)
				}
			})
		}
	}
}

// TestNoFailureIsUnexplained: whatever Google answers without a text, what is told says something, and a read never blames the manifest.
func TestNoFailureIsUnexplained(t *testing.T) {
	answers := map[string]error{"an error without a text": errors.New("")}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		answers["gRPC "+code.String()] = status.Error(code, "")
	}
	for code := http.StatusBadRequest; code < 600; code++ {
		for _, body := range []string{"", "{}", `{"error":{"errors":[{}]}}`, `{"error":{"errors":[{"reason":"unknown"}]}}`} {
			resp := &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader(body))}
			answers[fmt.Sprintf("HTTP %d with %q", code, body)] = googleapi.CheckResponse(resp)
		}
	}
	for name, err := range answers {
		for _, what := range []call{reading, creating, updating, deleting} {
			message := failed(what, "calling the topic", err).message
			if rest := strings.TrimPrefix(message, "calling the topic: "); rest == message || rest == "" || strings.HasPrefix(rest, ";") ||
				strings.Contains(message, ":  ") || strings.Contains(message, ": ;") || strings.HasSuffix(strings.TrimSpace(message), ":") {
				t.Errorf("%s, call %d: %q explains nothing", name, what, message)
			}
			if what == reading && strings.Contains(message, "the manifest") {
				t.Errorf("%s: a read blames the manifest: %q", name, message)
			}
		}
	}
}

func TestCombine(t *testing.T) {
	away, gone := errors.New("away"), errors.New("gone")
	fine := outcome{reason: v1alpha1.ReasonUpToDate}
	drift := diff.Changes{{Path: "spec.a"}}
	updated := outcome{
		reason: v1alpha1.ReasonUpToDate, looked: true, drift: drift, done: plan.Deed{Reason: "Updated", Message: "changed spec.b"}, written: []string{"spec.b"},
	}
	denied := outcome{reason: v1alpha1.ReasonDenied, message: "no", after: pauseDenied, unknown: "the IAM policy"}
	unavailable := outcome{reason: v1alpha1.ReasonUnavailable, message: "away", err: away}
	invalid := outcome{reason: v1alpha1.ReasonInvalid, message: "bad"}
	throttled := outcome{reason: v1alpha1.ReasonThrottled, message: "slowly", after: time.Second}
	with := func(o outcome, change func(*outcome)) outcome {
		change(&o)
		return o
	}
	cases := map[string]struct{ fields, policy, want outcome }{
		"both are fine":           {fine, fine, fine},
		"the fields are stale":    {outcome{after: pauseStale}, denied, outcome{after: pauseStale}},
		"the policy is stale":     {updated, outcome{after: pauseStale}, outcome{after: pauseStale, done: updated.done}},
		"the policy alone failed": {fine, denied, denied},
		"the fields alone failed": {invalid, fine, invalid},
		"what was written is told still": {updated, denied, with(updated, func(o *outcome) {
			o.reason, o.message, o.after, o.unknown = denied.reason, "no", pauseDenied, "the IAM policy"
		})},
		"the policy needs a person, the fields retry":  {unavailable, denied, with(denied, func(o *outcome) { o.message, o.err = "no; besides, away", away })},
		"the fields need a person, the policy retries": {invalid, unavailable, with(invalid, func(o *outcome) { o.message, o.err = "bad; besides, away", away })},
		"both retry": {
			unavailable, with(unavailable, func(o *outcome) { o.message, o.err = "gone", gone }),
			with(unavailable, func(o *outcome) { o.message, o.err = "away; besides, gone", errors.Join(away, gone) }),
		},
		"of two pauses, the shorter": {denied, throttled, with(denied, func(o *outcome) { o.message, o.after = "no; besides, slowly", time.Second })},
		"break-glass comes first": {
			outcome{reason: v1alpha1.ReasonBreakGlass, message: "open"}, denied,
			with(denied, func(o *outcome) { o.reason, o.message = v1alpha1.ReasonBreakGlass, "open; besides, no" }),
		},
		"what concerns the resource as a whole comes first": {
			outcome{reason: v1alpha1.ReasonConflict, message: "theirs"}, denied,
			with(denied, func(o *outcome) { o.reason, o.message = v1alpha1.ReasonConflict, "theirs; besides, no" }),
		},
	}
	sameError := cmp.Comparer(func(a, b error) bool { return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error()) })
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := combine(tc.fields, tc.policy)
			if d := cmp.Diff(tc.want, got, cmp.AllowUnexported(outcome{}, flight{}), sameError, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("outcome (-want +got):\n%s", d)
			}
		})
	}
}
