package monitoring

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/holdfast-dev/holdfast/test/installed"
)

// ruleFile is what is below `spec` of a PrometheusRule, and what Prometheus reads.
type ruleFile struct {
	Groups []group `json:"groups"`
}

type group struct {
	Name  string `json:"name"`
	Rules []rule `json:"rules"`
}

type rule struct {
	Alert       string            `json:"alert,omitempty"`
	Record      string            `json:"record,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// readRules takes the rules out of the PrometheusRule.
func readRules(t *testing.T) ruleFile {
	t.Helper()
	var rules ruleFile
	into(t, "rules.yaml", "PrometheusRule", &rules)
	return rules
}

// into reads the spec of the one object in a file of config/prometheus. What it does not know is an error.
func into(t *testing.T, file, kind string, spec any) {
	t.Helper()
	objects, err := installed.Objects("prometheus", file)
	if err != nil || len(objects) != 1 || objects[0].GetKind() != kind {
		t.Fatalf("%s: want one %s, got %d objects, %v", file, kind, len(objects), err)
	}
	text, err := json.Marshal(objects[0].Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(spec); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// write writes the rules as Prometheus reads them.
func (f ruleFile) write(t *testing.T, path string) {
	t.Helper()
	text, err := json.Marshal(f)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (f ruleFile) alerts() []rule {
	var alerts []rule
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				alerts = append(alerts, r)
			}
		}
	}
	return alerts
}

func TestRules(t *testing.T) {
	promtool := programs(t, "promtool")[0]
	folder := t.TempDir()
	readRules(t).write(t, filepath.Join(folder, "rules.json"))
	tests, err := os.ReadFile("../../config/prometheus/rules_test.yaml")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "rules_test.yaml"), tests, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "rules", "--lint-fatal", "rules.json"}, {"test", "rules", "rules_test.yaml"}} {
		command := exec.CommandContext(t.Context(), promtool, args...)
		command.Dir = folder
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestRulesWithoutTheOperator runs the command of the README that makes a plain rule file.
func TestRulesWithoutTheOperator(t *testing.T) {
	promtool := programs(t, "promtool")[0]
	readme, err := os.ReadFile("../../config/prometheus/README.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^(sed .*) > holdfast\.rules\.yaml$`).FindStringSubmatch(string(readme))
	if line == nil {
		t.Fatal("the README does not say how to make a rule file")
	}
	made := filepath.Join(t.TempDir(), "holdfast.rules.yaml")
	command := exec.CommandContext(t.Context(), "bash", "-c", fmt.Sprintf("%s > %s && %s check rules --lint-fatal %[2]s", line[1], made, promtool))
	command.Dir = "../.."
	out, err := command.CombinedOutput()
	rules := 0
	for _, g := range readRules(t).Groups {
		rules += len(g.Rules)
	}
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("SUCCESS: %d rules found", rules)) {
		t.Errorf("%s: %v\n%s", line[1], err, out)
	}
}

// TestEachAlertIsTested looks for a case in which each alert fires, so that a new one does not go untested.
func TestEachAlertIsTested(t *testing.T) {
	text, err := os.ReadFile("../../config/prometheus/rules_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, alert := range readRules(t).alerts() {
		if !strings.Contains(string(text), "    alertname: "+alert.Alert+"\n    exp_alerts:\n    - exp_labels:") {
			t.Errorf("%s never fires in rules_test.yaml", alert.Alert)
		}
	}
}

// TestEachAlertHasARunbook holds the annotations against the runbook: a paragraph with what to look at, and what to type.
func TestEachAlertHasARunbook(t *testing.T) {
	text, err := os.ReadFile("../../config/prometheus/README.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(text), "\n### ")[1:] {
		title, body, _ := strings.Cut(section, "\n")
		sections[title] = body
	}
	for _, alert := range readRules(t).alerts() {
		body, ok := sections[alert.Alert]
		delete(sections, alert.Alert)
		switch {
		case !ok:
			t.Errorf("%s has no section in the runbook", alert.Alert)
		case !strings.Contains(body, "kubectl") && !strings.Contains(body, "(#holdfast"):
			t.Errorf("%s: the runbook does not say what to type", alert.Alert)
		}
		want := "https://github.com/holdfast-dev/holdfast/blob/main/config/prometheus/README.md#" + strings.ToLower(alert.Alert)
		if alert.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook_url %q, want %q", alert.Alert, alert.Annotations["runbook_url"], want)
		}
		for _, annotation := range []string{"summary", "description"} {
			if alert.Annotations[annotation] == "" {
				t.Errorf("%s has no %s", alert.Alert, annotation)
			}
		}
		switch alert.Labels["severity"] {
		case "critical", "warning", "info":
		default:
			t.Errorf("%s: severity %q", alert.Alert, alert.Labels["severity"])
		}
	}
	for title := range sections {
		t.Errorf("the runbook has a section %q, and there is no such alert", title)
	}
}

var askedReasons = regexp.MustCompile(`reason(?:=|!=|=~|!~)"([A-Za-z|]+)"`)

// TestReasonsExist looks up each reason that a rule or a query asks for.
func TestReasonsExist(t *testing.T) {
	known, err := os.ReadFile("../../api/v1alpha1/conditions.go")
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, g := range readRules(t).Groups {
		for _, r := range g.Rules {
			asked = append(asked, r.Expr)
		}
	}
	for _, q := range readDashboard(t).queries() {
		asked = append(asked, q.expr)
	}
	for _, match := range askedReasons.FindAllStringSubmatch(strings.Join(asked, "\n"), -1) {
		for reason := range strings.SplitSeq(match[1], "|") {
			if !strings.Contains(string(known), fmt.Sprintf("= %q", reason)) {
				t.Errorf("%s: there is no reason %s", match[0], reason)
			}
		}
	}
}

// The least time that a rule waits, or looks back over, in an incident that is played faster: a few scrapes.
const (
	leastFor   = 2 * time.Second
	leastRange = 10 * time.Second
)

var (
	ranges  = regexp.MustCompile(`\[(\w+)\]`)
	seconds = regexp.MustCompile(`\* (60|3600)\b`)
)

// faster makes rules play an incident in a fraction of its time: it divides each `for`, each range, and each number of seconds
// that is written as a multiple of 60 or 3600. Nothing else of them changes.
func faster(rules ruleFile, by int) (ruleFile, error) {
	shorter := func(text string, least time.Duration) (string, error) {
		d, err := model.ParseDuration(text)
		return model.Duration(max(time.Duration(d)/time.Duration(by), least).Round(time.Second)).String(), err
	}
	var out ruleFile
	for _, g := range rules.Groups {
		fast := group{Name: g.Name}
		for _, r := range g.Rules {
			var err error
			if r.For != "" {
				if r.For, err = shorter(r.For, leastFor); err != nil {
					return out, err
				}
			}
			r.Expr = ranges.ReplaceAllStringFunc(r.Expr, func(text string) string {
				short, failure := shorter(strings.Trim(text, "[]"), leastRange)
				if failure != nil {
					err = failure
				}
				return "[" + short + "]"
			})
			if err != nil {
				return out, err
			}
			r.Expr = seconds.ReplaceAllString(r.Expr, fmt.Sprintf("* $1 / %d", by))
			fast.Rules = append(fast.Rules, r)
		}
		out.Groups = append(out.Groups, fast)
	}
	return out, nil
}

func TestFaster(t *testing.T) {
	slow := ruleFile{Groups: []group{{Name: "g", Rules: []rule{
		{Alert: "A", Expr: "time() - x > 4 * 3600 and rate(y[15m]) > 3 * z", For: "1h"},
		{Record: "kind:x:p95_1h", Expr: "rate(x[1h]) > 30 * 60"},
	}}}}
	want := ruleFile{Groups: []group{{Name: "g", Rules: []rule{
		{Alert: "A", Expr: "time() - x > 4 * 3600 / 60 and rate(y[15s]) > 3 * z", For: "1m"},
		{Record: "kind:x:p95_1h", Expr: "rate(x[1m]) > 30 * 60 / 60"},
	}}}}
	got, err := faster(slow, 60)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("faster: %v (-want +got):\n%s", err, d)
	}
	if got, err := faster(slow, 3600); err != nil || got.Groups[0].Rules[0].For != "2s" {
		t.Errorf("a `for` as short as can be: %+v, %v", got, err)
	}
}
