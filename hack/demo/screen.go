package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// screen prints. Colours only for a terminal that wants them.
type screen struct {
	out    io.Writer
	colour bool
	start  time.Time
}

// newScreen is one on a file, which it writes to as output says.
func newScreen(out *os.File, output func(io.Writer) io.Writer) *screen {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &screen{
		out:    output(out),
		colour: terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		start:  time.Now(),
	}
}

// The colours, as ANSI codes.
const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
	cyan  = "36"
)

func (s *screen) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// progressf tells what is being started, and when.
func (s *screen) progressf(format string, args ...any) {
	clock := fmt.Sprintf("%5.1f s", time.Since(s.start).Seconds())
	fmt.Fprintf(s.out, "%s  %s\n", s.paint(dim, clock), fmt.Sprintf(format, args...))
}

// heading begins a step.
func (s *screen) heading(number, of int, title string) {
	fmt.Fprintf(s.out, "\n%s\n", s.paint(bold, fmt.Sprintf("%d/%d  %s", number, of, title)))
}

// sayf tells what goes on in a sentence.
func (s *screen) sayf(format string, args ...any) {
	fmt.Fprintf(s.out, "     %s\n", fmt.Sprintf(format, args...))
}

// command shows what a person would type.
func (s *screen) command(line string) {
	fmt.Fprintf(s.out, "     %s %s\n", s.paint(cyan, "$"), s.paint(bold, line))
}

// output shows what a command, or the cloud, answered.
func (s *screen) output(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		fmt.Fprintf(s.out, "       %s\n", s.paint(dim, strings.TrimRight(line, "\n")))
	}
}

// sawf states a fact that was checked.
func (s *screen) sawf(format string, args ...any) {
	fmt.Fprintf(s.out, "     %s %s\n", s.paint(green, "✓"), fmt.Sprintf(format, args...))
}

// failure ends the demo.
func (s *screen) failure(err error) {
	fmt.Fprintf(s.out, "\n%s %s\n", s.paint(red, "FAILED:"), err)
}

// linef prints as it is.
func (s *screen) linef(format string, args ...any) {
	fmt.Fprintf(s.out, format+"\n", args...)
}
