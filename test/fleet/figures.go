package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/internal/version"
)

// sort says how far a figure depends on the machine.
type sort int

// The sorts, in the order in which they are shown.
const (
	count sort = iota
	ratio
	memorySize
	processor
	duration
)

var sortNames = [...]string{"counts", "ratios within this run", "memory of the operator", "processor time", "times"}

// figure is one result.
type figure struct {
	Phase string  `json:"phase"`
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
	// Target is the most that it should be; nil for no target.
	Target *float64 `json:"target,omitempty"`
	Note   string   `json:"note,omitempty"`
	Sort   string   `json:"sort"`

	sort sort
}

func (f figure) missed() bool { return f.Target != nil && f.Value > *f.Target }

func (f figure) standing() string {
	switch {
	case f.Target == nil:
		return ""
	case f.missed():
		return "not met"
	default:
		return "met"
	}
}

// report is everything that a run has found out.
type report struct {
	Version  string   `json:"version"`
	When     string   `json:"when"`
	Cores    int      `json:"cores"`
	Settings string   `json:"settings"`
	Figures  []figure `json:"figures"`
	// Phases have what each phase cost, by its name.
	Phases map[string]spent `json:"phases"`

	show *progress
}

func newReport(s settings, show *progress) *report {
	quotas := "off"
	if s.quotas {
		quotas = fmt.Sprintf("on, of which the operator uses %g", s.share())
	}
	identities := ""
	if s.identities > 0 {
		identities = fmt.Sprintf(", %d of which have an identity of their own", s.identities)
	}
	return &report{
		Version: version.String(), When: time.Now().UTC().Format(time.RFC3339), Cores: runtime.NumCPU(), Phases: map[string]spent{}, show: show,
		Settings: fmt.Sprintf("%d resources in %d projects%s; %s a call; quotas %s; a sweep every %s, of policies every %s",
			s.resources, s.projects, identities, s.latency, quotas, s.sweepInterval(), s.policyInterval()),
	}
}

// add adds a figure without a target.
func (r *report) add(sort sort, phase, name string, value float64, unit string, note ...string) {
	r.figure(figure{sort: sort, Phase: phase, Name: name, Value: value, Unit: unit, Note: strings.Join(note, "; ")})
}

// most adds a figure that should be at most its target.
func (r *report) most(sort sort, phase, name string, value, target float64, unit string, note ...string) {
	r.figure(figure{sort: sort, Phase: phase, Name: name, Value: value, Target: &target, Unit: unit, Note: strings.Join(note, "; ")})
}

// figure adds one in the place of an older one of the same name.
func (r *report) figure(f figure) {
	f.Sort = sortNames[f.sort]
	r.show.linef("  %s: %s", f.Name, strings.TrimSpace(cell(f.Value, f.Unit)+" "+f.standing()))
	r.Figures = append(slices.DeleteFunc(r.Figures, func(old figure) bool { return old.Phase == f.Phase && old.Name == f.Name }), f)
}

// missed are the figures of a sort that miss their targets.
func (r *report) missed(of sort) []figure {
	var out []figure
	for _, f := range r.Figures {
		if f.missed() && f.sort == of {
			out = append(out, f)
		}
	}
	return out
}

// table writes the figures in Markdown, those first that do not depend on the machine.
func (r *report) table(out io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s; %d cores; %s.\n\n| phase | figure | value | target | |\n|---|---|---:|---:|---|\n", r.Settings, r.Cores, r.Version)
	for of, name := range sortNames {
		for _, f := range r.Figures {
			if f.sort != sort(of) {
				continue
			}
			if name != "" {
				fmt.Fprintf(&text, "| | **%s** | | | |\n", name)
				name = ""
			}
			target := ""
			if f.Target != nil {
				target = "≤ " + cell(*f.Target, f.Unit)
			}
			title := f.Name
			if f.Note != "" {
				title += " (" + f.Note + ")"
			}
			fmt.Fprintf(&text, "| %s | %s | %s | %s | %s |\n", f.Phase, title, cell(f.Value, f.Unit), target, f.standing())
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// cell writes a number with three significant digits, or all of those before the point.
func cell(value float64, unit string) string {
	digits := 0
	for limit := 100.0; value != 0 && value != float64(int(value)) && value < limit && digits < 2; limit /= 10 {
		digits++
	}
	return strings.TrimSpace(thousands(strconv.FormatFloat(value, 'f', digits, 64)) + " " + unit)
}

// thousands sets commas between the thousands.
func thousands(number string) string {
	whole, rest, _ := strings.Cut(number, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		return whole + "." + rest
	}
	return whole
}

// save writes the report as JSON.
func (r *report) save(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing the figures: %w", err)
	}
	return nil
}

// load takes over the figures of an earlier run, if there are some.
func (r *report) load(file string) error {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the figures: %w", err)
	}
	var earlier report
	if err := json.Unmarshal(text, &earlier); err != nil {
		return fmt.Errorf("reading the figures in %s: %w", file, err)
	}
	if earlier.Settings != r.Settings {
		return fmt.Errorf("%s is from a run with other settings (%s): want the same, or another folder", file, earlier.Settings)
	}
	r.Figures, r.Phases = earlier.Figures, earlier.Phases
	for i := range r.Figures {
		r.Figures[i].sort = sort(slices.Index(sortNames[:], r.Figures[i].Sort))
	}
	return nil
}
