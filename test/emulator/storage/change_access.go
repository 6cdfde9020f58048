package storage

import (
	"regexp"
	"strings"
	"time"
)

// uniformAccessGrace is for how long uniform bucket-level access can be
// turned off again.
const uniformAccessGrace = 90 * 24 * time.Hour

// settleAccess checks the IAM configuration and keeps the two names of
// uniform bucket-level access alike. Whichever of the two a request changed
// counts; if both, the newer name.
func (c *change) settleAccess() error {
	iam := object(c.next, "iamConfiguration")
	if iam == nil {
		iam = document{}
	}
	prevention := text(iam, "publicAccessPrevention")
	switch prevention {
	case "", "unspecified":
		prevention = "inherited"
	case "inherited", "enforced":
	default:
		return invalidf("Invalid value for: %s is not a valid value", prevention)
	}
	was := flag(c.old, "iamConfiguration", "uniformBucketLevelAccess", "enabled")
	enabled := flag(iam, "uniformBucketLevelAccess", "enabled")
	if legacy, given := lookup(iam, "bucketPolicyOnly", "enabled").(bool); given && enabled == was {
		enabled = legacy
	}
	access := document{"enabled": enabled}
	if enabled {
		access["lockedTime"] = c.uniformAccessLock(was)
	} else if err := c.checkUniformAccessOff(was); err != nil {
		return err
	}
	c.next["iamConfiguration"] = document{
		"publicAccessPrevention":   prevention,
		"uniformBucketLevelAccess": access,
		"bucketPolicyOnly":         clone(access),
	}
	return nil
}

func (c *change) uniformAccessLock(was bool) string {
	if locked := text(c.old, "iamConfiguration", "uniformBucketLevelAccess", "lockedTime"); was && locked != "" {
		return locked
	}
	return timestamp(c.now.Add(uniformAccessGrace))
}

func (c *change) checkUniformAccessOff(was bool) error {
	if !was {
		return nil
	}
	locked, err := time.Parse(time.RFC3339, text(c.old, "iamConfiguration", "uniformBucketLevelAccess", "lockedTime"))
	if err == nil && c.now.After(locked) {
		return invalidf("Uniform bucket-level access cannot be disabled after it has been enabled for more than 90 days.")
	}
	return nil
}

var keyPattern = regexp.MustCompile(`^projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+$`)

// settleEncryption checks the default key, which has to be where the bucket
// is.
func (c *change) settleEncryption() error {
	encryption := object(c.next, "encryption")
	if encryption == nil {
		return nil
	}
	for _, kind := range []string{"googleManaged", "customerManaged", "customerSupplied"} {
		c.settleEnforcement(encryption, kind+"EncryptionEnforcementConfig")
	}
	key := text(encryption, "defaultKmsKeyName")
	if key == "" {
		delete(encryption, "defaultKmsKeyName")
	} else {
		match := keyPattern.FindStringSubmatch(key)
		if match == nil {
			return invalidf("Malformed Cloud KMS crypto key: %s", key)
		}
		if !strings.EqualFold(match[1], keyLocation(c.next)) {
			return invalidf("The Cloud KMS key's location (%s) must match the bucket's location (%s).",
				match[1], strings.ToLower(text(c.next, "location")))
		}
	}
	if len(encryption) == 0 {
		c.drop("encryption")
	}
	return nil
}

// keyLocation is where the keys of a bucket are: in its own location, for the
// multi-region EU under the name that Cloud KMS has for it.
func keyLocation(config document) string {
	if location := text(config, "location"); location != "EU" {
		return location
	}
	return "EUROPE"
}

func (c *change) settleEnforcement(encryption document, field string) {
	enforcement := object(encryption, field)
	if enforcement == nil {
		delete(encryption, field)
		return
	}
	unchanged := text(enforcement, "restrictionMode") == text(c.old, "encryption", field, "restrictionMode")
	enforcement["effectiveTime"] = c.since(unchanged, "encryption", field, "effectiveTime")
}
