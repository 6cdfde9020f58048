package gcp

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/fair"
)

// What a budget has goes to tenants in turn, and first to those who ask for little, though they came after hundreds of another one; at the rate
// that Google grants, whoever looks when.
func TestABudgetGoesToTenantsInTurn(t *testing.T) {
	clock := newClock()
	b := newBudget(1, 2, clock.Time)
	many, few := fair.Tenant{Namespace: "many", Project: "p"}, fair.Tenant{Namespace: "few", Project: "q"}
	var first []*ticket
	for range 200 {
		first = append(first, b.take(many, clock.Time))
	}
	last := b.take(few, clock.Time)
	var got []time.Duration
	for _, one := range []*ticket{first[0], first[1], first[2], first[3], first[199], last} {
		got = append(got, one.delay(clock.Time))
	}
	want := []time.Duration{0, 0, time.Second, 1500 * time.Millisecond, 99500 * time.Millisecond, 500 * time.Millisecond}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("delays (-want +got):\n%s", diff)
	}
	clock.advance(10 * time.Second) // in which nobody looks
	granted := 0
	for _, one := range first {
		if one.delay(clock.Time) == 0 {
			granted++
		}
	}
	if granted != 2+20-1 || last.delay(clock.Time) != 0 {
		t.Errorf("%d were granted of the one, and the other waits %v", granted, last.delay(clock.Time))
	}
}

// TestAPersonsCallIsGrantedBeforeATools, though it came after those of a tool in each of 1,000 projects, and is told so.
func TestAPersonsCallIsGrantedBeforeATools(t *testing.T) {
	clock := newClock()
	b := newBudget(0.8, 10, clock.Time)
	for project := range 1000 {
		name := fmt.Sprint("p-", project)
		b.take(fair.Tenant{Namespace: name, Project: name, Editor: "tool"}, clock.Time)
	}
	call := b.take(fair.Tenant{Namespace: "shop", Project: "p", Editor: "person"}, clock.Time)
	wait := call.delay(clock.Time)
	if wait > 2*time.Second {
		t.Errorf("told to wait %s", wait)
	}
	clock.advance(wait)
	if left := call.delay(clock.Time); left > 0 {
		t.Errorf("after %s it waits %s", wait, left)
	}
}

// TestAClaimThatNobodyComesForEnds, and those behind it go on; whoever claimed comes after them if it comes back.
func TestAClaimThatNobodyComesForEnds(t *testing.T) {
	clock := newClock()
	b := newBudget(0.8, 0.5, clock.Time)
	at := fair.Tenant{Namespace: "shop", Project: "p"}
	gone := b.take(at, clock.Time)
	if wait := gone.delay(clock.Time); wait != 0 {
		t.Fatalf("the first waits %s", wait)
	}
	clock.advance(time.Minute) // which is more than it takes until the second is granted, and the pace allows both
	next := b.take(at, clock.Time)
	if wait := next.delay(clock.Time); wait != 0 {
		t.Errorf("behind one that nobody has come for in a minute the next waits %s", wait)
	}
	if wait := gone.delay(clock.Time); wait == 0 {
		t.Error("the one that comes late does not wait for the one that may go now")
	}
	next.made(clock.Time)
	clock.advance(3 * time.Second)
	if wait := gone.delay(clock.Time); wait != 0 {
		t.Errorf("after the other one it waits %s", wait)
	}
}

// TestTurnsAreOfASecondAlsoWhileGoogleThrottles: nobody waits for a burst of somebody else that takes longer than that.
func TestTurnsAreOfASecondAlsoWhileGoogleThrottles(t *testing.T) {
	clock := newClock()
	b := newBudget(0.8, 100, clock.Time)
	many, few := fair.Tenant{Namespace: "many", Project: "p"}, fair.Tenant{Namespace: "few", Project: "q"}
	for range 1000 {
		b.take(many, clock.Time)
	}
	for range 20 {
		clock.advance(countsAsOnce)
		b.lower(clock.Time)
	}
	if got := b.share * b.perSecond; got > 5 {
		t.Fatalf("the rate is %v a second", got)
	}
	if wait := b.take(few, clock.Time).delay(clock.Time); wait > 2*time.Second {
		t.Errorf("who asks for one call waits %s behind the turn of another one", wait)
	}
}
