package monitoring

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// speed is how much faster the incident is than the rules take time for: four hours are five seconds.
const speed = 2880

// incident is what the steps of the story share.
type incident struct {
	*cluster
	*prometheus
	began time.Time
	token string
	// whole is the test that outlives its steps, and what they start.
	whole *testing.T
}

// TestIncident plays bad days, one after the other, with everything real but Google Cloud and the time that alerts wait. Each alert
// fires and resolves, but for HoldfastSeriesOmitted, which takes more objects than there is time for here, and
// HoldfastDestructionOnHold, which only the tests of the rules fire.
func TestIncident(t *testing.T) {
	paths := programs(t, "prometheus", "promtool")
	rules, err := faster(readRules(t), speed)
	if err != nil {
		t.Fatal(err)
	}
	kube := newCluster(t)
	kube.fill("shop", 8, 4)
	kube.fill("analytics", 4, 4)
	token := kube.token()
	began := time.Now()
	kube.startManager(t)
	i := &incident{kube, startPrometheus(t, paths[0], rules, scrapeConfig(t, kube.metrics, token)), began, token, t}

	for _, step := range []struct {
		name string
		play func(*testing.T)
	}{
		{"all is well", i.allIsWell},
		{"a plan begins to wait", i.aPlanBeginsToWait},
		{"Cloud Storage is away", i.outage},
		{"somebody breaks the glass and forgets it", i.glass},
		{"a project's quota is used up", i.throttled},
		{"a permission is taken away", i.denied},
		{"nobody approves the plan for a day", i.planWaits},
		{"Cloud Storage hangs", i.hangs},
		{"the operator dies", i.dies},
		{"the dashboard shows it all", i.dashboard},
		{"histograms are native, too", i.nativeHistograms},
		{"promtool likes the metrics", func(t *testing.T) { i.check(t, paths[1]) }},
	} {
		if !t.Run(step.name, func(t *testing.T) {
			i.cluster.t, i.prometheus.t = t, t
			step.play(t)
		}) {
			break // what follows would wait in vain
		}
	}
	i.cluster.t, i.prometheus.t = t, t
}

func (i *incident) allIsWell(t *testing.T) {
	eventually(t, "all objects to be ready", func() (bool, string) {
		is := i.query(`sum by (kind) (holdfast_objects{reason="UpToDate"})`)
		return len(is) == 2 && is[0].Value[1] == "12" && is[1].Value[1] == "8", fmt.Sprint(is)
	})
	eventually(t, "no alert", func() (bool, string) {
		firing := i.firing()
		return len(firing) == 0, fmt.Sprint(firing)
	})
	if target := i.value(`up{job="holdfast"}`); target != "1" {
		t.Errorf("up is %s", target)
	}
	if abnormal := i.query(`{__name__=~"holdfast_.+", name=~".+"}`); len(abnormal) > 0 {
		t.Errorf("series of single objects though all are well: %v", abnormal)
	}
	if clash := i.query(`{__name__=~"holdfast_.+", exported_namespace!=""}`); len(clash) > 0 {
		t.Errorf("the labels of objects give way to the target's: %v", clash)
	}
	// Twenty creates were edits that were applied; the next edit makes the rate of a histogram that was there before.
	i.edit(i.bucket("shop", 5), "", func(o *v1alpha1.Bucket) { o.Spec.Labels = v1alpha1.Labels{"team": "shop"} })
	i.reason("shop", 5, v1alpha1.ReasonUpToDate)
	eventually(t, "the edit to be measured", func() (bool, string) {
		is := i.query(`sum(holdfast_time_to_apply_seconds_count{held="false"}) == 21`)
		return len(is) == 1, fmt.Sprint(i.query(`holdfast_time_to_apply_seconds_count`))
	})
}

func (i *incident) aPlanBeginsToWait(*testing.T) {
	i.edit(i.bucket("shop", 1), "", func(o *v1alpha1.Bucket) {
		o.Spec.Management, o.Spec.Labels = v1alpha1.ManagementApprove, v1alpha1.Labels{"team": "shop"}
	})
	i.reason("shop", 1, v1alpha1.ReasonAwaitingApproval)
}

func (i *incident) outage(t *testing.T) {
	away := i.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Service: "storage"}, Outage: true})
	i.look(&v1alpha1.BucketList{}) // a sweep that fails leaves its objects as they are
	i.fires("HoldfastObjectsNotReady", "kind", "bucket", "severity", "critical")
	if topics := i.query(`kind_service:holdfast_objects_failing:ratio{kind="topic"} > 0`); len(topics) > 0 {
		t.Errorf("topics fail too: %v", topics)
	}
	i.cloud.Traffic.Remove(away)
	i.resolves("HoldfastObjectsNotReady")
}

func (i *incident) glass(t *testing.T) {
	i.annotate(i.bucket("shop", 5), installed.Ada, v1alpha1.BreakGlassAnnotation, "INC-4711: partner needs access")
	i.value(`holdfast_break_glass_opened_timestamp_seconds{name="shop-bucket-5", by="ada", verified="true", project="shop-project"}`)
	i.must(i.cloud.Storage.EditBucket("shop-bucket-5", map[string]any{"labels": map[string]any{"team": "partner"}}))
	i.value(`holdfast_object_drifted_timestamp_seconds{name="shop-bucket-5"}`)
	i.fires("HoldfastGlassOpenLong", "by", "ada", "namespace", "shop", "name", "shop-bucket-5", "scope", "Object")
	i.silent("HoldfastDriftNotCorrected") // it waits for a person, and has an alert already
	i.annotate(i.bucket("shop", 5), installed.Ada, v1alpha1.BreakGlassAnnotation, "")
	i.resolves("HoldfastGlassOpenLong")
	i.reason("shop", 5, v1alpha1.ReasonUpToDate)
	eventually(t, "the object's series to go", func() (bool, string) {
		is := i.query(`{__name__=~"holdfast_.+", name="shop-bucket-5"}`)
		return len(is) == 0, fmt.Sprint(is)
	})
}

// silent sees to it that an alert does not fire, for as long as it would take to.
func (i *incident) silent(alert string) {
	i.prometheus.t.Helper()
	until := time.Now().Add(3 * time.Second)
	eventually(i.prometheus.t, "a while to pass", func() (bool, string) {
		for _, is := range i.firing() {
			if is["alertname"] == alert {
				i.prometheus.t.Fatalf("%s fires: %v", alert, is)
			}
		}
		return time.Now().After(until), ""
	})
}

func (i *incident) throttled(*testing.T) {
	refusing := i.cloud.Traffic.Inject(traffic.Fault{
		Match: traffic.Call{Service: "pubsub", Project: "analytics-project"}, Status: http.StatusTooManyRequests, RetryAfter: 2 * time.Second,
	})
	i.patch(&v1alpha1.TopicList{}, `{"spec":{"labels":{"team":"orders"}}}`) // what is Ready stays so for some minutes
	i.fires("HoldfastProjectThrottled", "project", "analytics-project")
	i.value(`sum(holdfast_gcp_throttled_total{service="pubsub", code="ResourceExhausted"}) > 0`)
	i.cloud.Traffic.Remove(refusing)
	i.resolves("HoldfastProjectThrottled")
}

func (i *incident) denied(*testing.T) {
	i.forgetCreation(i.bucket("shop", 5))
	refusing := i.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Service: "storage", Method: "buckets.patch"}, Status: http.StatusForbidden})
	i.must(i.cloud.Storage.EditBucket("shop-bucket-5", map[string]any{"labels": map[string]any{"team": "somebody"}}))
	i.reason("shop", 5, v1alpha1.ReasonDenied)
	i.fires("HoldfastDriftNotCorrected", "namespace", "shop", "name", "shop-bucket-5", "project", "shop-project")
	i.cloud.Traffic.Remove(refusing)
	i.annotate(i.bucket("shop", 5), "", v1alpha1.ReconcileRequestedAtAnnotation, time.Now().Format(time.RFC3339)) // as the runbook says
	i.resolves("HoldfastDriftNotCorrected")
	i.value(`holdfast_drift_found_total{kind="bucket", field="spec.labels"}`)
	i.value(`holdfast_drift_corrected_total{kind="bucket", field="spec.labels"}`)
}

func (i *incident) planWaits(*testing.T) {
	i.fires("HoldfastPlansWaiting", "kind", "bucket", "namespace", "shop", "project", "shop-project")
	obj := i.bucket("shop", 1)
	i.annotate(obj, installed.Ada, v1alpha1.ApproveAnnotation, obj.Status.Plan.Hash)
	i.resolves("HoldfastPlansWaiting")
	i.value(`holdfast_time_to_apply_seconds_count{kind="bucket", held="true"}`)
}

func (i *incident) hangs(*testing.T) {
	slow := i.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Service: "storage"}, Latency: 25 * time.Second})
	i.look(&v1alpha1.BucketList{})
	i.fires("HoldfastNotReconciling", "kind", "bucket")
	i.fires("HoldfastSweepStale", "kind", "bucket")
	i.cloud.Traffic.Remove(slow)
	i.resolves("HoldfastNotReconciling")
	i.resolves("HoldfastSweepStale")
}

// dies kills the operator. The next one waits for a lease that another holds, then for Cloud Storage, and knows of the glass what
// the one before knew.
func (i *incident) dies(t *testing.T) {
	i.annotate(i.bucket("shop", 2), installed.Ada, v1alpha1.BreakGlassAnnotation, "INC-4712: kept over a restart")
	const glass = `holdfast_break_glass_opened_timestamp_seconds{name="shop-bucket-2"}`
	since := i.value(glass)
	i.manager.Kill()
	i.fires("HoldfastDown", "severity", "critical", "service", "holdfast-metrics")

	var lease coordinationv1.Lease
	key := client.ObjectKey{Namespace: "holdfast-system", Name: "holdfast-manager"}
	i.must(i.Get(t.Context(), key, &lease))
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds, lease.Spec.RenewTime = new("somebody-else"), new(int32(3600)), new(metav1.NowMicro())
	i.must(i.Update(t.Context(), &lease))
	slow := i.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Service: "storage"}, Latency: 25 * time.Second})
	i.startManager(i.whole)
	i.resolves("HoldfastDown")
	i.fires("HoldfastNoLeader", "name", "holdfast-manager", "service", "holdfast-metrics")
	i.must(i.Get(t.Context(), key, &lease))
	lease.Spec.HolderIdentity = new("")
	i.must(i.Update(t.Context(), &lease))
	i.resolves("HoldfastNoLeader")
	i.fires("HoldfastObjectsNeverSeen", "kind", "bucket")
	i.cloud.Traffic.Remove(slow)
	i.resolves("HoldfastObjectsNeverSeen")
	if again := i.value(glass); again != since {
		t.Errorf("the glass is broken since %s, and since %s after a restart", since, again)
	}
	i.annotate(i.bucket("shop", 2), installed.Ada, v1alpha1.BreakGlassAnnotation, "")
	i.reason("shop", 2, v1alpha1.ReasonUpToDate)
	eventually(t, "all alerts to resolve", func() (bool, string) {
		firing := i.firing()
		return len(firing) == 0, fmt.Sprint(firing)
	})
}

// dashboard asks each query over the whole incident: it has to parse, and to return data.
func (i *incident) dashboard(t *testing.T) {
	queries := readDashboard(t).queries()
	for _, q := range queries {
		if len(i.queryOver(q.expr, i.began)) == 0 {
			t.Errorf("%s: no data for %s", q.panel, q.expr)
		}
	}
	t.Logf("%d queries return data", len(queries))
	fired := map[string]bool{}
	for _, is := range i.queryOver(`ALERTS{alertstate="firing"}`, i.began) {
		fired[is.Metric["alertname"]] = true
	}
	for _, alert := range readRules(t).alerts() {
		if !fired[alert.Alert] && alert.Alert != "HoldfastSeriesOmitted" && alert.Alert != "HoldfastDestructionOnHold" {
			t.Errorf("%s has not fired", alert.Alert)
		}
	}
	for _, is := range i.query(`count by (job) ({job="holdfast"})`) {
		t.Logf("%v series of %s", is.Value[1], is.Metric["job"])
	}
}

// scrape reads the metrics as Prometheus does, in a format of one's choice, and returns the format that was sent.
func (i *incident) scrape(t *testing.T, accept string) (body []byte, format expfmt.Format) {
	t.Helper()
	token, err := os.ReadFile(i.token)
	i.must(err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+i.metrics+"/metrics", http.NoBody)
	i.must(err)
	request.Header.Set("Authorization", "Bearer "+string(token))
	request.Header.Set("Accept", accept)
	insecure := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := insecure.Do(request)
	i.must(err)
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	i.must(err)
	return body, expfmt.ResponseFormat(answer.Header)
}

// check has promtool look at our metrics as they are served.
func (i *incident) check(t *testing.T, promtool string) {
	body, _ := i.scrape(t, "text/plain")
	var ours bytes.Buffer
	for line := range strings.Lines(string(body)) {
		if name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "); strings.HasPrefix(name, "holdfast_") {
			ours.WriteString(line)
		}
	}
	if ours.Len() == 0 {
		t.Fatal("no metrics of ours are served")
	}
	command := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	command.Stdin = &ours
	if out, err := command.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// nativeHistograms asks as a Prometheus does that takes native histograms, which Debian's does not unless it is told to.
func (i *incident) nativeHistograms(t *testing.T) {
	body, format := i.scrape(t, string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
	decoder, seen := expfmt.NewDecoder(bytes.NewReader(body), format), 0
	for {
		var family dto.MetricFamily
		err := decoder.Decode(&family)
		if errors.Is(err, io.EOF) {
			break
		}
		i.must(err)
		for _, m := range family.GetMetric() {
			if h := m.GetHistogram(); h != nil && strings.HasPrefix(family.GetName(), "holdfast_") {
				seen++
				if h.Schema == nil || len(h.GetPositiveSpan()) == 0 || len(h.GetBucket()) == 0 {
					t.Errorf("%s: want native and classic buckets, got %v", family.GetName(), m)
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no histograms are served")
	}
}
