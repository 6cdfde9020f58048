package main

import (
	"fmt"
	"time"
)

// progress tells on a terminal, and nowhere else, how far something is, and about how long it will take. finish takes the line away.
func (p *program) progress(what string) (tell func(done, of int, beside string), finish func()) {
	if !isTerminal(p.streams.ErrOut) {
		return func(int, int, string) {}, func() {}
	}
	began := p.now()
	tell = func(done, of int, beside string) {
		line := fmt.Sprintf("%d of %d %s", done, of, what)
		if beside != "" {
			line += ", " + beside
		}
		if left := estimate(p.now().Sub(began), done, of); left > 0 {
			line += fmt.Sprintf(", about %s left", left)
		}
		fmt.Fprintf(p.streams.ErrOut, "\r\x1b[K%s", line)
	}
	return tell, func() { fmt.Fprint(p.streams.ErrOut, "\r\x1b[K") }
}

// estimate is how long the rest takes if it goes on like this; 0 where nobody can tell, or it is not worth telling.
func estimate(passed time.Duration, done, of int) time.Duration {
	if done == 0 || done >= of || passed < time.Second {
		return 0
	}
	return (passed / time.Duration(done) * time.Duration(of-done)).Round(time.Second)
}
