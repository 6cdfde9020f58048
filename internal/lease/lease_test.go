package lease

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// fakeLock is a lock whose writes take a second and end as err says.
type fakeLock struct {
	resourcelock.Interface
	clock *time.Time
	err   error
	seen  func()
}

func (*fakeLock) Identity() string { return "me" }

func (f *fakeLock) write() error {
	*f.clock = f.clock.Add(time.Second)
	if f.seen != nil {
		f.seen()
	}
	return f.err
}

func (f *fakeLock) Create(context.Context, resourcelock.LeaderElectionRecord) error { return f.write() }
func (f *fakeLock) Update(context.Context, resourcelock.LeaderElectionRecord) error { return f.write() }

func TestDeadline(t *testing.T) {
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	clock := start
	lock := &fakeLock{clock: &clock}
	l := Watch(lock, 10*time.Second)
	l.now = func() time.Time { return clock }
	mine, nobodys := resourcelock.LeaderElectionRecord{HolderIdentity: "me"}, resourcelock.LeaderElectionRecord{}
	expect := func(step string, want time.Time) {
		t.Helper()
		if got, ok := l.Deadline(); !got.Equal(want) || !ok {
			t.Errorf("%s: %v, %v; want %v", step, got, ok, want)
		}
	}

	expect("before the election", time.Time{})
	if err := l.Create(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	expect("elected: from before the write", start.Add(10*time.Second))
	if err := l.Update(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	expect("renewed", start.Add(11*time.Second))

	lock.err = errors.New("the API server is down")
	if err := l.Update(t.Context(), mine); !errors.Is(err, lock.err) {
		t.Errorf("the failure got lost: %v", err)
	}
	expect("not renewed", start.Add(11*time.Second))

	lock.seen = func() { expect("the others see that it is given back", time.Time{}) }
	if err := l.Update(t.Context(), nobodys); !errors.Is(err, lock.err) {
		t.Errorf("the failure got lost: %v", err)
	}
	expect("given back, or perhaps not", time.Time{})
}

func TestWithoutLeaderElection(t *testing.T) {
	if _, ok := new(Lease).Deadline(); ok {
		t.Error("there is an end without leader election")
	}
}
