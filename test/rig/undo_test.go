package rig

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUndo(t *testing.T) {
	var undo Undo
	var done []string
	first := errors.New("the first fails")
	undo.Later(func() error { done = append(done, "first"); return first })
	undo.Later(func() error { done = append(done, "second"); return errors.New("the second fails") })
	if err := undo.All(); !errors.Is(err, first) {
		t.Errorf("got %v", err)
	}
	if err := undo.All(); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if diff := cmp.Diff([]string{"second", "first"}, done); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
