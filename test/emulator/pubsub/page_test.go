package pubsub

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPagesHoldEverythingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfDistinct(rapid.StringMatching(`[a-z]{1,4}`), rapid.ID[string]).Draw(t, "names")
		slices.Sort(all)
		size := rapid.Int32Range(1, 5).Draw(t, "size")
		var seen []string
		for token, pages := "", 0; pages <= len(all); pages++ {
			part, next, err := page(all, size, token)
			if err != nil {
				t.Fatal(err)
			}
			if len(part) > int(size) {
				t.Fatalf("a page of %d has %d names", size, len(part))
			}
			seen = append(seen, part...)
			if next == "" {
				break
			}
			token = next
		}
		if !slices.Equal(all, seen) {
			t.Fatalf("paged through %q, saw %q", all, seen)
		}
	})
}

func TestHumanDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "59s": 59 * time.Second, "10m": 10 * time.Minute, "9m59s": 599 * time.Second,
		"1h": time.Hour, "1h30m": 90 * time.Minute, "744h": 744 * time.Hour, "1h0m1s": 3601 * time.Second,
	} {
		if got := humanDuration(d); got != want {
			t.Errorf("humanDuration(%v) = %q, want %q", d, got, want)
		}
	}
}
