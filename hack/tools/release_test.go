package tools_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestActionsArePinned holds each action of a workflow, ours and those that people copy, to a commit: a tag can be moved.
func TestActionsArePinned(t *testing.T) {
	t.Parallel()
	var workflows []string
	for _, folder := range []string{"../../.github/workflows", "../../config/samples/ci"} {
		found, err := filepath.Glob(folder + "/*.yaml")
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: got workflows %q and error %v, want some", folder, found, err)
		}
		workflows = append(workflows, found...)
	}
	uses, pinned := regexp.MustCompile(`(?m)\buses: .*$`), regexp.MustCompile(`^uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, workflow := range workflows {
		for _, action := range uses.FindAllString(read(t, workflow), -1) {
			if !pinned.MatchString(action) {
				t.Errorf("%s: %q: want a commit, and its version in a comment", workflow, action)
			}
		}
	}
}

// TestReleasesHaveOneGo compares the Go that the Dockerfile builds with, unless told otherwise, with that of releases.
func TestReleasesHaveOneGo(t *testing.T) {
	t.Parallel()
	want := "ARG GO_IMAGE=golang:" + strings.TrimSpace(read(t, "../../.go-version")) + "\n"
	if !strings.Contains(read(t, "../../Dockerfile"), want) {
		t.Errorf("the Dockerfile has no line %q, which .go-version says", want)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
