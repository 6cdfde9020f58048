package engine

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func objectNamed(namespace, name string) *v1alpha1.Topic {
	return &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func TestMarks(t *testing.T) {
	own := ownership("cluster-a", objectNamed("shop", "logs"))
	cases := map[string]struct {
		live map[string]string
		want mark
	}{
		"unmarked":                         {map[string]string{"team": "shop"}, markNone},
		"ours":                             {own, markOwn},
		"another manifest of ours":         {ownership("cluster-a", objectNamed("shop", "other")), markNone},
		"another namespace's of ours":      {ownership("cluster-a", objectNamed("bank", "logs")), markNone},
		"another installation's":           {ownership("cluster-b", objectNamed("shop", "logs")), markForeign},
		"a name with dots, cut and hashed": {ownership("cluster-a", objectNamed("shop", "logs.example.com")), markNone},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := readMark(tc.live, own); got != tc.want {
				t.Errorf("readMark() = %d, want %d", got, tc.want)
			}
		})
	}
}

func TestIdentity(t *testing.T) {
	own := ownership("cluster-a", objectNamed("shop", "logs"))
	theirs := ownership("cluster-b", objectNamed("shop", "logs"))
	cases := map[string]struct {
		recorded         string
		live             Identity
		held, recordedAs bool
	}{
		"never held":                              {"", Identity{UID: "1"}, false, false},
		"the same":                                {"1", Identity{UID: "1"}, true, true},
		"made anew by somebody":                   {"1", Identity{UID: "2"}, false, false},
		"made anew by us, record lost":            {"1", Identity{UID: "2", Labels: own}, true, false},
		"created by us, record lost":              {"", Identity{UID: "1", Labels: own}, true, true},
		"without UID: adopted and never written":  {identityUnmarked, Identity{}, true, true},
		"without UID: marked":                     {identityMarked, Identity{Labels: own}, true, true},
		"without UID: its marks are gone":         {identityMarked, Identity{}, true, false},
		"without UID: created by us, record lost": {"", Identity{Labels: own}, true, true},
		"without UID: never held":                 {"", Identity{}, false, false},
		"the same, taken by another":              {"1", Identity{UID: "1", Labels: theirs}, true, false},
		"without UID: adopted, taken by another":  {identityUnmarked, Identity{Labels: theirs}, true, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := isHeld(tc.recorded, tc.live, own); got != tc.held {
				t.Errorf("isHeld() = %v, want %v", got, tc.held)
			}
			if got := isRecorded(tc.recorded, tc.live, own); got != tc.recordedAs {
				t.Errorf("isRecorded() = %v, want %v", got, tc.recordedAs)
			}
		})
	}
}

func TestAsLabelIsAlwaysAValueThatGoogleAcceptsAndTellsNamesApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?`).Draw(t, "name")
		other := rapid.StringMatching(`[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?`).Draw(t, "other")
		if got := asLabel(name); !labelValue.MatchString(got) {
			t.Fatalf("asLabel(%q) = %q", name, got)
		}
		if name != other && asLabel(name) == asLabel(other) {
			t.Fatalf("asLabel(%q) = asLabel(%q)", name, other)
		}
	})
	if long := strings.Repeat("a", 63); asLabel(long) != long {
		t.Errorf("asLabel(%q) was changed though it fits", long)
	}
}
