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

func (d *diary) linef(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	took := time.Since(d.began)
	fmt.Fprintf(d.out, "%3d:%02d %s\n", int(took.Minutes()), int(took.Seconds())%60, fmt.Sprintf(format, args...))
}
