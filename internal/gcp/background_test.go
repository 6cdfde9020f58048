package gcp

import (
	"context"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/internal/fair"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Calls in the background take nothing that Holdfast itself may need in the next moment: they leave half of each budget, and wait while
// anybody else does.
func TestCallsInTheBackgroundGoBehindAllOthers(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	four := []scope{{kind.ScopeProject, kind.ServiceStorage, quota{"calls", 4}, "p"}}
	asks, works := fair.Tenant{Namespace: "asks", Project: "p"}, fair.Tenant{Namespace: "works", Project: "p"}

	made := 0
	for l.behind(asks, four) == 0 {
		made++
	}
	if made != 2 {
		t.Errorf("%d calls of 4 were made in the background, want 2", made)
	}
	for i := range 2 {
		if _, delay, err := l.reserve(t.Context(), works, four); delay != 0 || err != nil {
			t.Errorf("call %d of Holdfast waits %v (%v)", i+1, delay, err)
		}
	}
	if _, delay, err := l.reserve(t.Context(), works, four); delay != 250*time.Millisecond || err != nil {
		t.Errorf("a third call of Holdfast waits %v (%v), want a quarter of a second", delay, err)
	}
	clock.advance(250 * time.Millisecond) // good for the call that waits, and for no other
	if wait := l.behind(asks, four); wait < 500*time.Millisecond {
		t.Errorf("a call in the background waits %v, want until three are left again", wait)
	}
	clock.advance(time.Second)
	if wait := l.behind(asks, four); wait != 0 {
		t.Errorf("a call in the background waits %v where nobody else wants any", wait)
	}
}

func TestACallInTheBackgroundThatWouldComeTooLateIsRefusedAtOnce(t *testing.T) {
	clock := newClock()
	l := newLimiter(nil, 1, clock.now)
	l.throttled(project("p"), &Error{Class: kind.Throttled, RetryAfter: time.Minute, Message: "too many"})
	ctx, cancel := context.WithDeadline(t.Context(), clock.Add(time.Second))
	defer cancel()
	err := l.waitBehind(ctx, fair.Tenant{}, project("p"))
	if refusal := Classify(err); refusal == nil || !IsLimited(err) || refusal.RetryAfter != time.Minute {
		t.Errorf("got %v, want a refusal of our own for a minute", err)
	}
}

// No write leaves, of any kind, whatever code is reached with the context of somebody who only asks.
func TestNothingIsWrittenInTheBackground(t *testing.T) {
	for _, step := range []kind.Step{
		kind.StepObserve, kind.StepList, kind.StepGetPolicy, kind.StepIdentify,
		kind.StepCreate, kind.StepUpdate, kind.StepDelete, kind.StepEmpty, kind.StepUndelete, kind.StepSetPolicy,
	} {
		t.Run(string(step), func(t *testing.T) {
			declared := kind.Method{Service: kind.ServiceStorage, Name: "buckets.method", Step: step, Scope: kind.ScopeProject, Permissions: []string{"p"}}
			methods, err := newMethods([]kind.Method{declared})
			if err != nil {
				t.Fatal(err)
			}
			l := newLimiter(methods, 1000, time.Now)
			_, err = l.admit(InBackground(t.Context()), call{service: declared.Service, method: declared.Name, project: "p"})
			reads := step == kind.StepObserve || step == kind.StepList || step == kind.StepGetPolicy || step == kind.StepIdentify
			if (err == nil) != reads {
				t.Errorf("got %v", err)
			}
		})
	}
}
