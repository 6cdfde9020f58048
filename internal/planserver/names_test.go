package planserver

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

func TestBucketsAreWhatHasGlobalNames(t *testing.T) {
	var global []string
	for _, k := range kinds.All(nil) {
		if isGlobal(k) {
			global = append(global, k.Kind)
		}
	}
	if diff := cmp.Diff([]string{"Bucket"}, global); diff != "" {
		t.Errorf("global names (-want +got):\n%s", diff)
	}
}

// TestGlobalNamesAreLookedForInOnesOwnProject: Google is never asked for a name that the project does not have.
func TestGlobalNamesAreLookedForInOnesOwnProject(t *testing.T) {
	var calls []string
	live := kind.Live{Identity: kind.Identity{UID: "mine"}}
	things := kind.Kind{
		ExternalName: func(ref kind.Ref) string { return "//things/" + ref.ID },
		Fields: &kind.Fields{
			Observe: func(_ context.Context, ref kind.Ref) (kind.Live, error) {
				calls = append(calls, "observe "+ref.ID)
				return kind.Live{Identity: kind.Identity{UID: "observed"}}, nil
			},
			List: func(_ context.Context, ref kind.Ref, yield func([]kind.Listed) bool) error {
				calls = append(calls, "list "+ref.Project+" as "+ref.Impersonate)
				if ref.Project == "denied" {
					return &kind.Error{Class: kind.Denied, Message: "no"}
				}
				if yield([]kind.Listed{{ID: "mine", Live: live}, {ID: "unwanted", Live: live}}) {
					yield([]kind.Listed{{ID: "partial", Live: live, Partial: true}})
				}
				return nil
			},
		},
	}
	if !isGlobal(things) {
		t.Fatal("the names are not global")
	}
	k := byList(things, map[string]bool{"mine": true, "partial": true, "foreign": true, "missing": true})
	observe := func(project, id string) (kind.Live, error) {
		return k.Fields.Observe(t.Context(), kind.Ref{Project: project, ID: id, Impersonate: "shop@p"})
	}
	if got, err := observe("p", "mine"); got.Identity.UID != "mine" || err != nil {
		t.Errorf("one's own is %v (%v)", got, err)
	}
	var said []string
	for _, id := range []string{"foreign", "missing"} {
		_, err := observe("p", id)
		if !gcp.IsNotFound(err) {
			t.Errorf("%s: %v, want that it is not found", id, err)
		}
		said = append(said, strings.ReplaceAll(err.Error(), id, "NAME"))
	}
	if said[0] != said[1] {
		t.Errorf("one that is another's and one that is nobody's differ: %q", said)
	}
	if got, err := observe("p", "partial"); got.Identity.UID != "observed" || err != nil {
		t.Errorf("one that the list shows in part is %v (%v)", got, err)
	}
	if _, err := observe("denied", "mine"); !gcp.IsDenied(err) {
		t.Errorf("where lists are denied: %v", err)
	}
	var ids []string
	err := k.Fields.List(t.Context(), kind.Ref{Project: "p", Impersonate: "shop@p"}, func(page []kind.Listed) bool {
		for _, listed := range page {
			ids = append(ids, listed.ID)
		}
		return true
	})
	if diff := cmp.Diff([]string{"mine", "partial"}, ids); diff != "" || err != nil {
		t.Errorf("the list has (-want +got):\n%s%v", diff, err)
	}
	want := []string{"list p as shop@p", "observe partial", "list denied as shop@p"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestAListThatIsCutShortShowsNothing: what is not on it may be there all the same.
func TestAListThatIsCutShortShowsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	things := kind.Kind{Fields: &kind.Fields{List: func(_ context.Context, _ kind.Ref, yield func([]kind.Listed) bool) error {
		cancel()
		yield(nil)
		return nil
	}}}
	k := byList(things, map[string]bool{"mine": true})
	if _, err := k.Fields.Observe(ctx, kind.Ref{Project: "p", ID: "mine"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestAListThatFailsIsMadeAgain: our own limits put calls off, and whoever made one comes again.
func TestAListThatFailsIsMadeAgain(t *testing.T) {
	lists := 0
	things := kind.Kind{Fields: &kind.Fields{List: func(_ context.Context, _ kind.Ref, yield func([]kind.Listed) bool) error {
		lists++
		if lists == 1 {
			return &kind.Error{Class: kind.Throttled, Ours: true, Message: "later"}
		}
		yield([]kind.Listed{{ID: "mine"}})
		return nil
	}}}
	k := byList(things, map[string]bool{"mine": true})
	for i, fails := range []bool{true, false, false} {
		if _, err := k.Fields.Observe(t.Context(), kind.Ref{Project: "p", ID: "mine"}); (err != nil) != fails {
			t.Errorf("look %d: %v", i+1, err)
		}
	}
	if lists != 2 {
		t.Errorf("it was listed %d times, want 2", lists)
	}
}
