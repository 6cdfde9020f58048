package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress tells what goes on, each line with the minutes and seconds since the beginning.
type progress struct {
	out   io.Writer
	began time.Time

	mu   sync.Mutex
	last time.Time
}

// stateEvery is how often a state is shown at most.
const stateEvery = 10 * time.Second

func newProgress(out io.Writer) *progress { return &progress{out: out, began: time.Now()} }

func (p *progress) linef(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(fmt.Sprintf(format, args...))
}

// statef shows how far something is, now and then.
func (p *progress) statef(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.last) >= stateEvery {
		p.write("  … " + fmt.Sprintf(format, args...))
	}
}

func (p *progress) write(text string) {
	p.last = time.Now()
	took := time.Since(p.began).Round(time.Second)
	fmt.Fprintf(p.out, "%3d:%02d %s\n", int(took.Minutes()), int(took.Seconds())%60, text)
}
