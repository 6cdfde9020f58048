package breakglass

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// annotated draws what people, tools and the operator may have left on an object or a Namespace.
func annotated(t *rapid.T, name string) map[string]string {
	out := map[string]string{}
	draw := func(key string, values ...string) {
		if value := rapid.SampledFrom(append(values, "")).Draw(t, name+" "+key); value != "" {
			out[key] = value
		}
	}
	draw(v1alpha1.BreakGlassAnnotation, "INC-1 partner", "INC-2 partner", strings.Repeat("long ", 300))
	draw(v1alpha1.BreakGlassByAnnotation, "ada", "bob")
	draw(v1alpha1.BreakGlassUntilAnnotation, at(3).Format(time.RFC3339), at(5).Add(time.Second/4).Format(time.RFC3339Nano), "tomorrow")
	draw(v1alpha1.BreakGlassClosedByAnnotation, "ada", v1alpha1.ClosedByExpiry)
	return out
}

// TestARecordIsNeverLost: whatever comes after whatever, the record says what the annotations say, an open glass that is gone
// is in the history, and nothing grows beyond what the API takes.
func TestARecordIsNeverLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var status v1alpha1.CommonStatus
		now := at(0)
		for look := range rapid.IntRange(1, 40).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
			object, namespace := annotated(t, "object"), annotated(t, "namespace")
			seen := Seen{
				Glass: Read(object, namespace, now), Verified: rapid.Bool().Draw(t, "verified"),
				ClosedBy: object[v1alpha1.BreakGlassClosedByAnnotation], Now: now,
			}
			_, seen.Expired = Past(object, v1alpha1.BreakGlassOnObject, now)
			before := status.DeepCopy()
			events := Advance(&status, seen)
			Note(&status, []v1alpha1.Change{{Path: fmt.Sprintf("spec.labels[%d]", look)}})
			status = stored(t, status)
			checkRecord(t, *before, status, seen, events)
			again := status.DeepCopy()
			if events := Advance(again, seen); events != nil {
				t.Fatalf("the same look again tells %v", events)
			}
			if d := cmp.Diff(status, stored(t, *again)); d != "" {
				t.Fatalf("the same look again changed the record (-before +after):\n%s", d)
			}
		}
	})
}

func checkRecord(t *rapid.T, before, after v1alpha1.CommonStatus, seen Seen, events []Event) {
	open := after.BreakGlass
	switch {
	case seen.Glass.Open() != (open != nil):
		t.Fatalf("glass is %+v and its record %+v", seen.Glass, open)
	case open != nil && (open.Scope != seen.Glass.Scope || open.Reason != seen.Glass.Reason || open.By != seen.Glass.By || !open.Until.Equal(optional(seen.Glass.Until))):
		t.Fatalf("glass is %+v and its record %+v", seen.Glass, open)
	case open != nil && (len(open.Edits) > mostEdits || len(open.Seen) > mostSeen), len(after.BreakGlassHistory) > mostRecords:
		t.Fatalf("the record grew too long: %+v", after)
	}
	if was := before.BreakGlass; was != nil && (open == nil || open.Scope != was.Scope) {
		if len(after.BreakGlassHistory) == 0 || !cmp.Equal(*was, after.BreakGlassHistory[0].BreakGlass) {
			t.Fatalf("the glass %+v ended and is not the newest in the history: %+v", was, after.BreakGlassHistory)
		}
	}
	if opened := before.BreakGlass == nil && open != nil; opened && (len(events) == 0 || events[0].Reason != EventOpened) {
		t.Fatalf("a glass was broken, and told is %v", events)
	}
	if closed := before.BreakGlass != nil && open == nil; closed && (len(events) != 1 || events[0].Reason != EventClosed && events[0].Reason != EventExpired) {
		t.Fatalf("a glass was closed, and told is %v", events)
	}
}
