package sweep

import (
	"testing"
	"time"
)

func TestNextStaysWithinATenthAndSpreads(t *testing.T) {
	s := Schedule{Interval: 10 * time.Minute}
	seen := map[time.Duration]bool{}
	for range 200 {
		next := s.Next()
		if next < 9*time.Minute || next > 11*time.Minute {
			t.Fatalf("next check in %s, want 9m to 11m", next)
		}
		seen[next] = true
	}
	if len(seen) < 2 {
		t.Error("the checks are not spread")
	}
}

func TestNextOfATinyInterval(t *testing.T) {
	if got := (Schedule{Interval: 3}).Next(); got != 3 {
		t.Errorf("Next() = %d, want 3", got)
	}
}
