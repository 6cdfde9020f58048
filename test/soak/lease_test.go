package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhoWritesHoldsTheLease(t *testing.T) {
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	type look struct {
		holder string
		at     int
	}
	type write struct {
		slot string
		at   int
	}
	first, second := []look{{"x", 0}, {"x", 10}}, []look{{"y", 20}, {"y", 30}}
	for name, tc := range map[string]struct {
		looks  [][]look
		writes []write
		want   []string
	}{
		"the holder writes":                     {[][]look{first}, []write{{slotA, 3}, {slotA, 5}}, nil},
		"the next holder writes":                {[][]look{first, second}, []write{{slotA, 3}, {slotB, 25}}, nil},
		"another writes as well":                {[][]look{first}, []write{{slotA, 3}, {slotB, 5}}, []string{"a write, by operator-b, while operator-a held the lease (x) and wrote"}},
		"the one before writes on":              {[][]look{first, second}, []write{{slotA, 3}, {slotB, 23}, {slotA, 25}}, []string{"a write, by operator-a, while operator-b held the lease (y) and wrote"}},
		"while it changes hands nobody can say": {[][]look{first, second}, []write{{slotA, 3}, {slotB, 15}, {slotA, 20}, {slotB, 25}}, nil},
		"nobody holds it":                       {[][]look{{{"", 0}, {"", 10}}}, []write{{slotA, 5}}, []string{"a write, by operator-a, while nobody held the lease"}},
		"the API server did not answer between": {[][]look{{{"x", 0}, {"x", 60}, {"x", 70}}}, []write{{slotA, 3}, {slotB, 30}}, []string{"a write, by operator-b, while operator-a held the lease (x) and wrote"}},
	} {
		t.Run(name, func(t *testing.T) {
			var l leases
			for _, w := range tc.writes {
				l.writes = append(l.writes, leasedWrite{at: at(w.at), slot: w.slot, what: "a write"})
			}
			var got []string
			for _, looks := range append(tc.looks, []look{{"z", 100}, {"z", 110}}) {
				for _, seen := range looks {
					got = append(got, l.seen(seen.holder, at(seen.at))...)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if len(l.writes) > 0 {
				t.Errorf("never judged: %v", l.writes)
			}
		})
	}
}
