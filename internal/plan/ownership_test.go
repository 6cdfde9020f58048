package plan

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func objectNamed(namespace, name string) *v1alpha1.Topic {
	return &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func TestMarks(t *testing.T) {
	own := Ownership("cluster-a", objectNamed("shop", "logs"))
	cases := map[string]struct {
		live map[string]string
		want mark
	}{
		"unmarked":                         {map[string]string{"team": "shop"}, markNone},
		"ours":                             {own, markOwn},
		"another manifest of ours":         {Ownership("cluster-a", objectNamed("shop", "other")), markNone},
		"another namespace's of ours":      {Ownership("cluster-a", objectNamed("bank", "logs")), markNone},
		"another installation's":           {Ownership("cluster-b", objectNamed("shop", "logs")), markForeign},
		"a name with dots, cut and hashed": {Ownership("cluster-a", objectNamed("shop", "logs.example.com")), markNone},
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
	own := Ownership("cluster-a", objectNamed("shop", "logs"))
	theirs := Ownership("cluster-b", objectNamed("shop", "logs"))
	cases := map[string]struct {
		recorded          string
		live              kind.Identity
		owned, recordedAs bool
	}{
		"never owned":                             {"", kind.Identity{UID: "1"}, false, false},
		"the same":                                {"1", kind.Identity{UID: "1"}, true, true},
		"recreated by somebody":                   {"1", kind.Identity{UID: "2"}, false, false},
		"recreated by us, record lost":            {"1", kind.Identity{UID: "2", Labels: own}, true, false},
		"created by us, record lost":              {"", kind.Identity{UID: "1", Labels: own}, true, true},
		"without UID: adopted and never written":  {identityUnmarked, kind.Identity{}, true, true},
		"without UID: marked":                     {identityMarked, kind.Identity{Labels: own}, true, true},
		"without UID: its marks are gone":         {identityMarked, kind.Identity{}, true, false},
		"without UID: created by us, record lost": {"", kind.Identity{Labels: own}, true, true},
		"without UID: never owned":                {"", kind.Identity{}, false, false},
		"the same, taken by another":              {"1", kind.Identity{UID: "1", Labels: theirs}, true, false},
		"without UID: adopted, taken by another":  {identityUnmarked, kind.Identity{Labels: theirs}, true, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := isOwned(tc.recorded, tc.live, own); got != tc.owned {
				t.Errorf("isOwned() = %v, want %v", got, tc.owned)
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
