package traffic

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBreakpoint(t *testing.T) {
	s := newServer(t, StorageErrors)
	held := s.Pause(Call{Method: "buckets.patch"})
	if got := s.status(t, "/buckets.get/p/a"); got != http.StatusCreated {
		t.Errorf("a call that does not match: %d", got)
	}
	<-s.executed
	answered := make(chan error, 1)
	go func() {
		_, err := s.post(t, "/buckets.patch/p/a", "held")
		answered <- err
	}()
	reached := <-held.Reached()
	if diff := cmp.Diff(Call{"storage", "buckets.patch", "p", "a"}, reached); diff != "" {
		t.Errorf("reached (-want +got):\n%s", diff)
	}
	if len(s.executed) != 0 {
		t.Error("carried out before it was released")
	}
	if got := s.status(t, "/buckets.patch/p/b"); got != http.StatusCreated {
		t.Errorf("the next call is held too: %d", got)
	}
	<-s.executed
	held.Release()
	held.Release() // twice does no harm
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if got := <-s.executed; got != "held" {
		t.Errorf("carried out with %q", got)
	}
}

// TestReleasedAfterTheClientLeft: what was under way is carried out, as
// Google would have done.
func TestReleasedAfterTheClientLeft(t *testing.T) {
	s := newServer(t, StorageErrors)
	held := s.Pause(Call{})
	client := &http.Client{Timeout: 50 * time.Millisecond}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/buckets.patch/p/a", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := client.Do(r); err == nil {
		_ = response.Body.Close()
		t.Error("an answer came")
	}
	<-held.Reached()
	held.Release()
	<-s.executed
}

// TestAllAreHeld until the release, and only the first of them is told.
func TestAllAreHeld(t *testing.T) {
	s := newServer(t, StorageErrors)
	held := s.PauseAll(Call{Method: "buckets.patch"})
	answered := make(chan error, 2)
	for range cap(answered) {
		go func() {
			_, err := s.post(t, "/buckets.patch/p/a", "held")
			answered <- err
		}()
	}
	<-held.Reached()
	select {
	case call := <-held.Reached():
		t.Errorf("%v is told of as well", call)
	case <-s.executed:
		t.Error("carried out before it was released")
	case <-time.After(100 * time.Millisecond):
	}
	held.Release()
	for range cap(answered) {
		if err := <-answered; err != nil {
			t.Error(err)
		}
		<-s.executed
	}
	if got := s.status(t, "/buckets.patch/p/a"); got != http.StatusCreated {
		t.Errorf("after the release: %d", got)
	}
}
