package gcp

import (
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
	want := []time.Duration{0, 0, 500 * time.Millisecond, time.Second, 99500 * time.Millisecond, 500 * time.Millisecond}
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
