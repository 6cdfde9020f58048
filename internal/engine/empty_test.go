package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// fullKind is a fakeKind whose topics have messages in them, by the page of a list that they are on, and rarely something else.
type fullKind struct {
	*fakeKind

	mu    sync.Mutex
	pages [][]kind.Piece
	rare  []kind.Piece
	// listed are the pages that were listed; deleted the pieces that were deleted, or tried to be.
	listed, deleted []string
	// answer, if set, is what the deletion of a piece comes to.
	answer func(name string) error
	// deleting counts the deletions of the topic, which fail as long as something is in it.
	deleting int
}

func (k *fullKind) Contents(kind.Ref, v1alpha1.TopicSpec) []kind.Contents {
	return []kind.Contents{
		{Name: "messages", Deleted: func(p *v1alpha1.DeletionProgress) *int64 { return &p.ObjectsDeleted }, List: k.list},
		{Name: "snapshots", Rare: true, List: func(context.Context, string) ([]kind.Piece, string, error) {
			k.note(&k.listed, "snapshots")
			return k.pieces(k.rare), "", nil
		}},
	}
}

func (k *fullKind) note(in *[]string, what string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	*in = append(*in, what)
}

func (k *fullKind) list(_ context.Context, page string) (pieces []kind.Piece, next string, err error) {
	k.note(&k.listed, "messages"+page)
	at := len(page)
	if at+1 < len(k.pages) {
		next = page + "+"
	}
	if at >= len(k.pages) {
		return nil, "", nil
	}
	return k.pieces(k.pages[at]), next, nil
}

// pieces are those that are still there.
func (k *fullKind) pieces(of []kind.Piece) []kind.Piece {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []kind.Piece
	for _, piece := range of {
		if slices.Contains(k.deleted, piece.Name) {
			continue
		}
		piece.Delete = func(context.Context) error {
			if k.answer != nil {
				if err := k.answer(piece.Name); err != nil {
					return err
				}
			}
			k.note(&k.deleted, piece.Name)
			return nil
		}
		out = append(out, piece)
	}
	return out
}

func (k *fullKind) Delete(ctx context.Context, ref kind.Ref, live v1alpha1.TopicSpec) error {
	k.deleting++
	left := len(k.pieces(k.rare))
	for _, page := range k.pages {
		left += len(k.pieces(page))
	}
	if left > 0 {
		return &kind.Error{Class: kind.NotEmpty, Message: "It is not empty."}
	}
	return k.fakeKind.Delete(ctx, ref, live)
}

// fullTopic is a topic that is being deleted with what is in it.
func fullTopic(t *testing.T, pages ...[]kind.Piece) (*Reconciler, *fullKind) {
	t.Helper()
	topic := shopTopic()
	topic.Spec.DeletionPolicy = v1alpha1.DeletionDeleteWithContents
	r, base := testReconciler(t, topic)
	full := &fullKind{fakeKind: base, pages: pages}
	r.use(kind.Of(full))
	if err := r.client.Delete(t.Context(), step(t, r, v1alpha1.ReasonUpToDate)); err != nil {
		t.Fatal(err)
	}
	r.uncached = definitions{r.client}
	return r, full
}

// definitions answers that no definition is being deleted.
type definitions struct{ client.Reader }

func (d definitions) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if _, is := obj.(*metav1.PartialObjectMetadata); is {
		return nil
	}
	return d.Reader.Get(ctx, key, obj, opts...)
}

func messages(names ...string) []kind.Piece {
	var out []kind.Piece
	for _, name := range names {
		out = append(out, kind.Piece{Name: name})
	}
	return out
}

// many are n messages.
func many(n int) []kind.Piece {
	var out []kind.Piece
	for i := range n {
		out = append(out, kind.Piece{Name: fmt.Sprintf("m-%04d", i)})
	}
	return out
}

func held(name string) kind.Piece {
	return kind.Piece{Name: name, Kept: &kind.Kept{Why: "under a hold", Advice: "Release it"}}
}

// look reconciles once and returns when and with which priority the next look is.
func look(t *testing.T, r *Reconciler) (*v1alpha1.Topic, reconcile.Result, error) {
	t.Helper()
	topic := shopTopic()
	result, failure := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(topic)})
	if err := r.client.Get(t.Context(), client.ObjectKeyFromObject(topic), topic); client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	} else if err != nil {
		return nil, result, failure
	}
	return topic, result, failure
}

// TestAKindIsEmptied: what may go goes, what is kept is not tried, and the resource goes with the last of it.
func TestAKindIsEmptied(t *testing.T) {
	r, full := fullTopic(t, messages("a", "b"), append(messages("c"), held("h")))
	topic, result, err := look(t, r)
	if err != nil || topic == nil {
		t.Fatalf("%+v, %v", topic, err)
	}
	if d := gocmp.Diff([]string{"a", "b", "c"}, sorted(full.deleted)); d != "" {
		t.Errorf("deleted (-want +got):\n%s", d)
	}
	want := []v1alpha1.RemainingContents{{Why: "messages under a hold", Count: 1, Names: []string{"h"}, Advice: "Release it"}}
	if d := gocmp.Diff(want, topic.Status.Deletion.Remaining); d != "" || topic.Status.Deletion.ObjectsDeleted != 3 {
		t.Errorf("%d deleted, remaining (-want +got):\n%s", topic.Status.Deletion.ObjectsDeleted, d)
	}
	if is := readyCondition(topic); is.Reason != v1alpha1.ReasonNotEmpty || full.deleting > 0 {
		t.Errorf("%s: %s; %d tries to delete the topic", is.Reason, is.Message, full.deleting)
	}
	if result.RequeueAfter != firstKept || result.Priority == nil || *result.Priority != handler.LowPriority {
		t.Errorf("next look %+v", result)
	}
	full.pages[1][1].Kept = nil
	if topic, _, err := look(t, r); topic != nil || err != nil {
		t.Errorf("not gone: %+v, %v", topic, err)
	}
}

// TestTheLooksAtWhatIsKeptComeSlower each time, but no later than the first of it can go; and at once again after one that was good for
// something.
func TestTheLooksAtWhatIsKeptComeSlower(t *testing.T) {
	r, full := fullTopic(t, []kind.Piece{held("h")})
	now := time.Now()
	r.now = func() time.Time { return now }
	next := func() time.Duration {
		_, result, err := look(t, r)
		if err != nil {
			t.Fatal(err)
		}
		return result.RequeueAfter
	}
	var got []time.Duration
	for range 11 {
		got = append(got, next())
	}
	for i := 1; i < len(got); i++ {
		if got[i] < got[i-1] || got[i] > lastKept || got[i] == got[i-1] && got[i] < lastKept {
			t.Errorf("pauses %v", got)
			break
		}
	}
	if got[10] != lastKept || len(full.deleted) > 0 {
		t.Errorf("the last pause is %v, deleted %q", got[10], full.deleted)
	}
	full.pages[0][0].Kept.Until = now.Add(time.Minute)
	if after := next(); after != time.Minute+time.Second {
		t.Errorf("kept for a minute, the next look is in %v", after)
	}
	full.pages = append(full.pages, messages("a"))
	full.pages[0][0].Kept.Until = time.Time{}
	if after := next(); after != firstKept {
		t.Errorf("after something was deleted, the next look is in %v", after)
	}
}

// TestWhatHardlyEverIsThereIsLookedForLast, once Google says that the resource is not empty.
func TestWhatHardlyEverIsThereIsLookedForLast(t *testing.T) {
	r, full := fullTopic(t, messages("a"))
	full.rare = []kind.Piece{{Name: "s", Kept: &kind.Kept{Why: "which are going", Leaving: true}}}
	if _, err := reconcileOnce(t, r); err != nil { // a is deleted; the topic is not empty, and something may have been added
		t.Fatal(err)
	}
	topic, result, err := look(t, r)
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff([]string{"messages", "messages", "messages", "snapshots"}, full.listed); d != "" {
		t.Errorf("listed (-want +got):\n%s", d)
	}
	if is := readyCondition(topic); is.Reason != v1alpha1.ReasonDeleting || !strings.Contains(is.Message, "waiting for") || result.RequeueAfter != 2*firstKept {
		t.Errorf("%s: %s; next look in %s", is.Reason, is.Message, result.RequeueAfter)
	}
	full.rare = nil
	if topic, _, err := look(t, r); topic != nil || err != nil {
		t.Errorf("not gone: %+v, %v", topic, err)
	}
}

// TestGoogleSaysNotEmptyAndShowsNothing: nobody knows what is in it, so that it is looked at again, slower each time.
func TestGoogleSaysNotEmptyAndShowsNothing(t *testing.T) {
	r, full := fullTopic(t)
	hidden := messages("hidden")
	full.rare = hidden
	r.kind.Fields.Contents = func(ref kind.Ref, _ kind.Live) []kind.Contents {
		return full.Contents(ref, v1alpha1.TopicSpec{})[:1]
	}
	var pauses []time.Duration
	for range 3 {
		topic, result, err := look(t, r)
		if err != nil || readyCondition(topic).Reason != v1alpha1.ReasonNotEmpty {
			t.Fatalf("%+v, %v", readyCondition(topic), err)
		}
		pauses = append(pauses, result.RequeueAfter)
	}
	if !slices.IsSorted(pauses) || pauses[0] == pauses[2] {
		t.Errorf("pauses %v", pauses)
	}
}

// TestAnswersWhileEmptying: one refusal or two stop nothing; what says that the same is to be expected of all does.
func TestAnswersWhileEmptying(t *testing.T) {
	fail := func(class kind.Class, ours bool, names ...string) func(string) error {
		return func(name string) error {
			if len(names) > 0 && !slices.Contains(names, name) {
				return nil
			}
			return &kind.Error{Class: class, Ours: ours, RetryAfter: time.Second, Message: "Google's words"}
		}
	}
	cases := map[string]struct {
		answer func(string) error
		reason string // empty for what a pass says that says nothing
		// deleted of the 250 there are, at least and at most
		least, most int
		err         bool
	}{
		"a few are retained":     {fail(kind.Retained, false, "m-0000", "m-0150"), v1alpha1.ReasonNotEmpty, 248, 248, false},
		"a few are denied":       {fail(kind.Denied, false, "m-0000"), v1alpha1.ReasonDenied, 249, 249, true},
		"all are denied":         {fail(kind.Denied, false), v1alpha1.ReasonDenied, 0, 0, true},
		"a few are not answered": {fail(kind.Unavailable, false, "m-0000", "m-0001"), v1alpha1.ReasonDeleting, 248, 248, false},
		"none is answered":       {fail(kind.Unavailable, false), v1alpha1.ReasonUnavailable, 0, 0, true},
		"Google throttles":       {fail(kind.Throttled, false, "m-0120"), v1alpha1.ReasonThrottled, 100, 199, false},
		"we limit ourselves":     {fail(kind.Throttled, true, "m-0120"), v1alpha1.ReasonDeleting, 100, 199, false},
		"at once":                {fail(kind.Throttled, true), "", 0, 0, false},
		"others are of no use":   {fail(kind.Invalid, false, "m-0200"), v1alpha1.ReasonNotEmpty, 249, 249, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r, full := fullTopic(t, many(250))
			full.answer = tc.answer
			topic, result, err := look(t, r)
			if n := len(full.deleted); n < tc.least || n > tc.most {
				t.Errorf("%d are deleted, want %d to %d", n, tc.least, tc.most)
			}
			if (err != nil) != tc.err {
				t.Errorf("error %v", err)
			}
			is := readyCondition(topic)
			if want := cmp.Or(tc.reason, v1alpha1.ReasonUpToDate); is.Reason != want {
				t.Errorf("reason %s (%s), want %s", is.Reason, is.Message, want)
			}
			if progress := topic.Status.Deletion; tc.reason != "" && progress.ObjectsDeleted != int64(len(full.deleted)) {
				t.Errorf("%d are deleted, and status says %+v", len(full.deleted), progress)
			}
			if result.RequeueAfter == 0 && err == nil {
				t.Error("nobody comes back")
			}
		})
	}
}

// TestMoreIsKeptThanAPassCanList: the pass that follows goes on where the one before has stopped.
func TestMoreIsKeptThanAPassCanList(t *testing.T) {
	r, full := fullTopic(t, []kind.Piece{held("h1")}, []kind.Piece{held("h2")}, []kind.Piece{held("h3")}, messages("last"))
	now := time.Now()
	r.now = func() time.Time { now = now.Add(emptyTime / 4); return now }
	for range 20 {
		if _, _, err := look(t, r); err != nil {
			t.Fatal(err)
		}
		if len(full.deleted) == 1 {
			break
		}
	}
	if d := gocmp.Diff([]string{"messages", "messages+", "messages++", "messages+++"}, full.listed[:min(4, len(full.listed))]); d != "" {
		t.Errorf("listed (-want +got):\n%s", d)
	}
	if d := gocmp.Diff([]string{"last"}, full.deleted); d != "" {
		t.Errorf("deleted (-want +got):\n%s", d)
	}
}

// TestTheDeepestGoFirst, and no others before all of those are gone.
func TestTheDeepestGoFirst(t *testing.T) {
	var mu sync.Mutex
	var order []int
	var pieces []kind.Piece
	for depth := range 4 {
		for range 40 {
			pieces = append(pieces, kind.Piece{Depth: 3 - depth, Delete: func(context.Context) error {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, depth)
				return nil
			}})
		}
	}
	for _, err := range deleteAll(t.Context(), pieces) {
		if err != nil {
			t.Error(err)
		}
	}
	if !slices.IsSorted(order) || len(order) != 160 {
		t.Errorf("order %v", order)
	}
}

// TestABatchIsOneWrite to the gate and to the log of writes.
func TestABatchIsOneWrite(t *testing.T) {
	limited := &kind.Error{Class: kind.Throttled, Ours: true}
	unanswered := &kind.Error{Class: kind.Unavailable}
	refused := &kind.Error{Class: kind.Retained}
	cases := map[string]struct {
		results []error
		want    error
	}{
		"all deleted":                   {[]error{nil, nil}, nil},
		"one refused":                   {[]error{nil, refused}, nil},
		"one not answered":              {[]error{nil, limited, unanswered}, unanswered},
		"none sent":                     {[]error{errUntried, limited, errUntried}, limited},
		"one sent, then limited":        {[]error{nil, limited, errUntried}, nil},
		"one sent and refused, limited": {[]error{refused, limited}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := asOneWrite(tc.results); !errors.Is(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestLeftovers(t *testing.T) {
	soon, later := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	retained := func(until time.Time) kind.Kept {
		return kind.Kept{Why: "under a retention", Advice: "Wait", Until: until}
	}
	var left leftovers
	for i := range 7 {
		left = left.with("messages", fmt.Sprintf("m%d", i), kind.Kept{Why: "under a hold", Advice: "Release it"})
	}
	left = left.with("messages", "r1", retained(later)).with("messages", "r2", retained(soon)).with("messages", strings.Repeat("x", 1000), retained(later))
	left = left.refused("messages", "f", &kind.Error{Class: kind.Retained, Message: "It is on hold."})
	if got := left.until(); !got.Equal(soon) {
		t.Errorf("the first is free at %v", got)
	}
	text := left.String()
	for _, part := range []string{
		"7 messages under a hold (m0, m1, m2, m3, m4 and 2 more). Release it", "3 messages under a retention (r1, r2, ", "the first until 2026-03-01T00:00:00Z. Wait",
		"Google says: It is on hold.",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in %q", part, text)
		}
	}
	got := left.status()
	for i, r := range got {
		for j, name := range r.Names {
			if len(name) > longestName {
				t.Errorf("a name has %d bytes", len(name))
			}
			got[i].Names[j] = name[:min(len(name), 2)]
		}
	}
	want := []v1alpha1.RemainingContents{
		{Why: "messages under a hold", Count: 7, Names: []string{"m0", "m1", "m2", "m3", "m4"}, Advice: "Release it"},
		{Why: "messages under a retention", Count: 3, Names: []string{"r1", "r2", "xx"}, Until: &metav1.Time{Time: soon}, Advice: "Wait"},
		{Why: "messages that Google refuses to delete because of a hold or a retention", Count: 1, Names: []string{"f"}, Advice: "Google says: It is on hold."},
	}
	if d := gocmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("status (-want +got):\n%s", d)
	}
}

// TestPlacesToEmpty: so many passes empty at the same time and no more, and who found no place comes back and gets one in its turn.
func TestPlacesToEmpty(t *testing.T) {
	for workers, want := range map[int]int{1: 1, 2: 1, 7: 1, 8: 2, 10: 2, 100: 25} {
		if got := newEmptyings(workers).places; got != want {
			t.Errorf("of %d workers %d empty, want %d", workers, got, want)
		}
	}
	places := newEmptyings(1)
	name := client.ObjectKeyFromObject(shopTopic())
	others := []client.ObjectKey{{Name: "second"}, {Name: "third"}, {Name: "fourth"}}
	now := time.Unix(0, 0)
	first, _ := places.take(name, "1", now)
	var waits []time.Duration
	for _, other := range others {
		place, wait := places.take(other, "2", now)
		if place != nil {
			t.Fatal("two have the same place")
		}
		waits = append(waits, wait)
	}
	if d := gocmp.Diff([]time.Duration{emptyTime, 2 * emptyTime, 3 * emptyTime}, waits); d != "" {
		t.Errorf("waits (-want +got):\n%s", d)
	}
	if !places.leave() {
		t.Error("nobody came for the place")
	}
	if again, _ := places.take(name, "1", now); again != nil {
		t.Error("who had the place takes it again before those who wait")
	}
	if early, wait := places.take(others[2], "2", now); early != nil || wait != 3*emptyTime {
		t.Errorf("the last of those who wait comes early, and is told to stay away for %s", wait)
	}
	for _, other := range others {
		if place, _ := places.take(other, "2", now); place == nil {
			t.Fatalf("it is the turn of %s, and it gets no place", other.Name)
		}
		places.leave()
	}
	if again, _ := places.take(name, "1", now); again != first || places.leave() {
		t.Error("what was known is forgotten, or somebody waits who does not")
	}
	if other, _ := places.take(name, "3", now); other == first {
		t.Error("another object of that name goes on where the one before has stopped")
	}
	_, stay := places.take(others[0], "2", now)
	places.leave()
	if late, _ := places.take(others[1], "2", now.Add(stay+lateness)); late != nil {
		t.Error("who may be late is passed over")
	}
	if late, _ := places.take(others[1], "2", now.Add(stay+lateness+1)); late == nil {
		t.Error("who does not come keeps the place for ever")
	}
	places.drop(name)
	places.drop(others[0])
	places.drop(others[1])
	places.drop(others[2])
	if len(places.of)+len(places.waiting) > 0 {
		t.Errorf("kept are %v and %v", places.of, places.waiting)
	}
}

func sorted(names []string) []string { return slices.Sorted(slices.Values(names)) }

// TestAListThatFails is begun at the start again, where what was added meanwhile may be; unless the answer says nothing of it.
func TestAListThatFails(t *testing.T) {
	for class, want := range map[kind.Class]string{kind.Denied: "messages", kind.Invalid: "messages", kind.Unavailable: "messages+"} {
		t.Run(string(class), func(t *testing.T) {
			r, full := fullTopic(t, messages("a"), messages("b"))
			fails := true
			r.kind.Fields.Contents = func(ref kind.Ref, _ kind.Live) []kind.Contents {
				contents := full.Contents(ref, v1alpha1.TopicSpec{})[:1]
				contents[0].List = func(ctx context.Context, page string) ([]kind.Piece, string, error) {
					if page == "+" && fails {
						return nil, "", &kind.Error{Class: class, Message: "no"}
					}
					return full.list(ctx, page)
				}
				return contents
			}
			topic, _, _ := look(t, r)
			if topic == nil || topic.Status.Deletion.ObjectsDeleted != 1 {
				t.Fatalf("what was deleted before is not told: %+v", topic)
			}
			fails, full.listed = false, nil
			if topic, _, err := look(t, r); topic != nil || err != nil {
				t.Fatalf("not gone: %+v, %v", topic, err)
			}
			if full.listed[0] != want {
				t.Errorf("listed %q, want it to begin with %q", full.listed, want)
			}
		})
	}
}

// TestAPageOnWhichAllIsRefused takes longer than a pass begins further pages, and is not begun for ever.
func TestAPageOnWhichAllIsRefused(t *testing.T) {
	r, full := fullTopic(t, many(250))
	now := time.Now()
	r.now = func() time.Time { now = now.Add(emptyTime / 4); return now }
	full.answer = func(string) error { return &kind.Error{Class: kind.Retained, Message: "It is on hold."} }
	topic, result, err := look(t, r)
	if err != nil || readyCondition(topic).Reason != v1alpha1.ReasonNotEmpty || result.RequeueAfter < firstKept {
		t.Errorf("%+v, next look %+v, %v", readyCondition(topic), result, err)
	}
}
