package main

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told is a schedule as somebody reads it.
func told(all map[string][]step) map[string][]string {
	lines := map[string][]string{}
	for name, steps := range all {
		for _, s := range steps {
			lines[name] = append(lines[name], s.at.String()+" "+s.what)
		}
	}
	return lines
}

func TestTheSeedDecides(t *testing.T) {
	first, second := told(schedule(7, 5*time.Minute)), told(schedule(7, 5*time.Minute))
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("the same seed gave another schedule (-first +second):\n%s", diff)
	}
	if cmp.Equal(first, told(schedule(8, 5*time.Minute))) {
		t.Error("another seed gave the same schedule")
	}
}

func TestEachLaneIsUsedInItsOrderAndEndsInTime(t *testing.T) {
	for seed := range uint64(50) {
		for _, all := range []time.Duration{least, time.Hour} {
			lines := schedule(seed, all)
			if want, got := len(lanes), len(lines); got != want {
				t.Errorf("seed %d, %s: %v of %d lanes have something to do", seed, all, slices.Sorted(maps.Keys(lines)), want)
			}
			for name, steps := range lines {
				for i, s := range steps {
					if s.at >= all || i > 0 && s.at <= steps[i-1].at {
						t.Fatalf("seed %d, %s, %s: step %d at %s", seed, all, name, i, s.at)
					}
				}
			}
		}
	}
}
