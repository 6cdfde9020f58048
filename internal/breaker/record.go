package breaker

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Intent is that an object is about to destroy something.
type Intent struct {
	UID        types.UID `json:"uid"`
	Generation int64     `json:"generation"`
	// Ends says that the resource goes, or data of it, or all that the manifest has granted; and not just some grants or a service.
	Ends bool `json:"ends,omitempty"`
}

// Record is what outlives the process: what was let through within the window, and what is on hold.
type Record struct {
	Namespaces map[string]Space `json:"namespaces,omitempty"`
	// Fleet says that everything is on hold; nil while it is not.
	Fleet *Trip `json:"fleet,omitempty"`
}

// Space is what is recorded of a namespace.
type Space struct {
	Let []Let `json:"let,omitempty"`
	// Trip says that the namespace is on hold; nil while it is not.
	Trip *Trip `json:"trip,omitempty"`
}

// Let is an intent that was let through.
type Let struct {
	Intent

	At time.Time `json:"at"`
}

// Trip is why something is on hold, as it was when that began.
type Trip struct {
	Since time.Time `json:"since"`
	// Touched is how many resources were about to be touched or had been, of the Had that there were, in so many Namespaces.
	Touched    int `json:"touched"`
	Had        int `json:"had"`
	Namespaces int `json:"namespaces"`
	// Presumed says that it takes those who nobody has looked at yet. Once somebody has, it may be that they do not ask.
	Presumed bool `json:"presumed,omitempty"`
}

// Parse reads a record; an empty text is that of nothing.
func Parse(text string) (r Record, err error) {
	if text == "" {
		return r, nil
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return Record{}, fmt.Errorf("reading the record of what was destroyed: %w", err)
	}
	return r, nil
}

// String is the record as Parse reads it.
func (r Record) String() string {
	text, err := json.Marshal(r)
	if err != nil { // of strings, numbers and times
		panic(err)
	}
	return string(text)
}

// Lets says whether an intent was let through within the window, as it is now.
func (r Record) Lets(namespace string, intent Intent, limits Limits, now time.Time) bool {
	return slices.ContainsFunc(r.Namespaces[namespace].Let, func(l Let) bool {
		return l.UID == intent.UID && l.Generation == intent.Generation && (l.Ends || !intent.Ends) && l.counts(limits, now)
	})
}

// Trip is why a namespace is on hold, and whether because of the fleet; nil while it is not.
func (r Record) Trip(namespace string) (trip *Trip, ofFleet bool) {
	if trip := r.Namespaces[namespace].Trip; trip != nil {
		return trip, false
	}
	return r.Fleet, r.Fleet != nil
}

// Trips says whether anything is on hold.
func (r Record) Trips() bool {
	for _, space := range r.Namespaces {
		if space.Trip != nil {
			return true
		}
	}
	return r.Fleet != nil
}

// Within is the record without what does not count any more.
func (r Record) Within(limits Limits, now time.Time) Record {
	out := Record{Namespaces: map[string]Space{}, Fleet: r.Fleet}
	for name, space := range r.Namespaces {
		space.Let = slices.DeleteFunc(slices.Clone(space.Let), func(l Let) bool { return !l.counts(limits, now) })
		put(out.Namespaces, name, space)
	}
	return out
}

func (l Let) counts(limits Limits, now time.Time) bool { return now.Before(l.At.Add(limits.Window)) }

// put puts what is recorded of a namespace into the record, of which nothing is no record.
func put(namespaces map[string]Space, name string, space Space) {
	if len(space.Let) == 0 && space.Trip == nil {
		delete(namespaces, name)
		return
	}
	namespaces[name] = space
}

// let is the space once an intent was let through at a time: an object counts once.
func (s Space) let(intent Intent, at time.Time) Space {
	all := make([]Let, 0, len(s.Let)+1)
	for _, l := range s.Let {
		if l.UID != intent.UID {
			all = append(all, l)
			continue
		}
		intent.Ends = intent.Ends || l.Ends
	}
	all = append(all, Let{intent, at})
	s.Let = all
	return s
}

// count is how many objects were let through or wait, and how many of these end something.
func (s Space) count(waiting []Intent) (touched, ended int) {
	all := map[types.UID]bool{}
	for _, l := range s.Let {
		all[l.UID] = all[l.UID] || l.Ends
	}
	for _, i := range waiting {
		all[i.UID] = all[i.UID] || i.Ends
	}
	for _, ends := range all {
		if ends {
			ended++
		}
	}
	return len(all), ended
}
