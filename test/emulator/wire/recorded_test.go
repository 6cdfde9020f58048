package wire

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/test/emulator"
)

// recordings names the environment variable with the folder of recorded
// conversations.
const recordings = "HOLDFAST_WIRE"

// beside are the APIs that recordings ask and that the emulator does not have,
// each with the reason; what is asked of them is left out.
var beside = map[string]string{
	"cloudbilling.googleapis.com": "the recorder asked whether a new project has a billing account, which nothing here depends on",
}

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
	const number = 123456789012
	e := emulator.StartTest(t, emulator.Options{Strict: true})
	if err := e.AddProject("recorded-project", number); err != nil {
		t.Fatal(err)
	}
	conversation, err := Read(file, map[string]string{"projectId": "recorded-project", "uniqueId": "u1a2b3c4", "organizationID": "1"})
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(e.URL())
	if err != nil {
		t.Fatal(err)
	}
	learned := map[string]string{}
	for i, x := range conversation {
		if reason := beside[x.URL.Host]; reason != "" {
			t.Logf("%d. %s: %s", i+1, x.Name(), reason)
			continue
		}
		differences, err := Send(t.Context(), base, x, learned)
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
	if told := learned["projectNumber"]; told != "" && told != e.Projects.NumberText("recorded-project") &&
		told != e.Projects.NumberText("project-u1a2b3c4") {
		t.Errorf("the number %s is of no project of the recording", told)
	}
}

func indexKnown(x Exchange, d Difference) int {
	for i, k := range known {
		if strings.HasSuffix(x.Name(), k.exchange) && d.Path == k.path {
			return i
		}
	}
	return -1
}
