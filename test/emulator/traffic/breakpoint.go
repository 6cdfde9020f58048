package traffic

import (
	"slices"
	"sync"
)

// Breakpoint holds one call before it is carried out.
type Breakpoint struct {
	control  *Control
	match    Call
	armed    bool // guarded by control.mu
	reached  chan Call
	released chan struct{}
	release  sync.Once
}

// Pause stops the next call that matches before it is carried out. A call that
// is held is carried out on release even if its client has gone away by then,
// as Google would have done.
func (c *Control) Pause(match Call) *Breakpoint {
	b := &Breakpoint{
		control: c, match: match, armed: true,
		reached: make(chan Call, 1), released: make(chan struct{}),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.breakpoints = append(c.breakpoints, b)
	return b
}

// Reached delivers the call once it is held.
func (b *Breakpoint) Reached() <-chan Call { return b.reached }

// Release lets the held call go on; if none has come yet, none will be held.
// It may be called more than once.
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
			b.armed = false
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
	b.reached <- call
	<-b.released
}
