package storage

import "time"

const (
	defaultSoftDelete = 7 * 24 * time.Hour
	shortestSoftDel   = 7 * 24 * time.Hour
	longestSoftDel    = 90 * 24 * time.Hour
	// longestRetention is a hundred years, as Cloud Storage counts them.
	longestRetention = 3_155_760_000
)

// settleSoftDelete: without a policy a bucket has the default one, and a
// duration of 0 turns soft delete off. When the policy took effect is shown of
// a bucket that was created without soft delete, and not of one in which it was
// turned off, as recorded.
func (c *change) settleSoftDelete() error {
	seconds, given := integer(c.next, "softDeletePolicy", "retentionDurationSeconds")
	if !given {
		seconds = int64(defaultSoftDelete.Seconds())
	}
	if seconds != 0 && (seconds < int64(shortestSoftDel.Seconds()) || seconds > int64(longestSoftDel.Seconds())) {
		return invalidf("Soft delete policy must have a retention duration between 7 days and 90 days.")
	}
	policy := document{"retentionDurationSeconds": decimal(seconds)}
	before, had := integer(c.old, "softDeletePolicy", "retentionDurationSeconds")
	switch {
	case had && before == seconds:
		if effective := text(c.old, "softDeletePolicy", "effectiveTime"); effective != "" {
			policy["effectiveTime"] = effective
		}
	case !had || seconds != 0:
		policy["effectiveTime"] = timestamp(c.now)
	}
	if flag(c.next, "softDeletePolicy", "hardDeletePause", "enabled") {
		policy["hardDeletePause"] = document{
			"enabled": true,
			"effectiveTime": c.since(flag(c.old, "softDeletePolicy", "hardDeletePause", "enabled"),
				"softDeletePolicy", "hardDeletePause", "effectiveTime"),
		}
	}
	c.next["softDeletePolicy"] = policy
	return nil
}

// settleRetention: a locked policy only ever grows.
func (c *change) settleRetention() error {
	locked := flag(c.old, "retentionPolicy", "isLocked")
	before, _ := integer(c.old, "retentionPolicy", "retentionPeriod")
	period, given := integer(c.next, "retentionPolicy", "retentionPeriod")
	switch {
	case !given && locked:
		return failf(403, "retentionPolicyNotMet", "Bucket '%s' has a locked Retention Policy which cannot be removed.", c.bucket)
	case !given:
		c.drop("retentionPolicy")
		return nil
	case period < 1 || period > longestRetention:
		return invalidf("Retention policy must have a retention period greater than 0 and less than 100 years.")
	case locked && period < before:
		return forbiddenf("Cannot reduce retention duration of a locked Retention Policy for bucket '%s'.", c.bucket)
	}
	policy := document{
		"retentionPeriod": decimal(period),
		"effectiveTime":   c.since(true, "retentionPolicy", "effectiveTime"),
	}
	if locked {
		policy["isLocked"] = true
	}
	c.next["retentionPolicy"] = policy
	return nil
}
