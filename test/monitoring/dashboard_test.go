package monitoring

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// dashboard is what these tests ask of a dashboard for Grafana.
type dashboard struct {
	UID        string  `json:"uid"`
	Panels     []panel `json:"panels"`
	Templating struct {
		List []struct {
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"list"`
	} `json:"templating"`
}

type panel struct {
	ID          int        `json:"id"`
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Datasource  datasource `json:"datasource"`
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
		Overrides []json.RawMessage `json:"overrides"`
	} `json:"fieldConfig"`
	Targets []struct {
		RefID      string     `json:"refId"`
		Expr       string     `json:"expr"`
		Datasource datasource `json:"datasource"`
	} `json:"targets"`
}

type datasource struct{ Type, UID string }

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	text, err := os.ReadFile("../../config/grafana/holdfast.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// query is a query of a panel as Grafana sends it once its variables are filled in.
type query struct{ panel, expr string }

func (d dashboard) queries() []query {
	fill := strings.NewReplacer("$__rate_interval", "15s", "$kind", ".*", "$namespace", ".*")
	var out []query
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			out = append(out, query{p.Title, fill.Replace(target.Expr)})
		}
	}
	return out
}

func TestDashboardIsOneThatGrafanaShows(t *testing.T) {
	d := readDashboard(t)
	if d.UID == "" {
		t.Error("no uid: each import would make another dashboard")
	}
	variables := map[string]bool{"__rate_interval": true}
	for _, v := range d.Templating.List {
		variables[v.Name] = true
	}
	ids, places := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("%s: the id %d is another panel's too", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W == 0 || p.GridPos.H == 0 {
			t.Errorf("%s does not fit: %+v", p.Title, p.GridPos)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := places[[2]int{x, y}]; other != "" {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				places[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		checkPanel(t, p, variables)
	}
}

func checkPanel(t *testing.T, p panel, variables map[string]bool) {
	t.Helper()
	if p.Title == "" || p.Description == "" || len(p.Targets) == 0 {
		t.Errorf("panel %d %q: want a title, a description and queries", p.ID, p.Title)
	}
	if p.FieldConfig.Defaults.Unit == "" && len(p.FieldConfig.Overrides) == 0 {
		t.Errorf("%s has no unit", p.Title)
	}
	refs := map[string]bool{}
	for _, target := range p.Targets {
		if refs[target.RefID] {
			t.Errorf("%s has two queries %s", p.Title, target.RefID)
		}
		refs[target.RefID] = true
		for _, source := range []datasource{p.Datasource, target.Datasource} {
			if source != (datasource{"prometheus", "${datasource}"}) {
				t.Errorf("%s: %+v is not the Prometheus that one chooses", p.Title, source)
			}
		}
		for i, text := range strings.Split(target.Expr, "$") {
			name, _, _ := strings.Cut(strings.Map(func(r rune) rune {
				if r == '_' || 'a' <= r && r <= 'z' {
					return r
				}
				return ' '
			}, text), " ")
			if i > 0 && !variables[name] {
				t.Errorf("%s: there is no variable $%s", p.Title, name)
			}
		}
	}
}
