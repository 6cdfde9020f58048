package metrics

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// step is a pass over the bucket shop/logs, a second long.
type step struct {
	// ready is what Ready says then, such as "True:UpToDate", and drift which paths differ.
	ready string
	drift []string
	// blind says that Google Cloud could not be looked at.
	blind bool
	// written are what was put in place.
	written []string
	// generation, if set, is that of the object from then on.
	generation int64
	// restart says that another process makes the pass.
	restart bool
	// anew says that the object was deleted and recreated before the pass.
	anew bool
}

// run plays steps a minute apart; each finds the status that the one before has left. The object was edited at noon.
func run(t *testing.T, steps []step) *Collector {
	t.Helper()
	c, was, generation, uid := New(), &v1alpha1.CommonStatus{ObservedGeneration: -1}, int64(1), types.UID("first")
	for i, s := range steps {
		if s.restart {
			c = New()
		}
		if s.anew {
			uid, was, generation = types.UID(fmt.Sprint(i)), &v1alpha1.CommonStatus{ObservedGeneration: -1}, 1
		}
		if s.generation != 0 {
			generation = s.generation
		}
		drifted := "Drifted=False:InSync"
		switch {
		case s.blind:
			drifted = "Drifted=Unknown:Unknown"
		case len(s.drift) > 0:
			drifted = "Drifted=True:Differs"
		}
		obj := bucket("Ready="+s.ready, drifted)
		obj.UID, obj.Generation, obj.Status.ObservedGeneration = uid, generation, generation
		for i := range obj.Status.Conditions {
			obj.Status.Conditions[i].ObservedGeneration = generation
		}
		for _, path := range s.drift {
			obj.Status.Drift = append(obj.Status.Drift, v1alpha1.Change{Path: path})
		}
		began := noon.Add(time.Duration(i+1) * time.Minute)
		reason := obj.Status.Conditions[0].Reason
		c.Passed(logs, Pass{Object: obj, Was: was, Reason: reason, Began: began, Ended: began.Add(time.Second), Edited: noon, Written: s.written})
		was = &obj.Status.CommonStatus
	}
	return c
}

var created = step{ready: "True:UpToDate", written: []string{"resource", "spec.versioning.enabled"}}

func TestDriftIsCountedOnceWhenFoundAndOnceWhenPutBack(t *testing.T) {
	const found, corrected = `holdfast_drift_found_total{field="`, `holdfast_drift_corrected_total{field="`
	label, other := []string{"spec.labels[team]"}, []string{"spec.versioning.enabled"}
	cases := map[string]struct {
		steps []step
		want  []string
	}{
		"a create is no drift":     {[]step{created}, nil},
		"nor is a namesake":        {[]step{created, {ready: "True:UpToDate", anew: true, written: created.written}}, nil},
		"nor is an edit":           {[]step{created, {ready: "True:UpToDate", generation: 2, written: label}}, nil},
		"nor what waits from then": {[]step{created, {ready: "False:AwaitingApproval", generation: 2, drift: label}}, nil},
		"found and put back at once": {[]step{created, {ready: "True:UpToDate", written: label}}, []string{
			corrected + `spec.labels",kind="bucket"} 1`, found + `spec.labels",kind="bucket"} 1`,
		}},
		"twice": {[]step{created, {ready: "True:UpToDate", written: label}, {ready: "True:UpToDate", written: label}}, []string{
			corrected + `spec.labels",kind="bucket"} 2`, found + `spec.labels",kind="bucket"} 2`,
		}},
		"under a glass, until it is closed": {[]step{created, {ready: "True:UpToDate", drift: label}, {ready: "True:UpToDate", drift: label}, {ready: "True:UpToDate", written: label}}, []string{
			corrected + `spec.labels",kind="bucket"} 1`, found + `spec.labels",kind="bucket"} 1`,
		}},
		"under a glass, while Google Cloud was away": {[]step{created, {ready: "True:UpToDate", drift: label}, {ready: "True:UpToDate", blind: true}, {ready: "True:UpToDate", drift: label}}, []string{
			found + `spec.labels",kind="bucket"} 1`,
		}},
		"under a glass, by the next process": {[]step{created, {ready: "True:UpToDate", drift: label}, {ready: "True:UpToDate", drift: label, restart: true}, {ready: "True:UpToDate", written: label}}, []string{
			corrected + `spec.labels",kind="bucket"} 1`,
		}},
		"while no process ran": {[]step{created, {ready: "True:UpToDate", written: label, restart: true}}, []string{
			corrected + `spec.labels",kind="bucket"} 1`, found + `spec.labels",kind="bucket"} 1`,
		}},
		"the write fails first": {[]step{created, {ready: "False:Denied", drift: label}, {ready: "True:UpToDate", written: label}}, []string{
			corrected + `spec.labels",kind="bucket"} 1`, found + `spec.labels",kind="bucket"} 1`,
		}},
		"while Google Cloud was away": {[]step{created, {ready: "False:Unavailable", blind: true}, {ready: "True:UpToDate", written: label}}, []string{
			corrected + `spec.labels",kind="bucket"} 1`, found + `spec.labels",kind="bucket"} 1`,
		}},
		"by the manifest it is no correction": {[]step{created, {ready: "False:Denied", drift: label}, {ready: "True:UpToDate", generation: 2, written: label}}, []string{
			found + `spec.labels",kind="bucket"} 1`,
		}},
		"gone by itself": {[]step{created, {ready: "False:Differs", drift: label}, {ready: "True:UpToDate"}, {ready: "True:UpToDate", written: other}}, []string{
			corrected + `spec.versioning.enabled",kind="bucket"} 1`,
			found + `spec.labels",kind="bucket"} 1`, found + `spec.versioning.enabled",kind="bucket"} 1`,
		}},
		"deleted by somebody": {[]step{created, {ready: "True:UpToDate", written: []string{"resource", "spec.labels[team]", "spec.location"}}}, []string{
			corrected + `resource",kind="bucket"} 1`, found + `resource",kind="bucket"} 1`,
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			expect(t, run(t, tc.steps), []string{"holdfast_drift_found_total", "holdfast_drift_corrected_total"}, tc.want...)
		})
	}
}

func TestTimeToApplyRunsFromTheEditUntilItIsApplied(t *testing.T) {
	cases := map[string]struct {
		steps []step
		want  []string
	}{
		"at once":   {[]step{created}, []string{`{held="false",kind="bucket"} 61`}},
		"once only": {[]step{created, {ready: "True:UpToDate"}, {ready: "False:Unavailable", blind: true}, {ready: "True:UpToDate"}}, []string{`{held="false",kind="bucket"} 61`}},
		"after an outage": {[]step{{ready: "False:Unavailable", blind: true}, {ready: "False:Unavailable", blind: true}, created},
			[]string{`{held="false",kind="bucket"} 181`}},
		"after an approval": {[]step{{ready: "False:AwaitingApproval"}, created}, []string{`{held="true",kind="bucket"} 121`}},
		"each edit":         {[]step{created, {ready: "False:BreakGlass", generation: 2}, {ready: "True:UpToDate"}}, []string{`{held="false",kind="bucket"} 61`, `{held="true",kind="bucket"} 181`}},
		"a namesake":        {[]step{created, {ready: "True:UpToDate", anew: true}}, []string{`{held="false",kind="bucket"} 182`}},
		"not yet":           {[]step{{ready: "False:Invalid"}}, nil},
		"not what the process before had in hand, for that may have been applied before": {
			[]step{{ready: "False:Unavailable", blind: true}, {ready: "True:UpToDate", restart: true}}, nil,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := run(t, tc.steps)
			var want []string
			for _, w := range tc.want {
				want = append(want, "holdfast_time_to_apply_seconds_sum"+w)
			}
			var got []string
			for _, family := range gather(t, c) {
				if family.GetName() != "holdfast_time_to_apply_seconds" {
					continue
				}
				for _, m := range family.GetMetric() {
					got = append(got, "holdfast_time_to_apply_seconds_sum"+labelsOf(m)+" "+number(m.GetHistogram().GetSampleSum()))
				}
			}
			compare(t, want, got)
		})
	}
}

func TestAnEditNobodyDatesIsNotMeasured(t *testing.T) {
	c := New()
	c.Passed(logs, Pass{Object: healthy(), Was: &v1alpha1.CommonStatus{ObservedGeneration: -1}, Ended: noon})
	expect(t, c, []string{"holdfast_time_to_apply_seconds"})
}

func TestPassesAreMeasuredByWhatTheyCameTo(t *testing.T) {
	c := run(t, []step{created, {ready: "False:Throttled", blind: true}, {ready: "False:Throttled", blind: true}})
	c.Ended("bucket", Stale, time.Second)
	c.Ended("bucket", "Orphaned", time.Second)
	got := map[string]uint64{}
	for _, family := range gather(t, c) {
		if family.GetName() == "holdfast_reconcile_duration_seconds" || family.GetName() == "holdfast_sweep_gap_seconds" {
			for _, m := range family.GetMetric() {
				h := m.GetHistogram()
				got[family.GetName()+labelsOf(m)] = h.GetSampleCount()
				if h.Schema == nil || len(h.GetPositiveSpan()) == 0 {
					t.Errorf("%s has no native buckets", family.GetName())
				}
				if len(h.GetBucket()) == 0 {
					t.Errorf("%s has no classic buckets", family.GetName())
				}
			}
		}
	}
	compare(t, map[string]uint64{
		`holdfast_reconcile_duration_seconds{kind="bucket",reason="UpToDate"}`:  1,
		`holdfast_reconcile_duration_seconds{kind="bucket",reason="Throttled"}`: 2,
		`holdfast_reconcile_duration_seconds{kind="bucket",reason="Stale"}`:     1,
		`holdfast_reconcile_duration_seconds{kind="bucket",reason="Orphaned"}`:  1,
		`holdfast_sweep_gap_seconds{kind="bucket"}`:                             2,
	}, got)
}

func TestWhatIsAppliedIsOfThatGeneration(t *testing.T) {
	obj := healthy()
	if !isApplied(&obj.Status.CommonStatus, 1) || isApplied(&obj.Status.CommonStatus, 2) {
		t.Error("Ready=True counts for its own generation")
	}
	obj.Status.Conditions[0].Status = metav1.ConditionFalse
	if isApplied(&obj.Status.CommonStatus, 1) {
		t.Error("Ready=False counts")
	}
}
