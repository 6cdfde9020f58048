package gitserver

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWhatWasCommittedCanBeCloned(t *testing.T) {
	s, err := Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	repository, err := s.New("shop")
	if err != nil {
		t.Fatal(err)
	}
	commit := func(files map[string]string) string {
		t.Helper()
		revision, err := repository.Commit("Change it", files)
		if err != nil {
			t.Fatal(err)
		}
		return revision
	}
	check := func(revision string, want map[string]string) {
		t.Helper()
		clone := filepath.Join(t.TempDir(), "clone")
		if _, err := git("", "clone", "--quiet", repository.URL, clone); err != nil {
			t.Fatal(err)
		}
		if head, err := git(clone, "rev-parse", "HEAD"); err != nil || head != revision {
			t.Errorf("the head is %s (%v), want %s", head, err, revision)
		}
		for path, content := range want {
			if got, err := os.ReadFile(filepath.Join(clone, path)); string(got) != content || content == "" && err == nil {
				t.Errorf("%s is %q (%v), want %q", path, got, err, content)
			}
		}
	}

	commit(map[string]string{"a/one": "1", "two": "2"})
	second := commit(map[string]string{"a/one": "", "two": "22"})
	check(second, map[string]string{"a/one": "", "two": "22"})
	third, err := repository.Revert(second)
	if err != nil {
		t.Fatal(err)
	}
	check(third, map[string]string{"a/one": "1", "two": "2"})
}
