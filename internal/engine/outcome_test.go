package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestFailed(t *testing.T) {
	type verdict struct {
		Reason string
		After  time.Duration
		Retry  bool
	}
	cases := map[string]struct {
		err  error
		want verdict
		says string
	}{
		"stale":                         {errStale, verdict{After: pauseStale}, ""},
		"the glass":                     {errors.Join(&glassBroken{glass: breakglass.Glass{Scope: "Object", Reason: "INC-1"}}, nil), verdict{Reason: v1alpha1.ReasonBreakGlass}, "INC-1"},
		"throttled, for so long":        {&kind.Error{Class: kind.Throttled, RetryAfter: 7 * time.Second}, verdict{Reason: v1alpha1.ReasonThrottled, After: 7 * time.Second}, "slow down"},
		"throttled, for unknown":        {&kind.Error{Class: kind.Throttled}, verdict{Reason: v1alpha1.ReasonThrottled, After: pauseThrottled}, "slow down"},
		"denied":                        {&kind.Error{Class: kind.Denied, Permission: "pubsub.topics.get", Resource: "projects/p"}, verdict{Reason: v1alpha1.ReasonDenied, After: pauseDenied}, "permission pubsub.topics.get is missing on projects/p"},
		"denied, Google names no place": {&kind.Error{Class: kind.Denied, Permission: "storage.buckets.get"}, verdict{Reason: v1alpha1.ReasonDenied, After: pauseDenied}, "the resource or its project"},
		"invalid":                       {status.Error(codes.InvalidArgument, "no such region"), verdict{Reason: v1alpha1.ReasonInvalid}, "no such region"},
		"unavailable":                   {status.Error(codes.Unavailable, "away"), verdict{Reason: v1alpha1.ReasonUnavailable, Retry: true}, "away; retrying"},
		"no answer in time":             {context.DeadlineExceeded, verdict{Reason: v1alpha1.ReasonUnavailable, Retry: true}, "in time"},
		"anything else":                 {errors.New("boom"), verdict{Reason: v1alpha1.ReasonUnavailable, Retry: true}, "boom"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			out := failed(reading, "looking at the topic", fmt.Errorf("wrapped: %w", tc.err))
			if d := cmp.Diff(tc.want, verdict{out.reason, out.after, out.err != nil}); d != "" {
				t.Errorf("outcome (-want +got):\n%s", d)
			}
			if !strings.Contains(out.message, tc.says) {
				t.Errorf("the message %q does not say %q", out.message, tc.says)
			}
			if out.reason != "" && standingOf(out.reason) == atRest {
				t.Errorf("a failure is at rest: %s", out.reason)
			}
		})
	}
}

// TestEveryReasonHasAStanding reads the reasons from the API.
func TestEveryReasonHasAStanding(t *testing.T) {
	text, err := os.ReadFile("../../api/v1alpha1/conditions.go")
	if err != nil {
		t.Fatal(err)
	}
	ofReady, _, _ := strings.Cut(string(text), "// Reasons of Drifted and BreakGlass.")
	found := regexp.MustCompile(`Reason\w+ = "(\w+)"`).FindAllStringSubmatch(ofReady, -1)
	if len(found) != len(reasons) {
		t.Errorf("the API has %d reasons, the table %d", len(found), len(reasons))
	}
	for _, match := range found {
		if rank(match[1]) < 0 {
			t.Errorf("reason %s has no standing", match[1])
		}
	}
}

func TestExactlyOneOfReadyReconcilingAndStalled(t *testing.T) {
	for _, r := range reasons {
		reason := r.reason
		isReady, reconciling, isStalled := outcome{reason: reason}.conditions(nil, 1, false)
		n := 0
		for _, c := range []metav1.Condition{isReady, reconciling, isStalled} {
			if c.Status == metav1.ConditionTrue {
				n++
			}
		}
		if n != 1 {
			t.Errorf("with reason %s, %d of the three hold", reason, n)
		}
	}
}

func TestReadyUnderABrokenGlass(t *testing.T) {
	was := func(is bool, generation int64) *metav1.Condition {
		c := condition(v1alpha1.ConditionReady, is, "Before", "")
		c.ObservedGeneration = generation
		return &c
	}
	cases := map[string]struct {
		reason string
		was    *metav1.Condition
		whole  bool
		want   string
	}{
		"it was applied: Ready stays":               {v1alpha1.ReasonBreakGlass, was(true, 2), false, "Before"},
		"a newer generation is on hold":             {v1alpha1.ReasonBreakGlass, was(true, 1), false, v1alpha1.ReasonBreakGlass},
		"it was not applied":                        {v1alpha1.ReasonBreakGlass, was(false, 2), false, v1alpha1.ReasonBreakGlass},
		"it was never looked at":                    {v1alpha1.ReasonBreakGlass, nil, false, v1alpha1.ReasonBreakGlass},
		"nothing is on hold: the glass is moot":     {v1alpha1.ReasonUpToDate, was(true, 2), false, v1alpha1.ReasonUpToDate},
		"somebody recreated the resource elsewhere": {v1alpha1.ReasonImmutable, was(true, 2), false, "Before"},
		"Google Cloud does not answer":              {v1alpha1.ReasonUnavailable, was(true, 2), false, "Before"},
		"nor does it with the glass whole":          {v1alpha1.ReasonUnavailable, was(true, 2), true, v1alpha1.ReasonUnavailable},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			isReady, _, _ := outcome{reason: tc.reason}.conditions(tc.was, 2, !tc.whole)
			if isReady.Reason != tc.want {
				t.Errorf("Ready has reason %s, want %s", isReady.Reason, tc.want)
			}
		})
	}
}

func TestDrifted(t *testing.T) {
	cases := map[string]struct {
		out  outcome
		want metav1.ConditionStatus
	}{
		"not looked at": {outcome{}, metav1.ConditionUnknown},
		"alike":         {outcome{looked: true}, metav1.ConditionFalse},
		"different":     {outcome{looked: true, drift: diff.Changes{{Path: "spec.rpo"}}}, metav1.ConditionTrue},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.out.drifted(); got.Status != tc.want || got.Reason == "" || got.Message == "" {
				t.Errorf("Drifted = %+v, want %s", got, tc.want)
			}
		})
	}
}
