package bucket

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// What loses the data of a bucket, or takes away what protects it. Where a change is not provably narrower it counts. Not among it:
//   - storage class, Autoclass, RPO: where objects are, and what that costs; by themselves they delete nothing;
//   - encryption: objects stay as they were encrypted;
//   - access (IAM, uniform access, public access prevention, IP filter, CORS, requester pays), web site, usage logs, labels: the objects stay;
//   - location, hierarchical namespace, objects' own retention: immutable;
//   - AbortIncompleteMultipartUpload: what was not uploaded to the end is not an object yet.

func losesVersions(c diff.Change) string {
	if c.From != "true" || c.To == "true" {
		return ""
	}
	return "objects that are replaced or deleted are no longer kept as noncurrent versions"
}

func losesSoftDeleted(c diff.Change) string {
	if !lowers(c) {
		return ""
	}
	return "deleted objects can be restored for a shorter time, or not at all"
}

func losesRetention(c diff.Change) string {
	if !lowers(c) {
		return ""
	}
	return "objects that the retention policy protects can be deleted and replaced"
}

func losesHold(c diff.Change) string {
	if c.From != "true" || c.To == "true" {
		return ""
	}
	return "new objects are not put under a hold any more"
}

// lowers says whether a number becomes smaller, or goes.
func lowers(c diff.Change) bool {
	from, err := strconv.ParseInt(c.From, 10, 64)
	if err != nil {
		return c.From != "" // nobody knows what it was
	}
	to, err := strconv.ParseInt(c.To, 10, 64)
	return err != nil || to < from
}

// losesToRules says whether lifecycle rules delete an object that they did not delete before, as far as that is not ruled out.
func losesToRules(c diff.Change) string {
	const why = "lifecycle rules delete objects that they did not delete before"
	from, known := rulesOf(c.From)
	to, readable := rulesOf(c.To)
	if !known || !readable {
		return why
	}
	deleting, moving := byAction(from, v1alpha1.LifecycleDelete), byAction(from, v1alpha1.LifecycleSetStorageClass)
	for _, rule := range byAction(to, v1alpha1.LifecycleDelete) {
		within := func(old v1alpha1.LifecycleRule) bool { return isWithin(rule.Condition, old.Condition) }
		if !slices.ContainsFunc(deleting, within) {
			return why
		}
		// One that asks for a storage class reaches what another rule moves there.
		if len(rule.Condition.MatchesStorageClass) > 0 && !slices.EqualFunc(moving, byAction(to, v1alpha1.LifecycleSetStorageClass), sameRule) {
			return why
		}
	}
	return ""
}

func rulesOf(list string) (rules []v1alpha1.LifecycleRule, ok bool) {
	return rules, list == "" || json.Unmarshal([]byte(list), &rules) == nil
}

func byAction(rules []v1alpha1.LifecycleRule, action v1alpha1.LifecycleActionType) []v1alpha1.LifecycleRule {
	return slices.DeleteFunc(slices.Clone(rules), func(r v1alpha1.LifecycleRule) bool { return r.Action.Type != action })
}

func sameRule(a, b v1alpha1.LifecycleRule) bool {
	return jsonOf(normalRule(a)) == jsonOf(normalRule(b))
}

// isWithin says whether a condition provably matches nothing that another one does not: each condition that the other one sets, it sets
// too, and as strictly.
func isWithin(c, other v1alpha1.LifecycleCondition) bool {
	return atLeast(c.Age, other.Age) &&
		atLeast(c.DaysSinceCustomTime, other.DaysSinceCustomTime) &&
		atLeast(c.DaysSinceNoncurrentTime, other.DaysSinceNoncurrentTime) &&
		atLeast(c.NumNewerVersions, other.NumNewerVersions) &&
		atLeast(c.SizeAboveBytes, other.SizeAboveBytes) &&
		atMost(c.SizeBelowBytes, other.SizeBelowBytes) &&
		notAfter(c.CreatedBefore, other.CreatedBefore) &&
		notAfter(c.CustomTimeBefore, other.CustomTimeBefore) &&
		notAfter(c.NoncurrentTimeBefore, other.NoncurrentTimeBefore) &&
		(anyState(other.WithState) || c.WithState == other.WithState) &&
		(other.MatchesPattern == "" || c.MatchesPattern == other.MatchesPattern) &&
		eachIn(c.MatchesPrefix, other.MatchesPrefix, strings.HasPrefix) &&
		eachIn(c.MatchesSuffix, other.MatchesSuffix, strings.HasSuffix) &&
		eachIn(c.MatchesStorageClass, other.MatchesStorageClass, func(a, b v1alpha1.StorageClass) bool { return a == b })
}

func anyState(s v1alpha1.LifecycleState) bool { return s == "" || s == v1alpha1.LifecycleAny }

func atLeast(n, least *int64) bool { return least == nil || n != nil && *n >= *least }

func atMost(n, most *int64) bool { return most == nil || n != nil && *n <= *most }

// notAfter compares dates, such as 2026-01-31.
func notAfter(date, last string) bool { return last == "" || date != "" && date <= last }

// eachIn says whether each of the values is covered by one of the others, of which none means that all are.
func eachIn[T any](values, others []T, covered func(value, by T) bool) bool {
	if len(others) == 0 {
		return true
	}
	return len(values) > 0 && !slices.ContainsFunc(values, func(v T) bool {
		return !slices.ContainsFunc(others, func(o T) bool { return covered(v, o) })
	})
}
