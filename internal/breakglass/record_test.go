package breakglass

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

var three = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return three.Add(time.Duration(minutes) * time.Minute) }

func glass(reason, by string, until time.Time) Glass {
	return Glass{Scope: v1alpha1.BreakGlassOnObject, Reason: reason, By: by, Until: until}
}

func TestAdvance(t *testing.T) {
	opened := Seen{Glass: glass("INC-1 partner", "ada", time.Time{}), Verified: true, Now: at(0)}
	timed := Seen{Glass: glass("INC-1 partner", "ada", at(60)), Verified: true, Now: at(0)}
	cases := map[string]struct {
		looks   []Seen
		open    *v1alpha1.BreakGlass
		history []v1alpha1.BreakGlassEpisode
		last    []Event
	}{
		"never broken": {looks: []Seen{{Now: at(0)}}},
		"opened": {
			looks: []Seen{opened},
			open:  &v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(0))},
			last:  []Event{{EventOpened, "ada broke the glass on the Object until somebody closes it: INC-1 partner"}},
		},
		"seen again: since stays, nothing is told": {
			looks: []Seen{opened, {Glass: opened.Glass, Verified: true, Now: at(5)}},
			open:  &v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(0))},
		},
		"opened where nobody vouches for the name": {
			looks: []Seen{{Glass: glass("INC-1 partner", "", time.Time{}), Now: at(0)}},
			open:  &v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", Since: metav1.NewTime(at(0))},
			last:  []Event{{EventOpened, "somebody who is not recorded broke the glass on the Object until somebody closes it: INC-1 partner"}},
		},
		"another reason": {
			looks: []Seen{opened, {Glass: glass("INC-2 partner", "bob", time.Time{}), Verified: true, Now: at(5)}},
			open: &v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-2 partner", By: "bob", Verified: true, Since: metav1.NewTime(at(0)),
				Edits: []v1alpha1.BreakGlassEdit{{Time: metav1.NewTime(at(5)), By: "bob", Reason: "INC-2 partner"}}},
			last: []Event{{EventChanged, `bob changed the reason for breaking the glass to "INC-2 partner"; it was "INC-1 partner"`}},
		},
		"extended": {
			looks: []Seen{timed, {Glass: glass("INC-1 partner", "ada", at(120)), Verified: true, Now: at(5)}},
			open: &v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(0)), Until: new(metav1.NewTime(at(120))),
				Edits: []v1alpha1.BreakGlassEdit{{Time: metav1.NewTime(at(5)), By: "ada", Reason: "INC-1 partner", Until: new(metav1.NewTime(at(120)))}}},
			last: []Event{{EventExtended, "ada keeps the glass open until 2026-03-01T05:00:00Z: INC-1 partner"}},
		},
		"closed by somebody else": {
			looks: []Seen{opened, {ClosedBy: "bob", Now: at(9)}},
			history: []v1alpha1.BreakGlassEpisode{{
				BreakGlass: v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(0))},
				Ending:     v1alpha1.BreakGlassClosed, ClosedAt: metav1.NewTime(at(9)), ClosedBy: "bob",
			}},
			last: []Event{{EventClosed, "bob closed the glass that ada broke: INC-1 partner"}},
		},
		"its time is over": {
			looks: []Seen{timed, {Expired: true, ClosedBy: "eve, who closed another one before", Now: at(60)}},
			history: []v1alpha1.BreakGlassEpisode{{
				BreakGlass: v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(0)), Until: new(metav1.NewTime(at(60)))},
				Ending:     v1alpha1.BreakGlassExpired, ClosedAt: metav1.NewTime(at(60)),
			}},
			last: []Event{{EventExpired, "the glass that ada broke has expired: INC-1 partner"}},
		},
		"its time is over, and the operator had already cleared it away": {
			looks: []Seen{timed, {ClosedBy: v1alpha1.ClosedByExpiry, Now: at(61)}},
			history: []v1alpha1.BreakGlassEpisode{{
				BreakGlass: v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(0)), Until: new(metav1.NewTime(at(60)))},
				Ending:     v1alpha1.BreakGlassExpired, ClosedAt: metav1.NewTime(at(61)),
			}},
			last: []Event{{EventExpired, "the glass that ada broke has expired: INC-1 partner"}},
		},
		"closed by a person after it was extended, long after its first time": {
			looks: []Seen{timed, {ClosedBy: "bob", Now: at(61)}},
			history: []v1alpha1.BreakGlassEpisode{{
				BreakGlass: v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(0)), Until: new(metav1.NewTime(at(60)))},
				Ending:     v1alpha1.BreakGlassClosed, ClosedAt: metav1.NewTime(at(61)), ClosedBy: "bob",
			}},
			last: []Event{{EventClosed, "bob closed the glass that ada broke: INC-1 partner"}},
		},
		"a fraction of a second in the time is no change each time it is looked at": {
			looks: []Seen{
				{Glass: glass("INC-1 partner", "ada", at(60).Add(time.Second/2)), Verified: true, Now: at(0)},
				{Glass: glass("INC-1 partner", "ada", at(60).Add(time.Second/2)), Verified: true, Now: at(5)},
			},
			open: &v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(0)), Until: new(metav1.NewTime(at(60)))},
		},
		"broken on the object while its Namespace's is open": {
			looks: []Seen{
				{Glass: Glass{Scope: v1alpha1.BreakGlassOnNamespace, Reason: "INC-3 all", By: "cy"}, Verified: true, Now: at(0)},
				{Glass: glass("INC-1 partner", "ada", time.Time{}), Verified: true, Now: at(9)},
			},
			open: &v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(9))},
			history: []v1alpha1.BreakGlassEpisode{{
				BreakGlass: v1alpha1.BreakGlass{Scope: "Namespace", Reason: "INC-3 all", By: "cy", Verified: true, Since: metav1.NewTime(at(0))},
				Ending:     v1alpha1.BreakGlassSuperseded, ClosedAt: metav1.NewTime(at(9)),
			}},
			last: []Event{{EventOpened, "ada broke the glass on the Object until somebody closes it: INC-1 partner"}},
		},
		"closed on the object, and its Namespace's goes on": {
			looks: []Seen{
				{Glass: Glass{Scope: v1alpha1.BreakGlassOnNamespace, Reason: "INC-3 all", By: "cy"}, Verified: true, Now: at(0)},
				{Glass: glass("INC-1 partner", "ada", time.Time{}), Verified: true, Now: at(9)},
				{Glass: Glass{Scope: v1alpha1.BreakGlassOnNamespace, Reason: "INC-3 all", By: "cy"}, Verified: true, ClosedBy: "ada", Now: at(12)},
			},
			open: &v1alpha1.BreakGlass{Scope: "Namespace", Reason: "INC-3 all", By: "cy", Verified: true, Since: metav1.NewTime(at(0))},
			history: []v1alpha1.BreakGlassEpisode{{
				BreakGlass: v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(9))},
				Ending:     v1alpha1.BreakGlassClosed, ClosedAt: metav1.NewTime(at(12)), ClosedBy: "ada",
			}},
			last: []Event{{EventClosed, "ada closed the glass that ada broke: INC-1 partner"}},
		},
		"the object's glass is closed, its Namespace's is still open": {
			looks: []Seen{opened, {Glass: Glass{Scope: v1alpha1.BreakGlassOnNamespace, Reason: "INC-3 all", By: "cy"}, Verified: true, ClosedBy: "ada", Now: at(9)}},
			open:  &v1alpha1.BreakGlass{Scope: "Namespace", Reason: "INC-3 all", By: "cy", Verified: true, Since: metav1.NewTime(at(9))},
			history: []v1alpha1.BreakGlassEpisode{{
				BreakGlass: v1alpha1.BreakGlass{Scope: "Object", Reason: "INC-1 partner", By: "ada", Verified: true, Since: metav1.NewTime(at(0))},
				Ending:     v1alpha1.BreakGlassClosed, ClosedAt: metav1.NewTime(at(9)), ClosedBy: "ada",
			}},
			last: []Event{
				{EventClosed, "ada closed the glass that ada broke: INC-1 partner"},
				{EventOpened, "cy broke the glass on the Namespace until somebody closes it: INC-3 all"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var status v1alpha1.CommonStatus
			var last []Event
			for _, seen := range tc.looks {
				last = Advance(&status, seen)
				status = stored(t, status)
			}
			if d := cmp.Diff(tc.open, status.BreakGlass); d != "" {
				t.Errorf("open glass (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.history, status.BreakGlassHistory); d != "" {
				t.Errorf("history (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tc.last, last); d != "" {
				t.Errorf("events of the last look (-want +got):\n%s", d)
			}
			before := stored(t, status)
			if again := Advance(&status, tc.looks[len(tc.looks)-1]); again != nil {
				t.Errorf("the same look again tells %v", again)
			}
			if d := cmp.Diff(before, status); d != "" {
				t.Errorf("the same look again changed the record (-before +after):\n%s", d)
			}
		})
	}
}

// stored is a status as it comes back from the API server.
func stored(t interface{ Fatal(...any) }, status v1alpha1.CommonStatus) v1alpha1.CommonStatus {
	text, err := json.Marshal(status)
	if err != nil {
		t.Fatal(err)
	}
	var out v1alpha1.CommonStatus
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestHistoryKeepsTheLastFive(t *testing.T) {
	var status v1alpha1.CommonStatus
	for i := range 7 {
		Advance(&status, Seen{Glass: glass("INC "+string(rune('0'+i)), "ada", time.Time{}), Now: at(2 * i)})
		Advance(&status, Seen{ClosedBy: "ada", Now: at(2*i + 1)})
	}
	var reasons []string
	for _, r := range status.BreakGlassHistory {
		reasons = append(reasons, r.Reason)
	}
	if d := cmp.Diff([]string{"INC 6", "INC 5", "INC 4", "INC 3", "INC 2"}, reasons); d != "" {
		t.Errorf("history (-want +got):\n%s", d)
	}
}

func TestNoteKeepsTheLastDifferenceOfEachPath(t *testing.T) {
	var status v1alpha1.CommonStatus
	Note(&status, []v1alpha1.Change{{Path: "spec.rpo"}})
	Advance(&status, Seen{Glass: glass("INC-1 partner", "ada", time.Time{}), Now: at(0)})
	Note(&status, []v1alpha1.Change{{Path: "spec.storageClass", From: "1"}})
	Note(&status, []v1alpha1.Change{{Path: "spec.storageClass", From: "2"}, {Path: "spec.rpo", From: "3"}})
	Note(&status, nil)
	want := []v1alpha1.Change{{Path: "spec.storageClass", From: "2"}, {Path: "spec.rpo", From: "3"}}
	if d := cmp.Diff(want, status.BreakGlass.Seen); d != "" {
		t.Errorf("seen (-want +got):\n%s", d)
	}
}

// TestADeletionInAnIncidentIsNoted: Kubernetes tells times in seconds, and in doubt what is destroyed waits for a person.
func TestADeletionInAnIncidentIsNoted(t *testing.T) {
	incident := Glass{Scope: v1alpha1.BreakGlassOnObject, Reason: "INC-1", By: "ada"}
	open := func(deleted *metav1.Time, opened, now int) Seen {
		return Seen{Glass: incident, Deleted: deleted, OpenedAt: at(opened), Now: at(now)}
	}
	closed := func(deleted *metav1.Time, now int) Seen { return Seen{Deleted: deleted, Now: at(now)} }
	when := func(minute int) *metav1.Time { return new(metav1.NewTime(at(minute))) }
	cases := map[string]struct {
		looks []Seen
		want  *metav1.Time
	}{
		"not deleted":                              {[]Seen{open(nil, 1, 2), closed(nil, 9)}, nil},
		"deleted before":                           {[]Seen{open(when(0), 1, 2), open(when(0), 1, 3), closed(when(0), 9)}, nil},
		"deleted before anybody saw it open":       {[]Seen{open(when(2), 1, 3), closed(when(2), 9)}, when(2)},
		"deleted in the second in which it opened": {[]Seen{open(when(1), 1, 3), closed(when(1), 9)}, when(1)},
		"deleted while it was open":                {[]Seen{open(nil, 1, 2), open(when(5), 1, 6), closed(when(5), 9)}, when(5)},
		"deleted, and seen when it was closed":     {[]Seen{open(nil, 1, 2), closed(when(5), 9)}, when(5)},
		"deleted in the second of the closing":     {[]Seen{open(nil, 1, 2), closed(when(9), 9)}, nil},
		"deleted afterwards":                       {[]Seen{open(nil, 1, 2), closed(nil, 9), closed(when(10), 11)}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var status v1alpha1.CommonStatus
			for _, seen := range tc.looks {
				Advance(&status, seen)
			}
			if len(status.BreakGlassHistory) != 1 {
				t.Fatalf("history: %+v", status.BreakGlassHistory)
			}
			if d := cmp.Diff(tc.want, status.BreakGlassHistory[0].DeletionTime); d != "" {
				t.Errorf("deletion (-want +got):\n%s", d)
			}
		})
	}
}
