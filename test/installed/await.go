package installed

import (
	"context"
	"time"
)

// Await asks until the condition holds, or the context ends, and returns whether it held and what was last seen. What comes soon is noticed soon;
// what takes long is asked for less often, since others wait for the same API server.
func Await(ctx context.Context, holds func() (bool, string)) (ok bool, saw string) {
	const most = 100 * time.Millisecond
	for pause := 10 * time.Millisecond; ; pause = min(pause*3/2, most) {
		if ok, saw = holds(); ok {
			return ok, saw
		}
		select {
		case <-ctx.Done():
			return false, saw
		case <-time.After(pause):
		}
	}
}
