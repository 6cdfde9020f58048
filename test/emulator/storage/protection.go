package storage

import (
	"net/http"
	"time"
)

// checkHolds refuses to touch a generation that is under a hold.
func (b *bucket) checkHolds(o *storedObject) error {
	for _, hold := range []struct{ field, name string }{
		{"temporaryHold", "Temporary"},
		{"eventBasedHold", "Event-Based"},
	} {
		if flag(o.Metadata, hold.field) {
			return failf(http.StatusForbidden, "objectUnderActiveHold",
				"Object '%s/%s' is under active %s hold and cannot be deleted, overwritten or archived until hold is removed.",
				b.Name, o.Name, hold.name)
		}
	}
	return nil
}

// checkProtection refuses to remove a generation that is under a hold or a
// retention.
func (b *bucket) checkProtection(o *storedObject, now time.Time) error {
	if err := b.checkHolds(o); err != nil {
		return err
	}
	if until := b.expiry(o); now.Before(until) {
		return failf(http.StatusForbidden, "retentionPolicyNotMet",
			"Object '%s/%s' is subject to bucket's retention policy or object retention and cannot be deleted or overwritten until %s",
			b.Name, o.Name, until.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// expiry is when both the bucket's retention policy and the object's own
// retention let go of an object; zero if neither has hold of it.
func (b *bucket) expiry(o *storedObject) time.Time {
	until := objectExpiry(o)
	if policy, ok := b.policyExpiry(o); ok && policy.After(until) {
		until = policy
	}
	return until
}

// policyExpiry is when the bucket's retention policy lets go of an object.
// Under an event-based hold that is not known yet.
func (b *bucket) policyExpiry(o *storedObject) (time.Time, bool) {
	seconds, given := integer(b.Config, "retentionPolicy", "retentionPeriod")
	if !given || flag(o.Metadata, "eventBasedHold") {
		return time.Time{}, false
	}
	return o.Created.Add(time.Duration(seconds) * time.Second), true
}

// objectExpiry is when the object's own retention lets go of it.
func objectExpiry(o *storedObject) time.Time {
	until, err := time.Parse(time.RFC3339, text(o.Metadata, "retention", "retainUntilTime"))
	if err != nil {
		return time.Time{}
	}
	return until
}

// checkObjectRetention decides whether an object's own retention may become
// what a request asks for.
func (b *bucket) checkObjectRetention(o *storedObject, next document, override bool) error {
	retention := object(next, "retention")
	if len(retention) > 0 && object(b.Config, "objectRetention") == nil {
		return invalidf("Object retention is not enabled for bucket '%s'.", b.Name)
	}
	mode := text(retention, "mode")
	switch {
	case (mode == "") != (text(retention, "retainUntilTime") == ""):
		return invalidf("Object retention must have both a mode and a time until which the object is retained.")
	case mode != "" && mode != "Locked" && mode != "Unlocked":
		return invalidf("Invalid value for: %s is not a valid value", mode)
	}
	if o == nil {
		return nil
	}
	before := object(o.Metadata, "retention")
	until, _ := time.Parse(time.RFC3339, text(retention, "retainUntilTime"))
	weaker := until.Before(objectExpiry(o)) || (text(before, "mode") == "Locked" && text(retention, "mode") != "Locked")
	switch {
	case before == nil || !weaker:
		return nil
	case text(before, "mode") == "Locked":
		return forbiddenf("Object '%s/%s' has a locked retention configuration which cannot be reduced or removed.", b.Name, o.Name)
	case !override:
		return forbiddenf("Object '%s/%s' has an unlocked retention configuration: to reduce or remove it, overrideUnlockedRetention must be set.", b.Name, o.Name)
	}
	return nil
}
