package bucket

import (
	raw "google.golang.org/api/storage/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func describeLifecycle(l Lifecycle) *v1alpha1.Lifecycle {
	if len(l.Rule) == 0 {
		return nil
	}
	out := &v1alpha1.Lifecycle{}
	for _, r := range l.Rule {
		out.Rules = append(out.Rules, v1alpha1.LifecycleRule{
			Action: v1alpha1.LifecycleAction{
				Type:         v1alpha1.LifecycleActionType(r.Action.Type),
				StorageClass: v1alpha1.StorageClass(r.Action.StorageClass),
			},
			Condition: describeCondition(r.Condition),
		})
	}
	return out
}

func describeCondition(c Condition) v1alpha1.LifecycleCondition {
	return v1alpha1.LifecycleCondition{
		Age:                     c.Age,
		CreatedBefore:           c.CreatedBefore,
		CustomTimeBefore:        c.CustomTimeBefore,
		DaysSinceCustomTime:     c.DaysSinceCustomTime,
		DaysSinceNoncurrentTime: c.DaysSinceNoncurrentTime,
		NoncurrentTimeBefore:    c.NoncurrentTimeBefore,
		NumNewerVersions:        c.NumNewerVersions,
		WithState:               describeState(c.IsLive),
		MatchesPattern:          c.MatchesPattern,
		MatchesPrefix:           c.MatchesPrefix,
		MatchesSuffix:           c.MatchesSuffix,
		MatchesStorageClass:     convert[v1alpha1.StorageClass](c.MatchesStorageClass),
		SizeAboveBytes:          c.SizeAboveBytes,
		SizeBelowBytes:          c.SizeBelowBytes,
	}
}

func describeState(isLive *bool) v1alpha1.LifecycleState {
	switch {
	case isLive == nil:
		return ""
	case *isLive:
		return v1alpha1.LifecycleLive
	default:
		return v1alpha1.LifecycleArchived
	}
}

// composeLifecycle writes none as an empty list, which takes all rules away.
func composeLifecycle(l *v1alpha1.Lifecycle) *raw.BucketLifecycle {
	out := &raw.BucketLifecycle{Rule: []*raw.BucketLifecycleRule{}, ForceSendFields: []string{"Rule"}}
	for _, r := range orZero(l).Rules {
		out.Rule = append(out.Rule, &raw.BucketLifecycleRule{
			Action:    &raw.BucketLifecycleRuleAction{Type: string(r.Action.Type), StorageClass: string(r.Action.StorageClass)},
			Condition: composeCondition(r.Condition),
		})
	}
	return out
}

// composeCondition sends a number that is 0 as such: left out, it would be no condition at all.
func composeCondition(c v1alpha1.LifecycleCondition) *raw.BucketLifecycleRuleCondition {
	out := &raw.BucketLifecycleRuleCondition{
		Age:                     c.Age,
		CreatedBefore:           c.CreatedBefore,
		CustomTimeBefore:        c.CustomTimeBefore,
		DaysSinceCustomTime:     orZero(c.DaysSinceCustomTime),
		DaysSinceNoncurrentTime: orZero(c.DaysSinceNoncurrentTime),
		NoncurrentTimeBefore:    c.NoncurrentTimeBefore,
		NumNewerVersions:        orZero(c.NumNewerVersions),
		IsLive:                  composeState(c.WithState),
		MatchesPattern:          c.MatchesPattern,
		MatchesPrefix:           c.MatchesPrefix,
		MatchesSuffix:           c.MatchesSuffix,
		MatchesStorageClass:     convert[string](c.MatchesStorageClass),
		SizeAboveBytes:          orZero(c.SizeAboveBytes),
		SizeBelowBytes:          orZero(c.SizeBelowBytes),
	}
	for field, number := range map[string]*int64{
		"DaysSinceCustomTime": c.DaysSinceCustomTime, "DaysSinceNoncurrentTime": c.DaysSinceNoncurrentTime, "NumNewerVersions": c.NumNewerVersions,
		"SizeAboveBytes": c.SizeAboveBytes, "SizeBelowBytes": c.SizeBelowBytes,
	} {
		if number != nil {
			out.ForceSendFields = append(out.ForceSendFields, field)
		}
	}
	return out
}

func composeState(s v1alpha1.LifecycleState) *bool {
	switch s {
	case v1alpha1.LifecycleLive:
		return new(true)
	case v1alpha1.LifecycleArchived:
		return new(false)
	default:
		return nil
	}
}
