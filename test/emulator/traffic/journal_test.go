package traffic

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestJournal(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.status(t, "/buckets.get/p/unrecorded")
	mark := s.Mark()
	s.Record(true)
	s.Inject(Fault{Match: Call{Method: "buckets.delete"}, Status: http.StatusForbidden, Message: "no"})
	for _, method := range []string{"buckets.get", "buckets.patch", "buckets.delete"} {
		if _, err := s.post(t, "/"+method+"/p/a?x=y", "body of "+method); err != nil {
			t.Fatal(err)
		}
	}
	want := []Entry{
		{Seq: mark + 1, Call: Call{"storage", "buckets.get", "p", "a"}, HTTPMethod: "POST", Path: "/buckets.get/p/a?x=y", Request: "body of buckets.get", Response: "done", Status: 201, Executed: true},
		{Seq: mark + 2, Call: Call{"storage", "buckets.patch", "p", "a"}, Write: true, HTTPMethod: "POST", Path: "/buckets.patch/p/a?x=y", Request: "body of buckets.patch", Response: "done", Status: 201, Executed: true},
		{Seq: mark + 3, Call: Call{"storage", "buckets.delete", "p", "a"}, Write: true, HTTPMethod: "POST", Path: "/buckets.delete/p/a?x=y", Status: 403},
	}
	ignored := cmp.Options{cmpopts.IgnoreFields(Entry{}, "Time", "UserAgent", "Took"), cmp.FilterPath(func(p cmp.Path) bool {
		return p.Last().String() == ".Response"
	}, cmp.Comparer(func(a, b string) bool { return a == b || strings.Contains(a+b, `"no"`) }))}
	if diff := cmp.Diff(want, s.Journal(), ignored); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:], s.WritesSince(mark), ignored); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	if got := s.Since(mark + 2); len(got) != 1 || got[0].Seq != mark+3 {
		t.Errorf("since the second: %+v", got)
	}
	s.ClearJournal()
	s.status(t, "/buckets.get/p/a")
	if got := s.Journal(); len(got) != 1 || got[0].Seq != mark+4 {
		t.Errorf("after clearing: %+v", got)
	}
}

func TestJournalClipsBodies(t *testing.T) {
	s := newServer(t, StorageErrors)
	s.Record(true)
	if _, err := s.post(t, "/buckets.patch/p/a", strings.Repeat("x", 2*bodyLimit)); err != nil {
		t.Fatal(err)
	}
	if got := len(s.Journal()[0].Request); got != bodyLimit {
		t.Errorf("%d bytes kept, want %d", got, bodyLimit)
	}
	if got := len(<-s.executed); got != 2*bodyLimit {
		t.Errorf("%d bytes served, want %d", got, 2*bodyLimit)
	}
}

// TestListen: who listens is told of each call before it is answered, and nothing is kept.
func TestListen(t *testing.T) {
	s := newServer(t, StorageErrors)
	heard := make(chan Entry, 2)
	s.Listen(func(e Entry) { heard <- e })
	s.Record(true)
	s.Inject(Fault{Match: Call{Method: "buckets.get"}, Latency: 20 * time.Millisecond})
	var last Entry
	for _, method := range []string{"buckets.patch", "buckets.get"} {
		s.status(t, "/"+method+"/p/a")
		select {
		case last = <-heard:
		default:
			t.Fatalf("%s was answered before anybody was told", method)
		}
		if last.Method != method || last.Response != "done" || !last.Executed {
			t.Errorf("heard %+v", last)
		}
	}
	if last.Took < 20*time.Millisecond {
		t.Errorf("the second took %s", last.Took)
	}
	if kept := s.Journal(); len(kept) > 0 {
		t.Errorf("kept %+v", kept)
	}
}
