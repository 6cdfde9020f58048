package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prometheus "github.com/prometheus/common/model"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// tally counts things by name.
type tally map[string]int

// less is what has been added since another one.
func (t tally) less(before tally) tally {
	out := tally{}
	for name, n := range t {
		if n -= before[name]; n != 0 {
			out[name] = n
		}
	}
	return out
}

func (t tally) total() int { return t.sum(func(string) bool { return true }) }

// sum adds up those whose name is meant.
func (t tally) sum(meant func(name string) bool) int {
	total := 0
	for name, n := range t {
		if meant(name) {
			total += n
		}
	}
	return total
}

// writeVerbs are those of the API server's own metrics that store something.
var writeVerbs = map[string]bool{"POST": true, "PUT": true, "PATCH": true, "APPLY": true, "DELETE": true, "DELETECOLLECTION": true}

// requests counts the requests about our kinds, Namespaces and events that the API server says it has granted, as "PATCH buckets/status": a
// write that it refused, since somebody else had been faster, was not stored.
func requests(families map[string]*dto.MetricFamily) tally {
	out := tally{}
	for _, m := range families["apiserver_request_total"].GetMetric() {
		l := labelsOf(m)
		if !strings.HasPrefix(l["code"], "2") {
			continue
		}
		switch l["group"] {
		case v1alpha1.GroupVersion.Group, "events.k8s.io":
		case "":
			if l["resource"] != "namespaces" && l["resource"] != "events" {
				continue
			}
		default:
			continue
		}
		out[l["verb"]+" "+strings.TrimSuffix(l["resource"]+"/"+l["subresource"], "/")] += int(m.GetCounter().GetValue())
	}
	return out
}

// writesOf counts the writes among requests, those of events apart.
func writesOf(requests tally) (writes, events int) {
	isWrite := func(name string) bool { verb, _, _ := strings.Cut(name, " "); return writeVerbs[verb] }
	isEvent := func(name string) bool { _, what, _ := strings.Cut(name, " "); return what == "events" }
	events = requests.sum(func(name string) bool { return isWrite(name) && isEvent(name) })
	return requests.sum(isWrite) - events, events
}

func labelsOf(m *dto.Metric) map[string]string {
	out := map[string]string{}
	for _, pair := range m.GetLabel() {
		out[pair.GetName()] = pair.GetValue()
	}
	return out
}

// parseMetrics reads what Prometheus would.
func parseMetrics(text []byte) (map[string]*dto.MetricFamily, error) {
	parser := expfmt.NewTextParser(prometheus.LegacyValidation)
	return parser.TextToMetricFamilies(bytes.NewReader(text))
}

// series counts what Prometheus would store of them.
func series(families map[string]*dto.MetricFamily) int {
	n := 0
	for _, family := range families {
		for _, m := range family.GetMetric() {
			switch {
			case m.GetHistogram() != nil:
				n += len(m.GetHistogram().GetBucket()) + 2
			case m.GetSummary() != nil:
				n += len(m.GetSummary().GetQuantile()) + 2
			default:
				n++
			}
		}
	}
	return n
}

// gauge is the value of a metric without labels.
func gauge(families map[string]*dto.MetricFamily, name string) float64 {
	for _, m := range families[name].GetMetric() {
		return m.GetGauge().GetValue() + m.GetUntyped().GetValue() + m.GetCounter().GetValue()
	}
	return 0
}

// counting counts the writes of the benchmark itself that are granted, by the same names, so that they can be taken off.
type counting struct {
	next http.RoundTripper

	mu   sync.Mutex
	made tally
}

// RoundTrip implements http.RoundTripper.
func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := c.next.RoundTrip(r)
	if name := requestName(r); name != "" && err == nil && answer.StatusCode < http.StatusMultipleChoices {
		c.mu.Lock()
		c.made[name]++
		c.mu.Unlock()
	}
	return answer, err
}

func (c *counting) counts() tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.made)
}

// requestName is what the API server's metrics call a write; empty for a read.
func requestName(r *http.Request) string {
	verb := r.Method
	if !writeVerbs[verb] {
		return ""
	}
	if verb == http.MethodPatch && r.Header.Get("Content-Type") == "application/apply-patch+yaml" {
		verb = "APPLY"
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch parts[0] {
	case "api":
		parts = parts[min(2, len(parts)):]
	case "apis":
		parts = parts[min(3, len(parts)):]
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	what := parts[0]
	if len(parts) > 2 {
		what += "/" + parts[2]
	}
	return verb + " " + what
}

// ticksPerSecond is how Linux counts processor time, on every architecture that Go has.
const ticksPerSecond = 100

// cpuSeconds is the processor time that a process has used; 0 where the system does not tell.
func cpuSeconds(pid int) float64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may have spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return float64(user+system) / ticksPerSecond
}

// resetPeak makes the most be counted from now on.
func resetPeak(pid int) {
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/clear_refs", []byte("5"), 0) // without it, the peak is that of all phases
}

// children are the processes of ours that run a program, by its name.
func children(name string) []int {
	entries, _ := os.ReadDir("/proc") // none where there is no such folder
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		before, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest)
		if strings.HasSuffix(before, "("+name) && len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// fetch reads a page.
func fetch(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return body.Bytes(), nil
}
