package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/iam"
)

// prepare brings an emulator to where Google's cloud was when a recording
// began: its own project had a policy and the accounts that this names, and
// what had just been created was seen by some calls and not by others. Neither
// is recorded but in what the calls answered.
func prepare(t *testing.T, e *emulator.Emulator, conversation []Exchange) {
	t.Helper()
	settings := e.IAM.Settings()
	settings.Sightings = sightings(conversation)
	e.IAM.Set(settings)
	policy := firstPolicy(conversation)
	if policy == "" {
		return
	}
	policy = substitute(policy, map[string]string{"projectNumber": e.Projects.NumberText(recordedProject)})
	accounts := map[string]keptAccount{}
	kept := accountMember.ReplaceAllStringFunc(policy, func(member string) string {
		a := accountOf(member, len(accounts))
		if known, again := accounts[a.Project+"/"+a.ID+"/"+a.Deleted]; again {
			a = known
		}
		accounts[a.Project+"/"+a.ID+"/"+a.Deleted] = a
		return fmt.Sprintf(`"serviceAccount:%s@%s.iam.gserviceaccount.com?uid=%s"`, a.ID, a.Project, a.UniqueID)
	})
	var list []keptAccount
	for _, a := range accounts {
		list = append(list, a)
	}
	state, err := json.Marshal(map[string]any{
		"iam":             map[string]any{"accounts": list},
		"resourcemanager": map[string]any{"policies": map[string]json.RawMessage{recordedProject: json.RawMessage(kept)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Load(state); err != nil {
		t.Fatal(err)
	}
}

// keptAccount is one in the state of the emulator.
type keptAccount struct {
	Project  string `json:"project"`
	ID       string `json:"id"`
	UniqueID string `json:"uniqueId"`
	Created  string `json:"created"`
	Deleted  string `json:"deleted,omitempty"`
}

const longAgo = "2024-04-01T12:34:56Z"

// accountMember is a member of a policy that is an account of the recording's
// own project, live or deleted.
var accountMember = regexp.MustCompile(
	`"(deleted:)?serviceAccount:([a-z0-9-]+)@` + recordedProject + `\.iam\.gserviceaccount\.com(?:\?uid=([0-9]+))?"`)

func accountOf(member string, n int) keptAccount {
	parts := accountMember.FindStringSubmatch(member)
	a := keptAccount{Project: recordedProject, ID: parts[2], UniqueID: parts[3], Created: longAgo}
	if parts[1] != "" {
		a.Deleted = longAgo
	}
	if a.UniqueID == "" {
		a.UniqueID = fmt.Sprintf("1%020d", n)
	}
	return a
}

// firstPolicy is the policy that the recording's own project had before
// anybody wrote one, or "" if nobody looked.
func firstPolicy(conversation []Exchange) string {
	for _, x := range conversation {
		switch {
		case strings.HasSuffix(x.URL.Path, "/"+recordedProject+":setIamPolicy"):
			return ""
		case strings.HasSuffix(x.URL.Path, "/"+recordedProject+":getIamPolicy") && x.Status == http.StatusOK:
			return x.Answer
		}
	}
	return ""
}

// sightings are which reads found an account that had been created, up to the
// last one that did not.
func sightings(conversation []Exchange) []bool {
	var found []bool
	created := false
	for _, x := range conversation {
		switch {
		case x.Method == http.MethodPost && strings.HasSuffix(x.URL.Path, "/serviceAccounts"):
			created = created || x.Status == http.StatusOK
		case !created || !strings.Contains(x.URL.Path, "/serviceAccounts/"):
		case x.Method != http.MethodGet:
			return upToLast(found, false)
		default:
			found = append(found, x.Status == http.StatusOK)
		}
	}
	return upToLast(found, false)
}

func upToLast(list []bool, value bool) []bool {
	for len(list) > 0 && list[len(list)-1] != value {
		list = list[:len(list)-1]
	}
	return list
}

// flapping is the recording that the order of RecordedSightings was taken
// from; replay holds the one against the other.
const flapping = "account-flapping-after-create"

// TestSightings is about which reads of a conversation found an account.
func TestSightings(t *testing.T) {
	for name, c := range map[string]struct {
		recorded string
		want     []bool
	}{
		"an account that was never created": {get404, nil},
		"one that is seen at once":          {get404 + "\n---\n" + post200 + "\n---\n" + get200, nil},
		"one that comes and goes": {
			strings.Join([]string{get404, post200, get200, get404, get200, get404, post409, get404, post409, get404, post409, get200}, "\n---\n"),
			iam.RecordedSightings(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			conversation, err := Parse(c.recorded)
			if err != nil {
				t.Fatal(err)
			}
			if got := sightings(conversation); !slices.Equal(got, c.want) {
				t.Errorf("sightings %v, want %v", got, c.want)
			}
		})
	}
}

const (
	get404  = "GET https://iam.googleapis.com/v1/projects/p/serviceAccounts/a@p.iam.gserviceaccount.com\n\n404 Not Found\n\n{}"
	get200  = "GET https://iam.googleapis.com/v1/projects/p/serviceAccounts/a@p.iam.gserviceaccount.com\n\n200 OK\n\n{}"
	post200 = "POST https://iam.googleapis.com/v1/projects/p/serviceAccounts\n\n{}\n\n200 OK\n\n{}"
	post409 = "POST https://iam.googleapis.com/v1/projects/p/serviceAccounts\n\n{}\n\n409 Conflict\n\n{}"
)
