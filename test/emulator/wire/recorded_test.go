package wire

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/test/emulator"
)

// recordings names the environment variable with the folder of recorded
// conversations.
const recordings = "HOLDFAST_WIRE"

// covered are the APIs that the emulator has.
var covered = []string{"storage.googleapis.com", "pubsub.googleapis.com"}

// known are the differences that are meant to be there, by the end of the
// exchange's name and the path. Each says why; one that does not show any
// more fails the test too.
var known = []struct{ exchange, path, reason string }{
	{
		"/o", "/prefixes",
		"a list without a delimiter has no prefixes by Google's documentation; in these recordings each " +
			"bucket that is just made and never filled lists two, which come from the fixtures of the recorder",
	},
}

func TestRecordedConversations(t *testing.T) {
	folder := os.Getenv(recordings)
	if folder == "" {
		t.Skipf("%s does not name a folder of recorded conversations; TestFacts holds what they say", recordings)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no *.log in %s=%s (%v)", recordings, folder, err)
	}
	seen := make([]bool, len(known))
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".log"), func(t *testing.T) { replay(t, file, seen) })
	}
	for i, k := range known {
		if !seen[i] {
			t.Errorf("the known difference at %s of %s does not show any more: take it off the list", k.path, k.exchange)
		}
	}
}

func replay(t *testing.T, file string, seen []bool) {
	t.Helper()
	e := emulator.StartTest(t)
	if err := e.AddProject("recorded-project", 123456789012); err != nil {
		t.Fatal(err)
	}
	conversation, err := Read(file, map[string]string{
		"projectId": "recorded-project", "projectNumber": "123456789012", "uniqueId": "u1a2b3c4",
	})
	if err != nil {
		t.Fatal(err)
	}
	if host := uncovered(conversation); host != "" {
		t.Skipf("not covered: the emulator has no %s yet", host)
	}
	base, err := url.Parse(e.URL())
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range conversation {
		differences, err := Send(t.Context(), base, x)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range differences {
			if k := indexKnown(x, d); k >= 0 {
				seen[k] = true
				t.Logf("%d. %s: known difference at %v (%s)", i+1, x.Name(), d, known[k].reason)
				continue
			}
			t.Errorf("%d. %s: %v", i+1, x.Name(), d)
		}
	}
}

func uncovered(conversation []Exchange) string {
	for _, x := range conversation {
		if !slices.Contains(covered, x.URL.Host) {
			return x.URL.Host
		}
	}
	return ""
}

func indexKnown(x Exchange, d Difference) int {
	for i, k := range known {
		if strings.HasSuffix(x.Name(), k.exchange) && d.Path == k.path {
			return i
		}
	}
	return -1
}
