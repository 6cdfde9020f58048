package breaker

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
)

var equateEmpty = cmpopts.EquateEmpty()

// TestNoMoreIsDestroyedThanIsBorne, whoever asks when, though every decision is made by a process that has nothing but the record: within any
// window no namespace loses more than it bears, nor all that it had, nor the fleet more than three namespaces or more together may.
func TestNoMoreIsDestroyedThanIsBorne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := DefaultLimits()
		fleet := newModel(rapid.SliceOfN(rapid.IntRange(1, 120), 1, 5).Draw(t, "sizes"))
		stored, now := "", noon
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute)
			waiting := map[string]Waiting{}
			for name, is := range fleet.spaces {
				n := rapid.IntRange(0, 12).Draw(t, name)
				is.waits = is.alive[:min(n, len(is.alive))]
				waiting[name] = Waiting{Asks: is.waits, Had: len(is.alive) + is.goneSince(now.Add(-limits.Window))}
			}
			record, err := Parse(stored)
			if err != nil {
				t.Fatal(err)
			}
			next, let := record.Decide(limits, waiting, fleet.had(now.Add(-limits.Window)), now)
			stored = next.String()
			fleet.destroy(let, now)
			fleet.check(t, limits, now)
		}
	})
}

// model is a fleet whose resources go as soon as they may.
type model struct{ spaces map[string]*modelSpace }

type modelSpace struct {
	alive, waits []Intent
	gone         []time.Time
}

func newModel(sizes []int) *model {
	m := &model{spaces: map[string]*modelSpace{}}
	for i, n := range sizes {
		name := fmt.Sprintf("space-%d", i)
		m.spaces[name] = &modelSpace{alive: intents(name, 0, n, true)}
	}
	return m
}

func (s *modelSpace) goneSince(since time.Time) (n int) {
	for _, at := range s.gone {
		if at.After(since) {
			n++
		}
	}
	return n
}

func (m *model) had(since time.Time) (n int) {
	for _, is := range m.spaces {
		n += len(is.alive) + is.goneSince(since)
	}
	return n
}

func (m *model) destroy(let map[types.UID]bool, now time.Time) {
	for _, is := range m.spaces {
		var left []Intent
		for _, intent := range is.alive {
			if let[intent.UID] {
				is.gone = append(is.gone, now)
			} else {
				left = append(left, intent)
			}
		}
		is.alive = left
	}
}

func (m *model) check(t *rapid.T, limits Limits, now time.Time) {
	since := now.Add(-limits.Window)
	var touched []int
	for name, is := range m.spaces {
		gone := is.goneSince(since)
		had := len(is.alive) + gone
		if limits.namespace(had, gone, gone) {
			t.Fatalf("%s has lost %d of %d within a window", name, gone, had)
		}
		touched = append(touched, gone)
	}
	if limits.fleet(m.had(since), touched) {
		t.Fatalf("the fleet has lost %v of %d within a window", touched, m.had(since))
	}
}
