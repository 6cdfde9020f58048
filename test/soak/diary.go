package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// diary tells what happens, each line with the minutes and seconds since the beginning.
type diary struct {
	mu    sync.Mutex
	out   io.Writer
	began time.Time
}

func newDiary(out io.Writer) *diary { return &diary{out: out, began: time.Now()} }

// linef tells what happened, and returns the line.
func (d *diary) linef(format string, args ...any) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	took := time.Since(d.began)
	line := fmt.Sprintf("%3d:%02d %s", int(took.Minutes()), int(took.Seconds())%60, fmt.Sprintf(format, args...))
	fmt.Fprintln(d.out, line)
	return line
}
