package bucket

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// generation is an object generation, as lifecycle rules see it. Times are in days before now.
type generation struct {
	name                 string
	age, size            int64
	noncurrent           bool
	newer, noncurrentFor int64
	customTime           int64 // -1 for none
	class                v1alpha1.StorageClass
}

// matches says whether an object meets a condition, by what Google documents: https://cloud.google.com/storage/docs/lifecycle
func (o generation) matches(c v1alpha1.LifecycleCondition) bool {
	least := func(is int64, want *int64) bool { return want == nil || is >= *want }
	state := map[v1alpha1.LifecycleState]bool{"": true, "ANY": true, "LIVE": !o.noncurrent, "ARCHIVED": o.noncurrent}
	return least(o.age, c.Age) && least(o.newer, c.NumNewerVersions) && state[c.WithState] &&
		(c.DaysSinceNoncurrentTime == nil || o.noncurrent && least(o.noncurrentFor, c.DaysSinceNoncurrentTime)) &&
		(c.DaysSinceCustomTime == nil || o.customTime >= 0 && least(o.customTime, c.DaysSinceCustomTime)) &&
		(c.CreatedBefore == "" || dayOf(o.age) < c.CreatedBefore) &&
		(c.CustomTimeBefore == "" || o.customTime >= 0 && dayOf(o.customTime) < c.CustomTimeBefore) &&
		(c.NoncurrentTimeBefore == "" || o.noncurrent && dayOf(o.noncurrentFor) < c.NoncurrentTimeBefore) &&
		(c.SizeAboveBytes == nil || o.size > *c.SizeAboveBytes) && (c.SizeBelowBytes == nil || o.size < *c.SizeBelowBytes) &&
		(len(c.MatchesPrefix) == 0 || slices.ContainsFunc(c.MatchesPrefix, func(p string) bool { return strings.HasPrefix(o.name, p) })) &&
		(len(c.MatchesSuffix) == 0 || slices.ContainsFunc(c.MatchesSuffix, func(p string) bool { return strings.HasSuffix(o.name, p) })) &&
		(len(c.MatchesStorageClass) == 0 || slices.Contains(c.MatchesStorageClass, o.class))
}

// dayOf is a day so many days ago: the days are those of January 2026, and now is the 31st.
func dayOf(ago int64) string {
	return "2026-01-" + string([]byte{byte('0' + (31-ago)/10), byte('0' + (31-ago)%10)})
}

func deletedBy(o generation, rules []v1alpha1.LifecycleRule) bool {
	return slices.ContainsFunc(rules, func(r v1alpha1.LifecycleRule) bool {
		return r.Action.Type == v1alpha1.LifecycleDelete && o.matches(r.Condition)
	})
}

func drawObject(t *rapid.T) generation {
	days := rapid.Int64Range(0, 6)
	o := generation{
		name: rapid.StringMatching(`[ab]{1,4}`).Draw(t, "name"), age: days.Draw(t, "age"), size: days.Draw(t, "size"), noncurrent: rapid.Bool().Draw(t, "noncurrent"),
		customTime: rapid.Int64Range(-1, 6).Draw(t, "custom time"), class: drawClass(t),
	}
	if o.noncurrent {
		o.newer, o.noncurrentFor = rapid.Int64Range(1, 6).Draw(t, "newer"), days.Draw(t, "noncurrent for")
	}
	return o
}

func drawClass(t *rapid.T) v1alpha1.StorageClass {
	return rapid.SampledFrom([]v1alpha1.StorageClass{"STANDARD", "NEARLINE", "ARCHIVE"}).Draw(t, "class")
}

func drawDeleteRule(t *rapid.T) v1alpha1.LifecycleRule {
	few := func(label string) *int64 {
		return maybe(t, label, func(t *rapid.T) *int64 { return new(rapid.Int64Range(0, 6).Draw(t, "n")) })
	}
	day := func(label string) string {
		return maybe(t, label, func(t *rapid.T) string { return dayOf(rapid.Int64Range(0, 6).Draw(t, "day")) })
	}
	names := func(label string) []string {
		return maybe(t, label, func(t *rapid.T) []string {
			return rapid.SliceOfN(rapid.StringMatching(`[ab]{1,2}`), 1, 2).Draw(t, "names")
		})
	}
	return v1alpha1.LifecycleRule{
		Action: v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleDelete},
		Condition: v1alpha1.LifecycleCondition{
			Age: few("age"), DaysSinceCustomTime: few("since custom time"), DaysSinceNoncurrentTime: few("since noncurrent"), NumNewerVersions: few("newer"),
			SizeAboveBytes: few("above"), SizeBelowBytes: few("below"),
			CreatedBefore: day("created before"), CustomTimeBefore: day("custom time before"), NoncurrentTimeBefore: day("noncurrent before"),
			WithState:     rapid.SampledFrom([]v1alpha1.LifecycleState{"", "ANY", "LIVE", "ARCHIVED"}).Draw(t, "state"),
			MatchesPrefix: names("prefix"), MatchesSuffix: names("suffix"),
			MatchesStorageClass: maybe(t, "classes", func(t *rapid.T) []v1alpha1.StorageClass { return []v1alpha1.StorageClass{drawClass(t)} }),
		},
	}
}

func rulesChange(from, to []v1alpha1.LifecycleRule) diff.Change {
	return diff.Change{Path: "spec.lifecycle.rules", From: jsonOf(from), To: jsonOf(to)}
}

// TestRulesThatDeleteMoreLoseData: whatever the rules, an object that is deleted by the new ones alone is a loss.
func TestRulesThatDeleteMoreLoseData(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SliceOfN(rapid.Custom(drawDeleteRule), 0, 2)
		from, to := rules.Draw(t, "from"), rules.Draw(t, "to")
		if len(from) > 0 && rapid.Bool().Draw(t, "alike") { // so that it is about what differs in one condition
			to = slices.Clone(from)
			to[0].Condition.Age, to[0].Condition.MatchesPrefix = nil, nil
		}
		loses := fields.Loses(rulesChange(from, to)) != ""
		for _, o := range rapid.SliceOfN(rapid.Custom(drawObject), 1, 40).Draw(t, "objects") {
			if deletedBy(o, to) && !deletedBy(o, from) && !loses {
				t.Fatalf("%+v is deleted by %s and not by %s, and that is no loss", o, jsonOf(to), jsonOf(from))
			}
		}
	})
}

// TestNarrowerRulesLoseNothing: rules taken away, and conditions made stricter, never wait for anybody.
func TestNarrowerRulesLoseNothing(t *testing.T) {
	more := func(n *int64) *int64 {
		if n == nil {
			return new(int64(2))
		}
		return new(*n + 1)
	}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SliceOfN(rapid.Custom(drawDeleteRule), 1, 3).Draw(t, "from")
		to := slices.Clone(from)
		for i := range to {
			c := &to[i].Condition
			switch rapid.IntRange(0, 6).Draw(t, "how") {
			case 0:
				c.Age = more(c.Age)
			case 1:
				c.NumNewerVersions = more(c.NumNewerVersions)
			case 2:
				c.DaysSinceNoncurrentTime = more(c.DaysSinceNoncurrentTime)
			case 3:
				c.CreatedBefore = "2020-01-01"
			case 4:
				if len(c.MatchesPrefix) > 0 {
					c.MatchesPrefix = []string{c.MatchesPrefix[0] + "longer"}
				}
			case 5:
				c.SizeAboveBytes = more(c.SizeAboveBytes)
			}
		}
		to = to[rapid.IntRange(0, len(to)).Draw(t, "taken away"):]
		if why := fields.Loses(rulesChange(from, to)); why != "" {
			t.Fatalf("from %s to %s: %s", jsonOf(from), jsonOf(to), why)
		}
	})
}
