package planserver

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

func TestACallerIsPaced(t *testing.T) {
	a := newAdmissions(bounds{pace: time.Second, ahead: 2, together: 5, callers: 2, bytes: 1})
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	a.now = func() time.Time { return now }
	ask := func(name string) error {
		done, err := a.admit(name)
		if err == nil {
			done()
		}
		return err
	}
	for i := range 2 {
		if err := ask("ci"); err != nil {
			t.Errorf("question %d: %v", i+1, err)
		}
	}
	var later *busy
	if err := ask("ci"); !errors.As(err, &later) || later.after != time.Second {
		t.Errorf("the third question: %v, want to be told to come in a second", err)
	}
	if err := ask("other"); err != nil {
		t.Errorf("another caller: %v", err)
	}
	now = now.Add(time.Second)
	if err := ask("ci"); err != nil {
		t.Errorf("the question after a second: %v", err)
	}
}

func TestACallerHasFewRequestsUnderWay(t *testing.T) {
	a := newAdmissions(bounds{pace: time.Nanosecond, ahead: 100, together: 2, callers: 10, bytes: 1})
	first, err := a.admit("ci")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.admit("ci"); err != nil {
		t.Fatal(err)
	}
	var later *busy
	if _, err := a.admit("ci"); !errors.As(err, &later) {
		t.Errorf("a third request: %v", err)
	}
	first()
	if _, err := a.admit("ci"); err != nil {
		t.Errorf("a request after one has ended: %v", err)
	}
}

func TestTheMemoryOfAllRequestsIsBounded(t *testing.T) {
	a := newAdmissions(bounds{callers: 1, bytes: 4 * protocol.MostBytes, leastBytes: protocol.MostBytes / 2})
	var done []func()
	for {
		release, err := a.take(1000)
		if err != nil {
			var later *busy
			if !errors.As(err, &later) {
				t.Errorf("got %v, want to be told to come later", err)
			}
			break
		}
		done = append(done, release)
	}
	if len(done) != 8 {
		t.Errorf("%d small requests are under way at once, want 8", len(done))
	}
	done[0]()
	if _, err := a.take(protocol.MostBytes); err == nil {
		t.Error("there was room for a large one in the place of a small one")
	}
	if _, err := a.take(1); err != nil {
		t.Errorf("a small one in the place of another: %v", err)
	}
	for length, code := range map[int64]int{protocol.MostBytes + 1: 413, -1: 411} {
		var refused *refusal
		if _, err := a.take(length); !errors.As(err, &refused) || refused.code != code {
			t.Errorf("a length of %d: %v, want the code %d", length, err, code)
		}
	}
}
