package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

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
			if d := cmp.Diff(tc.want, got, cmp.AllowUnexported(outcome{}), sameError, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("outcome (-want +got):\n%s", d)
			}
		})
	}
}
