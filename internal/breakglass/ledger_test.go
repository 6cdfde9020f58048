package breakglass

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func episode(minute int, reason string, of *v1alpha1.BreakGlassManifest) v1alpha1.BreakGlassEpisode {
	return v1alpha1.BreakGlassEpisode{
		BreakGlass: v1alpha1.BreakGlass{Scope: v1alpha1.BreakGlassOnObject, Reason: reason, By: "ada", Since: metav1.NewTime(at(minute))},
		Ending:     v1alpha1.BreakGlassClosed, ClosedAt: metav1.NewTime(at(minute + 1)), Manifest: of,
	}
}

func TestKeepAndRecall(t *testing.T) {
	old, mine := v1alpha1.BreakGlassManifest{Name: "orders", UID: "1"}, v1alpha1.BreakGlassManifest{Name: "orders", UID: "2"}
	type episodes = []v1alpha1.BreakGlassEpisode
	cases := map[string]struct {
		recorded, history episodes
		kept, recalled    episodes
	}{
		"nothing": {},
		"the first": {
			history: episodes{episode(1, "a", nil)},
			kept:    episodes{episode(1, "a", &mine)}, recalled: episodes{episode(1, "a", nil)},
		},
		"those of a manifest before it": {
			recorded: episodes{episode(1, "a", &old)},
			kept:     episodes{episode(1, "a", &old)}, recalled: episodes{episode(1, "a", &old)},
		},
		"both, newest first": {
			recorded: episodes{episode(1, "a", &old)}, history: episodes{episode(5, "b", nil)},
			kept: episodes{episode(5, "b", &mine), episode(1, "a", &old)}, recalled: episodes{episode(5, "b", nil), episode(1, "a", &old)},
		},
		"what is on record already, from either side": {
			recorded: episodes{episode(5, "b", &mine), episode(1, "a", &old)}, history: episodes{episode(5, "b", nil), episode(1, "a", &old)},
			kept: episodes{episode(5, "b", &mine), episode(1, "a", &old)}, recalled: episodes{episode(5, "b", nil), episode(1, "a", &old)},
		},
		"the same glass, which was resumed meanwhile": {
			recorded: episodes{episode(5, "b", &mine)}, history: episodes{episode(5, "c", nil)},
			kept: episodes{episode(5, "c", &mine)}, recalled: episodes{episode(5, "c", nil)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			kept := Keep(tc.recorded, mine, tc.history)
			if d := cmp.Diff(tc.kept, kept, equalEmpty); d != "" {
				t.Errorf("kept (-want +got):\n%s", d)
			}
			if d := cmp.Diff(kept, Keep(kept, mine, tc.history), equalEmpty); d != "" {
				t.Errorf("kept once more (-want +got):\n%s", d)
			}
			status := v1alpha1.CommonStatus{BreakGlassHistory: tc.history}
			for range 2 {
				Recall(&status, mine, tc.recorded)
				if d := cmp.Diff(tc.recalled, status.BreakGlassHistory, equalEmpty); d != "" {
					t.Errorf("recalled (-want +got):\n%s", d)
				}
			}
		})
	}
}

var equalEmpty = cmpopts.EquateEmpty()

// TestARecordIsBounded: in number, and in size whatever stands in it.
func TestARecordIsBounded(t *testing.T) {
	var kept []v1alpha1.BreakGlassEpisode
	for i := range 30 {
		e := episode(i, strings.Repeat("<", longestReason), nil)
		e.By, e.ClosedBy = strings.Repeat("<", longestName), strings.Repeat("<", longestName)
		for range mostSeen {
			e.Seen = append(e.Seen, v1alpha1.Change{Path: strings.Repeat("<", 5000), From: strings.Repeat("<", 5000), To: strings.Repeat("<", 5000)})
		}
		for range mostEdits {
			e.Edits = append(e.Edits, v1alpha1.BreakGlassEdit{By: e.By, Reason: e.Reason})
		}
		kept = Keep(kept, v1alpha1.BreakGlassManifest{UID: "1"}, []v1alpha1.BreakGlassEpisode{e})
	}
	if n := len(kept); n == 0 || n > mostEpisodes || size(kept) > largestRecord || !kept[0].Since.Time.Equal(at(29)) {
		t.Errorf("kept are %d of %d bytes, since %v", n, size(kept), kept[0].Since)
	}
}

func TestRecordName(t *testing.T) {
	const project = "shop-project"
	for external, prefix := range map[string]string{
		"//storage.googleapis.com/logs":                                      "logs-",
		"//pubsub.googleapis.com/projects/p/topics/A%2F..":                   "a-2f-",
		"//iam.googleapis.com/projects/p/serviceAccounts/a@p.example.com":    "a-p-example-com-",
		"//storage.googleapis.com/" + strings.Repeat("x", 63):                strings.Repeat("x", 40) + "-",
		"//pubsub.googleapis.com/projects/p/topics/~~~":                      "",
		"//cloudresourcemanager.googleapis.com/projects/shop-project":        "shop-project-",
		"//storage.googleapis.com/" + strings.Repeat("y", 39) + ".something": strings.Repeat("y", 39) + "-",
	} {
		name := RecordName(external, project)
		if want := regexp.MustCompile("^" + prefix + "[0-9a-f]{64}$"); !want.MatchString(name) {
			t.Errorf("%s is named %s", external, name)
		}
		if name == RecordName(external, "other") || name == RecordName(external+"x", project) {
			t.Errorf("%s is not the only one of that name", external)
		}
	}
}
