package doctor

import (
	"fmt"
	"io"
	"slices"

	"github.com/holdfast-dev/holdfast/internal/text"
)

// Level says how a check came out.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "fail"
)

// levels are all levels, the worst last.
var levels = []Level{OK, Warn, Fail}

// Finding is what one check came to. Its fields are those of -o json.
type Finding struct {
	Level Level `json:"level"`
	// Check is what was checked, in a word or two: CRDs, policies, lease.
	Check string `json:"check"`
	// Message says what is so.
	Message string `json:"message"`
	// Fix says what to do, with the command where there is one; empty where nothing is to be done.
	Fix string `json:"fix,omitempty"`
}

// Findings are what all checks came to.
type Findings []Finding

// Add adds what a check came to.
func (f *Findings) Add(level Level, check, fix, format string, args ...any) {
	*f = append(*f, Finding{Level: level, Check: check, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// counted counts things of which there may be one.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Worst is the level of the worst of them.
func (f *Findings) Worst() Level {
	worst := OK
	for _, each := range *f {
		if slices.Index(levels, each.Level) > slices.Index(levels, worst) {
			worst = each.Level
		}
	}
	return worst
}

// Text writes them for people: a line for each, and what to do about it below.
func (f *Findings) Text(out io.Writer) {
	for _, each := range *f {
		fmt.Fprintf(out, "%-4s  %-12s  %s\n", each.Level, each.Check, text.Visible(each.Message))
		if each.Fix != "" {
			fmt.Fprintf(out, "%20s%s\n", "→ ", text.Visible(each.Fix))
		}
	}
}
