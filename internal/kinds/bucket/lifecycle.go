package bucket

import (
	"time"

	"cloud.google.com/go/storage"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func describeLifecycle(l storage.Lifecycle) *v1alpha1.Lifecycle {
	if len(l.Rules) == 0 {
		return nil
	}
	out := &v1alpha1.Lifecycle{}
	for _, r := range l.Rules {
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

func describeCondition(c storage.LifecycleCondition) v1alpha1.LifecycleCondition {
	out := v1alpha1.LifecycleCondition{
		Age:                     unlessZero(c.AgeInDays),
		CreatedBefore:           dateOf(c.CreatedBefore),
		CustomTimeBefore:        dateOf(c.CustomTimeBefore),
		DaysSinceCustomTime:     unlessZero(c.DaysSinceCustomTime),
		DaysSinceNoncurrentTime: unlessZero(c.DaysSinceNoncurrentTime),
		NoncurrentTimeBefore:    dateOf(c.NoncurrentTimeBefore),
		NumNewerVersions:        unlessZero(c.NumNewerVersions),
		WithState:               states[c.Liveness],
		MatchesPrefix:           c.MatchesPrefix,
		MatchesSuffix:           c.MatchesSuffix,
		MatchesStorageClass:     convert[v1alpha1.StorageClass](c.MatchesStorageClasses),
	}
	if c.AllObjects {
		out.Age = new(int64(0))
	}
	return out
}

func composeLifecycle(l *v1alpha1.Lifecycle) storage.Lifecycle {
	var out storage.Lifecycle
	for _, r := range orZero(l).Rules {
		out.Rules = append(out.Rules, storage.LifecycleRule{
			Action:    storage.LifecycleAction{Type: string(r.Action.Type), StorageClass: string(r.Action.StorageClass)},
			Condition: composeCondition(r.Condition),
		})
	}
	return out
}

func composeCondition(c v1alpha1.LifecycleCondition) storage.LifecycleCondition {
	return storage.LifecycleCondition{
		AllObjects:              c.Age != nil && *c.Age == 0,
		AgeInDays:               orZero(c.Age),
		CreatedBefore:           timeOf(c.CreatedBefore),
		CustomTimeBefore:        timeOf(c.CustomTimeBefore),
		DaysSinceCustomTime:     orZero(c.DaysSinceCustomTime),
		DaysSinceNoncurrentTime: orZero(c.DaysSinceNoncurrentTime),
		Liveness:                composeState(c.WithState),
		MatchesPrefix:           c.MatchesPrefix,
		MatchesStorageClasses:   convert[string](c.MatchesStorageClass),
		MatchesSuffix:           c.MatchesSuffix,
		NoncurrentTimeBefore:    timeOf(c.NoncurrentTimeBefore),
		NumNewerVersions:        orZero(c.NumNewerVersions),
	}
}

// states are Google's words for which versions of an object a rule is for.
var states = map[storage.Liveness]v1alpha1.LifecycleState{
	storage.Live:     v1alpha1.LifecycleLive,
	storage.Archived: v1alpha1.LifecycleArchived,
}

func composeState(s v1alpha1.LifecycleState) storage.Liveness {
	for liveness, state := range states {
		if s == state {
			return liveness
		}
	}
	return storage.LiveAndArchived
}

// dateOf writes the date of a time; empty for none.
func dateOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// timeOf reads a date, which the schema has checked; none is the zero time.
func timeOf(date string) time.Time {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}
	}
	return t
}
