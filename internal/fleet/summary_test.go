package fleet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Those that need attention most are listed, whatever the order in which they come, and everything is counted.
func TestSummary(t *testing.T) {
	at := func(minutes int) *time.Time {
		since := noon.Add(time.Duration(minutes) * time.Minute)
		return &since
	}
	ordered := []Line{
		{Kind: "Bucket", Name: "long-refused", State: Refused, Reason: "Denied", Since: at(1)},
		{Kind: "Bucket", Name: "refused", State: Refused, Reason: "Conflict", Since: at(2)},
		{Kind: "Topic", Name: "refused", State: Refused, Reason: "Denied", Since: at(2)},
		{Kind: "Bucket", Name: "on-hold", State: OnHold, Reason: "DataLoss", Since: at(0)},
		{Kind: "Bucket", Name: "glass", State: Glass, Reason: "Open", Since: at(0)},
		{Kind: "Bucket", Name: "unacknowledged", State: Glass, Reason: "Unacknowledged"},
		{Kind: "Topic", Name: "differing", State: Differing, Reason: "Differs", Since: at(0)},
		{Kind: "Topic", Name: "waiting", State: Waiting, Reason: "Progressing", Since: at(0)},
	}
	ready := Line{Kind: "Topic", Name: "ready", State: Ready, Reason: "UpToDate"}
	for round := range 20 {
		shuffled := append(slices.Clone(ordered), ready, ready)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		most := 1 + round%10
		s := NewSummary(most, "Bucket", "Topic", "ProjectPolicy")
		for _, l := range shuffled {
			s.Add(l)
		}
		if diff := cmp.Diff(ordered[:min(most, len(ordered))], s.Attention); diff != "" {
			t.Fatalf("at most %d (-want +got)\n%s", most, diff)
		}
		if want := max(0, len(ordered)-most); s.Omitted != want || s.Total() != 10 {
			t.Fatalf("at most %d: %d of %d omitted, want %d of 10", most, s.Omitted, s.Total(), want)
		}
		if diff := cmp.Diff(map[State]map[string]int{
			Refused: {"Denied": 2, "Conflict": 1}, OnHold: {"DataLoss": 1}, Glass: {"Open": 1, "Unacknowledged": 1}, Differing: {"Differs": 1}, Waiting: {"Progressing": 1},
		}, s.Reasons); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	}
}

func TestSummaryJoin(t *testing.T) {
	lines := []Line{
		{Kind: "Bucket", State: Ready}, {Kind: "Bucket", State: Refused, Reason: "Denied"}, {Kind: "Topic", State: Refused, Reason: "Denied"}, {Kind: "Topic", State: Waiting, Reason: "NotSeen"},
	}
	whole, a, b := NewSummary(0, "Bucket", "Topic"), NewSummary(0, "Bucket", "Topic"), NewSummary(0, "Bucket", "Topic")
	for i, l := range lines {
		whole.Count(l)
		[]*Summary{a, b}[i%2].Count(l)
	}
	a.Join(b)
	if diff := cmp.Diff(whole, a, cmp.AllowUnexported(Summary{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSummaryText(t *testing.T) {
	s := NewSummary(1, "Bucket", "Topic")
	since := noon.Add(-5 * time.Minute)
	s.Add(Line{Kind: "Bucket", Namespace: "shop", Name: "a", State: Ready})
	s.Add(Line{
		Kind: "Bucket", Namespace: "shop", Name: "b", State: Refused, Reason: "Denied", Since: &since, Project: "p",
		Message: strings.Repeat("long ", 40) + "\x1b[31m", ExternalName: "//storage.googleapis.com/b",
	})
	s.Add(Line{Kind: "Bucket", Namespace: "shop", Name: "c", State: Waiting, Reason: "Progressing"})
	var text, wide strings.Builder
	if err := s.Text(&text, noon, false); err != nil {
		t.Fatal(err)
	}
	want := `KIND     TOTAL   READY   WAITING   DIFFERING   GLASS   ONHOLD   REFUSED
Bucket   3       1       1         0           0       0        1
Topic    0       0       0         0           0       0        0
Refused: Denied 1
Waiting: Progressing 1

NAMESPACE   OBJECT     STATE     REASON   SINCE   MESSAGE
shop        bucket/b   Refused   Denied   5m      ` + strings.Repeat("long ", 19) + `lo…
… and 1 more that are not Ready: --all shows them
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := s.Text(&wide, noon, true); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"//storage.googleapis.com/b", `long \u001b[31m`} {
		if !strings.Contains(wide.String(), part) {
			t.Errorf("%q is missing in\n%s", part, wide.String())
		}
	}
}

// BenchmarkSummary shows that what is kept does not grow with the fleet.
func BenchmarkSummary(b *testing.B) {
	s := NewSummary(20, "Bucket")
	b.ReportAllocs()
	for i := range b.N {
		since := noon.Add(time.Duration(i) * time.Second)
		s.Add(Line{Kind: "Bucket", Namespace: "shop", Name: fmt.Sprint(i), State: States[i%len(States)], Since: &since})
	}
}
