package metrics

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

var noon = time.Unix(1_000_000, 0)

// bucket is an object of the project shop-project with conditions, each written as Type=Status:Reason.
func bucket(conditions ...string) *v1alpha1.Bucket {
	obj := &v1alpha1.Bucket{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "logs", Generation: 1}}
	obj.Status.Project = "shop-project"
	obj.Status.ObservedGeneration = 1
	for _, text := range conditions {
		kind, rest, _ := strings.Cut(text, "=")
		status, reason, _ := strings.Cut(rest, ":")
		obj.Status.Conditions = append(obj.Status.Conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionStatus(status), Reason: reason, ObservedGeneration: 1, LastTransitionTime: metav1.NewTime(noon),
		})
	}
	return obj
}

func healthy() *v1alpha1.Bucket {
	return bucket("Ready=True:UpToDate", "Drifted=False:InSync", "BreakGlass=False:Closed")
}

var logs = Key{"bucket", "shop", "logs"}

// perObject are the metrics that have a series for an object.
var perObject = []string{
	"holdfast_object_not_ready_timestamp_seconds", "holdfast_object_drifted_timestamp_seconds",
	"holdfast_break_glass_opened_timestamp_seconds", "holdfast_object_plan_changes",
}

// lines are the gauges and counters of some names, as served.
func lines(t *testing.T, c prometheus.Collector, names ...string) []string {
	t.Helper()
	var out []string
	for _, family := range gather(t, c) {
		for _, m := range family.GetMetric() {
			if slices.Contains(names, family.GetName()) {
				out = append(out, family.GetName()+labelsOf(m)+" "+number(m.GetGauge().GetValue()+m.GetCounter().GetValue()))
			}
		}
	}
	return out
}

func expect(t *testing.T, c prometheus.Collector, names []string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, lines(t, c, names...)); d != "" {
		t.Errorf("served (-want +got):\n%s", d)
	}
}

func TestAnObjectHasSeriesOfItsOwnOnlyWhileItIsAbnormal(t *testing.T) {
	held := bucket("Ready=True:UpToDate", "Drifted=True:Differs", "BreakGlass=True:Open")
	held.Status.BreakGlass = &v1alpha1.BreakGlass{Scope: v1alpha1.BreakGlassOnObject, By: "ada", Verified: true, Since: metav1.NewTime(noon.Add(time.Minute))}
	waiting := bucket("Ready=False:AwaitingApproval", "Drifted=True:Differs")
	waiting.Status.Plan = &v1alpha1.Plan{Changes: make([]v1alpha1.Change, 3), Omitted: 2}
	const labels = `kind="bucket",name="logs",namespace="shop",project="shop-project"`
	cases := map[string]struct {
		obj  *v1alpha1.Bucket
		want []string
	}{
		"as it should be": {healthy(), nil},
		"not ready": {bucket("Ready=False:Denied", "Drifted=Unknown:Unknown"), []string{
			`holdfast_object_not_ready_timestamp_seconds{` + labels + `,reason="Denied"} 1000000`,
		}},
		"not yet known": {&v1alpha1.Bucket{}, nil},
		"glass": {held, []string{
			`holdfast_break_glass_opened_timestamp_seconds{by="ada",` + labels + `,scope="Object",verified="true"} 1000060`,
			`holdfast_object_drifted_timestamp_seconds{` + labels + `} 1000000`,
		}},
		"plan": {waiting, []string{
			`holdfast_object_drifted_timestamp_seconds{` + labels + `} 1000000`,
			`holdfast_object_not_ready_timestamp_seconds{` + labels + `,reason="AwaitingApproval"} 1000000`,
			`holdfast_object_plan_changes{` + labels + `} 5`,
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := New()
			c.Show(logs, tc.obj)
			expect(t, c, perObject, tc.want...)
			c.Show(logs, healthy())
			expect(t, c, perObject)
			c.Show(logs, tc.obj)
			c.Forget(logs)
			expect(t, c, perObject)
			c.Forget(logs) // is no fault
		})
	}
}

func TestCountsByKind(t *testing.T) {
	c := New()
	c.Show(logs, healthy())
	c.Show(Key{"bucket", "shop", "media"}, bucket("Ready=False:Throttled", "Reconciling=True:Throttled", "Drifted=Unknown:Unknown"))
	c.Show(Key{"topic", "shop", "gone"}, healthy())
	c.Forget(Key{"topic", "shop", "gone"})
	c.Show(Key{"topic", "shop", "new"}, &v1alpha1.Bucket{})
	expect(t, c, []string{"holdfast_objects"},
		`holdfast_objects{kind="bucket",reason="Throttled"} 1`, `holdfast_objects{kind="bucket",reason="UpToDate"} 1`,
		`holdfast_objects{kind="topic",reason="Unknown"} 1`)
	counted := map[string]bool{}
	for _, line := range lines(t, c, "holdfast_object_conditions") {
		counted[line] = true
	}
	for _, want := range []string{
		`holdfast_object_conditions{condition="Ready",kind="bucket",status="True"} 1`,
		`holdfast_object_conditions{condition="Ready",kind="bucket",status="False"} 1`,
		`holdfast_object_conditions{condition="Ready",kind="bucket",status="Unknown"} 0`,
		`holdfast_object_conditions{condition="Drifted",kind="bucket",status="Unknown"} 1`,
		`holdfast_object_conditions{condition="Reconciling",kind="bucket",status="True"} 1`,
		`holdfast_object_conditions{condition="Stalled",kind="bucket",status="False"} 2`,
		`holdfast_object_conditions{condition="BreakGlass",kind="topic",status="True"} 0`,
	} {
		if !counted[want] {
			t.Errorf("not served: %s", want)
		}
	}
	if len(counted) != 2*len(conditionTypes)*len(conditionStatuses) {
		t.Errorf("%d series of conditions", len(counted))
	}
}

func TestWhatWasNotLookedAtIsToldApart(t *testing.T) {
	c, leads := New(), false
	c.Watch("bucket", Kind{Sweep: 10 * time.Minute, Count: func() (int, bool) { return 5, leads }})
	names := []string{"holdfast_objects_unseen", "holdfast_sweep_interval_seconds", "holdfast_sweep_oldest_look_timestamp_seconds"}
	expect(t, c, names, `holdfast_sweep_interval_seconds{kind="bucket"} 600`)
	leads = true
	c.Passed(logs, Pass{Object: healthy(), Was: &healthy().Status.CommonStatus, Began: noon, Ended: noon.Add(time.Second)})
	c.Passed(Key{"bucket", "shop", "media"}, Pass{Object: healthy(), Was: &healthy().Status.CommonStatus, Began: noon, Ended: noon.Add(time.Minute)})
	expect(t, c, names, `holdfast_objects_unseen{kind="bucket"} 3`, `holdfast_sweep_interval_seconds{kind="bucket"} 600`,
		`holdfast_sweep_oldest_look_timestamp_seconds{kind="bucket"} 1000001`)
}

// TestAFleetHasNotTooManySeries is about the worst hour of a model fleet: 3,000 projects with 50,000 resources of four kinds, each
// of them not ready, drifted, and under a glass or waiting for an approval, and every counter at its fullest.
func TestAFleetHasNotTooManySeries(t *testing.T) {
	const projects, resources, most = 3000, 50_000, 20_000
	c, kinds := New(), []string{"bucket", "topic", "serviceaccount", "projectpolicy"}
	reasons := allReasons()
	for i := range resources {
		obj := bucket("Ready=False:"+reasons[i%len(reasons)], "Drifted=True:Differs", "BreakGlass=True:Open")
		obj.Status.Project = fmt.Sprintf("project-%d", i%projects)
		obj.Status.BreakGlass = &v1alpha1.BreakGlass{By: fmt.Sprintf("person-%d", i), Since: metav1.NewTime(noon)}
		obj.Status.Plan = &v1alpha1.Plan{Changes: make([]v1alpha1.Change, 1)}
		kind := kinds[i%len(kinds)]
		c.Passed(Key{kind, fmt.Sprintf("team-%d", i%projects), fmt.Sprintf("resource-%d", i)}, Pass{Object: obj, Was: &v1alpha1.CommonStatus{}, Reason: reasons[i%len(reasons)]})
	}
	for _, kind := range kinds {
		for i, reason := range reasons {
			c.Show(Key{kind, "one-of-each", reason}, bucket("Ready=False:"+reason))
			c.Ended(kind, reason, time.Second)
			for j := range 4 { // 120 fields
				c.drift.found.WithLabelValues(kind, fmt.Sprintf("spec.field%d.%d", i, j)).Inc()
				c.drift.corrected.WithLabelValues(kind, fmt.Sprintf("spec.field%d.%d", i, j)).Inc()
			}
		}
		for _, held := range []string{"true", "false"} {
			c.reports.timeToApply.WithLabelValues(kind, held).Observe(1)
		}
		c.reports.gaps.WithLabelValues(kind).Observe(1)
		c.Watch(kind, Kind{Count: func() (int, bool) { return resources, true }})
	}
	started := time.Now()
	families := gather(t, c)
	t.Logf("collected in %s", time.Since(started))
	total := 0
	for _, family := range families {
		n := seriesOf(family)
		total += n
		t.Logf("%6d %s", n, family.GetName())
	}
	// What internal/gcp, controller-runtime and the Go runtime have comes on top: about 40 methods with 15 codes each, two
	// histograms' worth of buckets, and some 200 series per controller.
	const others = 40*15*2 + 40*13 + 4*200 + 200
	t.Logf("%6d in all, and %d of others", total, others)
	if total+others > most {
		t.Errorf("%d series, want at most %d", total+others, most)
	}
	for _, omitted := range lines(t, c, "holdfast_object_series_omitted") {
		if strings.HasSuffix(omitted, " 0") {
			t.Errorf("%s, though there are %d objects", omitted, resources)
		}
	}
}

// allReasons are more than Ready has.
func allReasons() []string {
	var out []string
	for i := range 30 {
		out = append(out, fmt.Sprintf("Reason%d", i))
	}
	return out
}

func gather(t *testing.T, c prometheus.Collector) []*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// seriesOf is how many series a family has in a Prometheus that takes classic buckets.
func seriesOf(family *dto.MetricFamily) int {
	n := 0
	for _, m := range family.GetMetric() {
		n++
		if h := m.GetHistogram(); h != nil {
			n += len(h.GetBucket()) + 2 // the bucket of infinity, sum and count
		}
	}
	return n
}
