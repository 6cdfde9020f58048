package traffic

import (
	"slices"
	"sync"
)

// Breakpoint holds one call, or every one that matches, before it is carried
// out.
type Breakpoint struct {
	control  *Control
	match    Call
	all      bool
	armed    bool // guarded by control.mu
	reached  chan Call
	released chan struct{}
	// tell is for the first call, release for what is held.
	tell, release sync.Once
}

// Pause stops the next call that matches before it is carried out. A call that
// is held is carried out on release even if its client has gone away by then,
// as Google would have done.
func (c *Control) Pause(match Call) *Breakpoint { return c.pause(match, false) }

// PauseAll does so with every call that matches until the release, so that a
// client that gives up and tries again gets no further.
func (c *Control) PauseAll(match Call) *Breakpoint { return c.pause(match, true) }

func (c *Control) pause(match Call, all bool) *Breakpoint {
	b := &Breakpoint{
		control: c, match: match, all: all, armed: true,
		reached: make(chan Call, 1), released: make(chan struct{}),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.breakpoints = append(c.breakpoints, b)
	return b
}

// Reached delivers the first call once it is held.
func (b *Breakpoint) Reached() <-chan Call { return b.reached }

// Release lets what is held go on; if nothing has come yet, nothing will be
// held. It may be called more than once.
func (b *Breakpoint) Release() {
	b.release.Do(func() {
		b.control.mu.Lock()
		b.armed = false
		b.control.breakpoints = slices.DeleteFunc(b.control.breakpoints,
			func(other *Breakpoint) bool { return other == b })
		b.control.mu.Unlock()
		close(b.released)
	})
}

// hold returns the breakpoint that the call runs into, if any. The caller
// holds c.mu.
func (c *Control) hold(call Call) *Breakpoint {
	for _, b := range c.breakpoints {
		if b.armed && call.Matches(b.match) {
			b.armed = b.all
			return b
		}
	}
	return nil
}

// wait blocks the call until the breakpoint is released; without a breakpoint
// it returns at once.
func (b *Breakpoint) wait(call Call) {
	if b == nil {
		return
	}
	b.tell.Do(func() { b.reached <- call })
	<-b.released
}
