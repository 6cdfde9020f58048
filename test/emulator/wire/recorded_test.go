package wire

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/iam"
)

// recordings names the environment variable with the folders of recorded
// conversations, separated as in PATH.
const recordings = "HOLDFAST_WIRE"

// recordedProject stands for the project that a recording was made in.
const recordedProject = "recorded-project"

// emulated are the hosts whose requests are replayed. Recordings ask others
// too, such as whether a new project has a billing account; that is left out.
var emulated = []string{
	"storage.googleapis.com", "pubsub.googleapis.com", "iam.googleapis.com", "cloudresourcemanager.googleapis.com",
}

// known are the differences from Google that are meant to be there, by the
// recording, the method and the path in the body. Each says why; one that does
// not show any more fails the test too.
var known = []knownDifference{
	{"bucket-acl", "POST", "/generation", "the recording is older than the generations of buckets"},
	{"bucket-acl", "GET", "/generation", "the recording is older than the generations of buckets"},
}

type knownDifference struct{ recording, method, path, reason string }

func TestRecordedConversations(t *testing.T) {
	folders := filepath.SplitList(os.Getenv(recordings))
	if len(folders) == 0 {
		t.Skipf("%s does not name a folder of recorded conversations; TestFacts holds what they say", recordings)
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.log"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no *.log in %s, which %s names (%v)", folder, recordings, err)
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".log")
			t.Run(name, func(t *testing.T) { replay(t, name, file) })
		}
	}
}

// replay holds the emulator against a recording of Google's. Of a mock's it
// only lists the differences: a mock is no evidence of what Google does.
func replay(t *testing.T, name, file string) {
	t.Helper()
	conversation, err := Read(file, map[string]string{"projectId": recordedProject, "uniqueId": "u1a2b3c4", "organizationID": "1"})
	if err != nil {
		t.Fatal(err)
	}
	if got := sightings(conversation); name == flapping && !slices.Equal(got, iam.RecordedSightings()) {
		t.Errorf("an account was found by %v, and the emulator offers %v by name", got, iam.RecordedSightings())
	}
	differences := differencesOf(t, conversation)
	if sign := MockSign(conversation); sign != "" {
		t.Logf("%s: %s is a mock's recording, as %s tells; where it differs from the emulator it is not followed", recordings, name, sign)
		for _, d := range differences {
			t.Logf("the mock differs: %v", d)
		}
		return
	}
	seen := make([]bool, len(known))
	for _, d := range differences {
		if k := indexKnown(name, d); k >= 0 {
			seen[k] = true
			t.Logf("known difference: %v (%s)", d, known[k].reason)
			continue
		}
		t.Error(d)
	}
	for i, k := range known {
		if k.recording == name && !seen[i] {
			t.Errorf("the known difference at %s of %s does not show any more: take it off the list", k.path, k.method)
		}
	}
}

// difference is one in the answer to an exchange.
type difference struct {
	Exchange
	Difference

	number int
}

func (d difference) String() string {
	return fmt.Sprintf("%d. %s: %v", d.number, d.Name(), d.Difference)
}

// differencesOf replays a conversation and returns where the answers differ.
func differencesOf(t *testing.T, conversation []Exchange) []difference {
	t.Helper()
	const number = 123456789012
	e := emulator.StartTest(t, emulator.Options{Strict: true})
	if err := e.AddProject(recordedProject, number); err != nil {
		t.Fatal(err)
	}
	prepare(t, e, conversation)
	base, err := url.Parse(e.URL())
	if err != nil {
		t.Fatal(err)
	}
	learned := map[string]string{}
	var all []difference
	for i, x := range conversation {
		if !slices.Contains(emulated, x.URL.Host) {
			t.Logf("%d. %s: left out, %s is not emulated", i+1, x.Name(), x.URL.Host)
			continue
		}
		differences, err := Send(t.Context(), base, x, learned)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range differences {
			all = append(all, difference{Exchange: x, Difference: d, number: i + 1})
		}
	}
	if told := learned["projectNumber"]; told != "" && told != e.Projects.NumberText(recordedProject) &&
		told != e.Projects.NumberText("project-u1a2b3c4") {
		t.Errorf("the number %s is of no project of the recording", told)
	}
	return all
}

func indexKnown(name string, d difference) int {
	return slices.IndexFunc(known, func(k knownDifference) bool {
		return k.recording == name && k.method == d.Method && k.path == d.Path
	})
}
