package monitoring

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/test/installed"
	"github.com/holdfast-dev/holdfast/test/process"
)

// prometheus is a running Prometheus.
type prometheus struct {
	t   *testing.T
	url string
}

// serviceMonitor is what a ServiceMonitor says that the Prometheus Operator would make a scrape configuration of.
type serviceMonitor struct {
	JobLabel  string                                  `json:"jobLabel"`
	Selector  struct{ MatchLabels map[string]string } `json:"selector"`
	Endpoints []struct {
		Port            string                            `json:"port"`
		Scheme          string                            `json:"scheme"`
		Interval        string                            `json:"interval"`
		HonorLabels     bool                              `json:"honorLabels"`
		BearerTokenFile string                            `json:"bearerTokenFile"`
		TLSConfig       struct{ InsecureSkipVerify bool } `json:"tlsConfig"`
	} `json:"endpoints"`
}

// scrapeConfig does for one target what the Prometheus Operator does for a ServiceMonitor: the job is named by the label of the
// Service, and the target has the labels of pod, Service and namespace. Only the interval is another.
func scrapeConfig(t *testing.T, target, tokenFile string) map[string]any {
	t.Helper()
	var monitor serviceMonitor
	into(t, "service_monitor.yaml", "ServiceMonitor", &monitor)
	services, err := installed.Objects("manager", "metrics_service.yaml")
	if err != nil || len(services) != 1 || len(monitor.Endpoints) != 1 {
		t.Fatalf("want one Service and one endpoint: %v", err)
	}
	service, endpoint := services[0], monitor.Endpoints[0]
	for name, value := range monitor.Selector.MatchLabels {
		if service.GetLabels()[name] != value {
			t.Errorf("the ServiceMonitor does not select the Service: %s is %q", name, service.GetLabels()[name])
		}
	}
	if ports := fmt.Sprint(service.Object["spec"]); !strings.Contains(ports, "name:"+endpoint.Port) {
		t.Errorf("the Service has no port %q: %s", endpoint.Port, ports)
	}
	if endpoint.BearerTokenFile == "" {
		t.Error("without a token the manager does not answer")
	}
	return map[string]any{
		"job_name":        service.GetLabels()[monitor.JobLabel],
		"scheme":          endpoint.Scheme,
		"honor_labels":    endpoint.HonorLabels,
		"authorization":   map[string]any{"credentials_file": tokenFile},
		"tls_config":      map[string]any{"insecure_skip_verify": endpoint.TLSConfig.InsecureSkipVerify},
		"scrape_interval": "1s",
		"static_configs": []any{map[string]any{
			"targets": []string{target},
			"labels": map[string]string{
				"namespace": service.GetNamespace(), "service": service.GetName(), "pod": "holdfast-manager-0", "endpoint": endpoint.Port, "container": "manager",
			},
		}},
	}
}

// startPrometheus scrapes a target every second, and evaluates rules as often.
func startPrometheus(t *testing.T, path string, rules ruleFile, scrape map[string]any) *prometheus {
	t.Helper()
	folder := t.TempDir()
	rules.write(t, filepath.Join(folder, "rules.json"))
	config, err := yaml.Marshal(map[string]any{
		"global":         map[string]any{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
		"rule_files":     []string{"rules.json"},
		"scrape_configs": []any{scrape},
	})
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "prometheus.yml"), config, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	server := process.StartTest(t, process.Program{Path: path, Args: []string{
		"--config.file", filepath.Join(folder, "prometheus.yml"), "--storage.tsdb.path", filepath.Join(folder, "data"),
		"--web.listen-address", address, "--log.level", "warn",
	}})
	p := &prometheus{t: t, url: "http://" + address}
	if err := server.Await(t.Context(), patience, process.Serving(p.url+"/-/ready")); err != nil {
		t.Fatal(err)
	}
	return p
}

// get asks Prometheus' API.
func (p *prometheus) get(path string, params url.Values, data any) error {
	answer, err := http.Get(p.url + "/api/v1/" + path + "?" + params.Encode())
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	var envelope struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return fmt.Errorf("%s: %s", answer.Status, body)
	}
	if envelope.Status != "success" {
		return fmt.Errorf("%s", envelope.Error)
	}
	return json.Unmarshal(envelope.Data, data)
}

// result is one series of an answer; its values are pairs of a time and a text.
type result struct {
	Metric map[string]string
	Value  [2]any
	Values [][2]any
}

// query evaluates an expression now.
func (p *prometheus) query(expr string) []result {
	p.t.Helper()
	var data struct{ Result []result }
	if err := p.get("query", url.Values{"query": {expr}}, &data); err != nil {
		p.t.Errorf("%s: %v", expr, err)
	}
	return data.Result
}

// queryOver evaluates an expression each second from a time until now.
func (p *prometheus) queryOver(expr string, from time.Time) []result {
	p.t.Helper()
	var data struct{ Result []result }
	params := url.Values{"query": {expr}, "start": {from.Format(time.RFC3339)}, "end": {time.Now().Format(time.RFC3339)}, "step": {"1s"}}
	if err := p.get("query_range", params, &data); err != nil {
		p.t.Errorf("%s: %v", expr, err)
	}
	return data.Result
}

// value waits until an expression has one series, and returns its value.
func (p *prometheus) value(expr string) (value string) {
	p.t.Helper()
	eventually(p.t, expr, func() (bool, string) {
		results := p.query(expr)
		if len(results) != 1 {
			return false, fmt.Sprint(results)
		}
		value = fmt.Sprint(results[0].Value[1])
		return true, ""
	})
	return value
}

// firing are the alerts that fire: name and labels.
func (p *prometheus) firing() []map[string]string {
	p.t.Helper()
	var data struct {
		Alerts []struct {
			Labels map[string]string
			State  string
		}
	}
	if err := p.get("alerts", nil, &data); err != nil {
		p.t.Errorf("asking for alerts: %v", err)
	}
	var firing []map[string]string
	for _, alert := range data.Alerts {
		if alert.State == "firing" {
			firing = append(firing, alert.Labels)
		}
	}
	return firing
}

// fires waits until an alert fires, with these labels among its own: pairs of name and value.
func (p *prometheus) fires(alert string, labels ...string) {
	p.t.Helper()
	began := time.Now()
	eventually(p.t, alert+" to fire", func() (bool, string) {
		firing := p.firing()
		for _, is := range firing {
			if is["alertname"] == alert && has(is, labels) {
				return true, ""
			}
		}
		return false, fmt.Sprint(firing)
	})
	p.t.Logf("%s fires after %s", alert, time.Since(began).Round(time.Second))
}

// resolves waits until an alert fires for nothing.
func (p *prometheus) resolves(alert string) {
	p.t.Helper()
	began := time.Now()
	eventually(p.t, alert+" to resolve", func() (bool, string) {
		firing := p.firing()
		for _, is := range firing {
			if is["alertname"] == alert {
				return false, fmt.Sprint(is)
			}
		}
		return true, ""
	})
	p.t.Logf("%s resolves after %s", alert, time.Since(began).Round(time.Second))
}

func has(labels map[string]string, pairs []string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if labels[pairs[i]] != pairs[i+1] {
			return false
		}
	}
	return true
}
