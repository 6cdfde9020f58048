package bucket

import (
	"fmt"
	"strings"
	"time"

	raw "google.golang.org/api/storage/v1"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// keeps is what keeps an object from being deleted; nil for nothing. See https://cloud.google.com/storage/docs/object-holds,
// https://cloud.google.com/storage/docs/bucket-lock and https://cloud.google.com/storage/docs/object-lock.
func (c contents) keeps(object *raw.Object) *kind.Kept {
	update := func(flags string) string {
		return fmt.Sprintf("gcloud storage objects update gs://%s/OBJECT %s", c.ref.ID, flags)
	}
	own := orZero(object.Retention)
	byBucket, byItself := timeOf(object.RetentionExpirationTime), timeOf(own.RetainUntilTime)
	switch {
	case object.TemporaryHold:
		return &kind.Kept{Why: "under a temporary hold", Advice: "Release it: " + update("--no-temporary-hold")}
	case object.EventBasedHold:
		kept := &kind.Kept{Why: "under an event-based hold", Advice: "Release it: " + update("--no-event-based-hold")}
		if c.live.RetentionPolicy.RetentionPeriod > 0 {
			kept.Advice += "; the retention period begins then"
		}
		return kept
	case !byItself.IsZero() && !byItself.Before(byBucket):
		if own.Mode == "Locked" {
			return &kind.Kept{Why: "under a locked retention of their own", Until: byItself, Advice: "Wait: nobody can remove it"}
		}
		return &kind.Kept{
			Why: "under a retention of their own", Until: byItself,
			Advice: "Wait, or remove it: " + update("--clear-retention --override-unlocked-retention"),
		}
	case byBucket.IsZero():
		return nil
	case c.live.RetentionPolicy.IsLocked:
		return &kind.Kept{Why: "under the bucket's locked retention policy", Until: byBucket, Advice: "Wait: nobody can remove it"}
	default:
		return &kind.Kept{
			Why: "under the bucket's retention policy", Until: byBucket,
			Advice: "Wait, or remove it: set spec.retentionPolicy to {}, which is applied though the manifest is being deleted",
		}
	}
}

// timeOf reads a time as Google writes it; zero for none.
func timeOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// cacheGrace is how long after it was disabled Google deletes a cache:
// https://cloud.google.com/storage/docs/json_api/v1/AnywhereCaches/disable
const cacheGrace = time.Hour

// leaving says of a cache that there is nothing to be done about it but to wait.
func leaving(cache *raw.AnywhereCache) *kind.Kept {
	switch strings.ToUpper(cache.State) {
	case "DISABLED":
		kept := &kind.Kept{Why: "which are disabled", Advice: "Google deletes a cache about an hour after it was disabled", Leaving: true}
		if since := timeOf(cache.UpdateTime); !since.IsZero() {
			kept.Until = since.Add(cacheGrace)
		}
		return kept
	case "CREATING":
		return &kind.Kept{Why: "which are being created", Advice: "They are disabled as soon as Google has created them", Leaving: true}
	}
	return nil
}
