package breaker

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// intents are so many of objects that are called after their namespace.
func intents(namespace string, from, to int, ends bool) []Intent {
	var out []Intent
	for i := from; i < to; i++ {
		out = append(out, Intent{UID: types.UID(fmt.Sprintf("%s-%d", namespace, i)), Generation: 1, Ends: ends})
	}
	return out
}

// letAt is a space in which so many were let through at a time.
func letAt(namespace string, n int, at time.Time) Space {
	var s Space
	for _, intent := range intents(namespace, 0, n, true) {
		s.Let = append(s.Let, Let{intent, at})
	}
	return s
}

func tripped() *Trip { return &Trip{Since: noon.Add(-time.Hour), Touched: 6, Had: 20, Namespaces: 1} }

// presumed is a namespace of two on hold because the second goes that nobody has looked at yet.
func presumed() Space {
	return Space{Trip: &Trip{Since: noon.Add(-time.Minute), Touched: 2, Had: 2, Namespaces: 1, Presumed: true}}
}

func TestWhatIsLetThrough(t *testing.T) {
	asks := func(n, had int) Waiting { return Waiting{Asks: intents("shop", 0, n, true), Had: had} }
	three := func(each, had int) map[string]Waiting {
		out := map[string]Waiting{}
		for _, name := range []string{"bank", "post", "shop"} {
			out[name] = Waiting{Asks: intents(name, 0, each, true), Had: had}
		}
		return out
	}
	without := func(in map[string]Waiting, name string) map[string]Waiting {
		delete(in, name)
		return in
	}
	with := func(in map[string]Waiting, name string, is Waiting) map[string]Waiting {
		in[name] = is
		return in
	}
	type onHold struct {
		Namespaces []string
		Fleet      bool
	}
	for name, tc := range map[string]struct {
		record  Record
		waiting map[string]Waiting
		fleet   int
		// let is how many are let through, by namespace.
		let    map[string]int
		onHold onHold
	}{
		"one":                              {waiting: map[string]Waiting{"shop": asks(1, 50)}, let: map[string]int{"shop": 1}},
		"the only one":                     {waiting: map[string]Waiting{"shop": asks(1, 1)}, let: map[string]int{"shop": 1}},
		"both of two":                      {waiting: map[string]Waiting{"shop": asks(2, 2)}, onHold: onHold{Namespaces: []string{"shop"}}},
		"two of three":                     {waiting: map[string]Waiting{"shop": asks(2, 3)}, let: map[string]int{"shop": 2}},
		"all of three":                     {waiting: map[string]Waiting{"shop": asks(3, 3)}, onHold: onHold{Namespaces: []string{"shop"}}},
		"the last of three, after the two": {record: Record{Namespaces: map[string]Space{"shop": letAt("shop", 2, noon.Add(-time.Minute))}}, waiting: map[string]Waiting{"shop": {Asks: intents("shop", 2, 3, true), Had: 3}}, onHold: onHold{Namespaces: []string{"shop"}}},
		"grants of all of three":           {waiting: map[string]Waiting{"shop": {Asks: intents("shop", 0, 3, false), Had: 3}}, let: map[string]int{"shop": 3}},
		"five of twenty":                   {waiting: map[string]Waiting{"shop": asks(5, 20)}, let: map[string]int{"shop": 5}},
		"six of twenty":                    {waiting: map[string]Waiting{"shop": asks(6, 20)}, onHold: onHold{Namespaces: []string{"shop"}}},
		"six, some of which have yet to ask": {
			waiting: map[string]Waiting{"shop": {Asks: intents("shop", 0, 1, true), Others: intents("shop", 0, 6, true), Had: 20}}, onHold: onHold{Namespaces: []string{"shop"}},
		},
		"both of two, of which nobody has looked at one": {
			waiting: map[string]Waiting{"shop": {Asks: intents("shop", 0, 1, true), Unseen: intents("shop", 1, 2, true), Had: 2}}, onHold: onHold{Namespaces: []string{"shop"}},
		},
		"one of two was not looked at, and turns out to wait": {
			record: Record{Namespaces: map[string]Space{"shop": presumed()}}, waiting: map[string]Waiting{"shop": asks(1, 2)}, let: map[string]int{"shop": 1},
		},
		"one of two was not looked at, and asks": {
			record: Record{Namespaces: map[string]Space{"shop": presumed()}}, waiting: map[string]Waiting{"shop": asks(2, 2)}, onHold: onHold{Namespaces: []string{"shop"}},
		},
		"one of two was not looked at, and still is not": {
			record:  Record{Namespaces: map[string]Space{"shop": presumed()}},
			waiting: map[string]Waiting{"shop": {Asks: intents("shop", 0, 1, true), Unseen: intents("shop", 1, 2, true), Had: 2}}, onHold: onHold{Namespaces: []string{"shop"}},
		},
		"a tenth of a hundred":  {waiting: map[string]Waiting{"shop": asks(10, 100)}, let: map[string]int{"shop": 10}},
		"more than a tenth":     {waiting: map[string]Waiting{"shop": asks(11, 100)}, onHold: onHold{Namespaces: []string{"shop"}}},
		"one more than a tenth": {record: Record{Namespaces: map[string]Space{"shop": letAt("shop", 10, noon.Add(-time.Minute))}}, waiting: map[string]Waiting{"shop": {Asks: intents("shop", 10, 11, true), Had: 100}}, onHold: onHold{Namespaces: []string{"shop"}}},
		"one more than a tenth, an hour later": {
			record:  Record{Namespaces: map[string]Space{"shop": letAt("shop", 10, noon.Add(-time.Hour))}},
			waiting: map[string]Waiting{"shop": {Asks: intents("shop", 10, 11, true), Had: 90}}, let: map[string]int{"shop": 1},
		},
		"the same ones again":    {record: Record{Namespaces: map[string]Space{"shop": letAt("shop", 5, noon.Add(-time.Minute))}}, waiting: map[string]Waiting{"shop": asks(5, 20)}, let: map[string]int{"shop": 5}},
		"all, and it is allowed": {waiting: map[string]Waiting{"shop": {Asks: intents("shop", 0, 30, true), Had: 30, Allowed: true}}, let: map[string]int{"shop": 30}},
		"it stays on hold":       {record: Record{Namespaces: map[string]Space{"shop": {Trip: tripped()}}}, waiting: map[string]Waiting{"shop": asks(1, 50)}, onHold: onHold{Namespaces: []string{"shop"}}},
		"it stays on hold while others wait": {
			record: Record{Namespaces: map[string]Space{"shop": {Trip: tripped()}}}, waiting: map[string]Waiting{"shop": {Others: intents("shop", 0, 1, true), Had: 50}},
			onHold: onHold{Namespaces: []string{"shop"}},
		},
		"nothing waits any more": {record: Record{Namespaces: map[string]Space{"shop": {Trip: tripped()}}}, waiting: map[string]Waiting{"shop": {Had: 50}}},
		"it was on hold, and is allowed": {
			record: Record{Namespaces: map[string]Space{"shop": {Trip: tripped()}}}, waiting: map[string]Waiting{"shop": {Asks: intents("shop", 0, 30, true), Had: 30, Allowed: true}},
			let: map[string]int{"shop": 30},
		},
		"a namespace on hold stops no other": {
			record:  Record{Namespaces: map[string]Space{"shop": {Trip: tripped()}}},
			waiting: map[string]Waiting{"shop": asks(900, 1000), "bank": {Asks: intents("bank", 0, 1, true), Had: 9}, "post": {Asks: intents("post", 0, 1, true), Had: 9}},
			fleet:   1018, let: map[string]int{"bank": 1, "post": 1}, onHold: onHold{Namespaces: []string{"shop"}},
		},

		"eight in each of three":                  {waiting: three(8, 100), fleet: 300, onHold: onHold{Fleet: true}},
		"six in each of three":                    {waiting: three(6, 100), fleet: 300, let: map[string]int{"bank": 6, "post": 6, "shop": 6}},
		"ten in each of two":                      {waiting: without(three(10, 100), "shop"), fleet: 200, let: map[string]int{"bank": 10, "post": 10}},
		"a hundred in each of two":                {waiting: without(three(100, 1000), "shop"), fleet: 2000, let: map[string]int{"bank": 100, "post": 100}},
		"a hundred in each of two, and one more":  {waiting: with(three(100, 1000), "shop", asks(1, 9)), fleet: 2009, let: map[string]int{"bank": 100, "post": 100, "shop": 1}},
		"eight in each of three of a large fleet": {waiting: three(8, 100), fleet: 3000, let: map[string]int{"bank": 8, "post": 8, "shop": 8}},
		"eight in each of three, one after the other": {
			record:  Record{Namespaces: map[string]Space{"bank": letAt("bank", 8, noon.Add(-time.Minute)), "post": letAt("post", 8, noon.Add(-time.Minute))}},
			waiting: without(without(three(8, 100), "bank"), "post"), fleet: 300, onHold: onHold{Fleet: true},
		},
		"eight in each of three, of which one is allowed": {
			waiting: with(three(8, 100), "shop", Waiting{Asks: intents("shop", 0, 8, true), Had: 100, Allowed: true}), fleet: 300,
			let: map[string]int{"bank": 8, "post": 8, "shop": 8},
		},
		"the fleet stays on hold, but where it is allowed": {
			record: Record{Fleet: tripped()}, waiting: with(three(1, 100), "town", Waiting{Asks: intents("town", 0, 8, true), Had: 8, Allowed: true}), fleet: 308,
			let: map[string]int{"town": 8}, onHold: onHold{Fleet: true},
		},
		"the fleet is not on hold for two": {
			record: Record{Fleet: tripped()}, waiting: without(three(8, 100), "shop"), fleet: 300, let: map[string]int{"bank": 8, "post": 8},
		},
	} {
		t.Run(name, func(t *testing.T) {
			next, let := tc.record.Decide(DefaultLimits(), tc.waiting, tc.fleet, noon)
			got := map[string]int{}
			for name, is := range tc.waiting {
				for _, intent := range is.Asks {
					if let[intent.UID] {
						got[name]++
					}
					if let[intent.UID] != (is.Allowed || next.Lets(name, intent, DefaultLimits(), noon)) {
						t.Errorf("%s is let through: %t, which is not what is on record", intent.UID, let[intent.UID])
					}
				}
			}
			if d := cmp.Diff(tc.let, got, equateEmpty); d != "" {
				t.Errorf("let through (-want +got):\n%s", d)
			}
			held := onHold{Fleet: next.Fleet != nil}
			for _, name := range slices.Sorted(maps.Keys(next.Namespaces)) {
				if next.Namespaces[name].Trip != nil {
					held.Namespaces = append(held.Namespaces, name)
				}
			}
			if d := cmp.Diff(tc.onHold, held); d != "" {
				t.Errorf("on hold (-want +got):\n%s", d)
			}
			if again, err := Parse(next.String()); err != nil || cmp.Diff(next, again, equateEmpty) != "" {
				t.Errorf("the record does not survive being stored: %v\n%s", err, cmp.Diff(next, again, equateEmpty))
			}
		})
	}
}

func TestWhyItIsOnHold(t *testing.T) {
	next, _ := Record{}.Decide(DefaultLimits(), map[string]Waiting{"shop": {Asks: intents("shop", 0, 6, true), Had: 20}}, 20, noon)
	trip, ofFleet := next.Trip("shop")
	if d := cmp.Diff(&Trip{Since: noon, Touched: 6, Had: 20, Namespaces: 1}, trip); d != "" || ofFleet {
		t.Errorf("of the fleet: %t (-want +got):\n%s", ofFleet, d)
	}
	if !next.Trips() || (Record{}).Trips() {
		t.Error("the record does not say whether anything is on hold")
	}
	if trip, _ := next.Trip("bank"); trip != nil {
		t.Error("another namespace is on hold")
	}
}

func TestOnceLetThrough(t *testing.T) {
	limits := DefaultLimits()
	was := Intent{UID: "1", Generation: 3, Ends: true}
	record := Record{Namespaces: map[string]Space{"shop": {Let: []Let{{was, noon}}}}}
	for name, tc := range map[string]struct {
		intent    Intent
		namespace string
		after     time.Duration
		want      bool
	}{
		"the same":                 {was, "shop", time.Minute, true},
		"less than that":           {Intent{UID: "1", Generation: 3}, "shop", time.Minute, true},
		"after an edit":            {Intent{UID: "1", Generation: 4, Ends: true}, "shop", time.Minute, false},
		"an hour later":            {was, "shop", time.Hour, false},
		"another object":           {Intent{UID: "2", Generation: 3}, "shop", time.Minute, false},
		"one in another namespace": {was, "bank", time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := record.Lets(tc.namespace, tc.intent, limits, noon.Add(tc.after)); got != tc.want {
				t.Errorf("let through: %t, want %t", got, tc.want)
			}
		})
	}
	if _, err := Parse("{"); err == nil {
		t.Error("half a record is read")
	}
}

// TestAHoldThatIsPresumed is one for good once all that it takes was looked at, and says since when it is.
func TestAHoldThatIsPresumed(t *testing.T) {
	asks, unseen := intents("shop", 0, 1, true), intents("shop", 1, 2, true)
	record := Record{}
	for i, step := range []struct {
		is   Waiting
		want *Trip
	}{
		{Waiting{Asks: asks, Unseen: unseen, Had: 2}, &Trip{Since: noon, Touched: 2, Had: 2, Namespaces: 1, Presumed: true}},
		{Waiting{Others: asks, Unseen: unseen, Had: 2}, &Trip{Since: noon, Touched: 2, Had: 2, Namespaces: 1, Presumed: true}},
		{Waiting{Others: asks, Asks: unseen, Had: 2}, &Trip{Since: noon, Touched: 2, Had: 2, Namespaces: 1}},
		{Waiting{Others: asks, Had: 2}, &Trip{Since: noon, Touched: 2, Had: 2, Namespaces: 1}},
		{Waiting{Had: 2}, nil},
	} {
		record, _ = record.Decide(DefaultLimits(), map[string]Waiting{"shop": step.is}, 2, noon.Add(time.Duration(i)*time.Minute))
		if d := cmp.Diff(step.want, record.Namespaces["shop"].Trip); d != "" {
			t.Fatalf("on hold (-want +got):\n%s", d)
		}
	}
}
