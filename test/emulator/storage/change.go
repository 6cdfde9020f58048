package storage

import (
	"strings"
	"time"
)

// change is the step from one configuration of a bucket to the next. Its
// aspects check next and add to it what Cloud Storage derives.
type change struct {
	bucket string
	// old is the configuration before, nil for a new bucket.
	old, next document
	now       time.Time
}

// aspects are the parts of a configuration that have rules of their own, in
// the order in which a request that breaks several is refused.
var aspects = []func(*change) error{
	(*change).settleLabels,
	(*change).settleAccess,
	(*change).settleIPFilter,
	(*change).settleStorageClass,
	(*change).settleRPO,
	(*change).settleAutoclass,
	(*change).settleLifecycle,
	(*change).settleSoftDelete,
	(*change).settleRetention,
	(*change).settleNamespace,
	(*change).settleEncryption,
	(*change).settleLogging,
	(*change).settleLists,
}

func (c *change) settle() (document, error) {
	c.next = clone(c.next)
	for _, aspect := range aspects {
		if err := aspect(c); err != nil {
			return nil, err
		}
	}
	return c.next, nil
}

// drop removes a field that is there but says nothing.
func (c *change) drop(field string) { delete(c.next, field) }

// outputOnly are the fields of a bucket that a request may carry, since
// clients send back what they read, but cannot set.
var outputOnly = []string{
	"kind", "id", "name", "selfLink", "projectNumber", "generation", "metageneration", "etag", "timeCreated",
	"updated", "owner", "locationType", "satisfiesPZI", "satisfiesPZS", "softDeleteTime", "hardDeleteTime",
	"objectRetention", "autoclass.toggleTime", "autoclass.terminalStorageClassUpdateTime",
	"iamConfiguration.bucketPolicyOnly.lockedTime", "iamConfiguration.uniformBucketLevelAccess.lockedTime",
	"softDeletePolicy.effectiveTime", "softDeletePolicy.hardDeletePause.effectiveTime",
	"retentionPolicy.effectiveTime", "retentionPolicy.isLocked",
	"encryption.googleManagedEncryptionEnforcementConfig.effectiveTime",
	"encryption.customerManagedEncryptionEnforcementConfig.effectiveTime",
	"encryption.customerSuppliedEncryptionEnforcementConfig.effectiveTime",
}

// withoutOutputs returns a request without the fields that cannot be set.
func withoutOutputs(request document) document {
	settable := clone(request)
	for _, path := range outputOnly {
		keys := strings.Split(path, ".")
		last := len(keys) - 1
		if parent := object(settable, keys[:last]...); parent != nil {
			delete(parent, keys[last])
		}
	}
	return settable
}

// defaults are what a bucket has that was asked for nothing.
func defaults() document {
	return document{
		"storageClass": "STANDARD",
		"iamConfiguration": document{
			"publicAccessPrevention":   "inherited",
			"uniformBucketLevelAccess": document{"enabled": false},
		},
		"softDeletePolicy": document{"retentionDurationSeconds": decimal(int64(defaultSoftDelete.Seconds()))},
	}
}

// newConfig decides the configuration of a new bucket.
func newConfig(name string, request document, objectRetention bool, now time.Time) (document, error) {
	if lookup(request, "retentionPolicy", "isLocked") != nil {
		return nil, invalidf("Retention Policy should not set/unset lock at insertion time for bucket '%s'.", name)
	}
	where, err := place(text(request, "location"), texts(request, "customPlacementConfig", "dataLocations"))
	if err != nil {
		return nil, err
	}
	next := merge(defaults(), withoutOutputs(request))
	setPlace(next, where)
	if objectRetention {
		next["objectRetention"] = document{"mode": "Enabled"}
	}
	c := change{bucket: name, next: next, now: now}
	return c.settle()
}

func setPlace(config document, where placement) {
	config["location"], config["locationType"] = where.location, where.kind
	delete(config, "customPlacementConfig")
	if len(where.data) > 0 {
		config["customPlacementConfig"] = document{"dataLocations": []any{where.data[0], where.data[1]}}
	}
}

// patchedConfig decides the configuration of a bucket after a merge patch.
func patchedConfig(name string, old, patch document, now time.Time) (document, error) {
	patch = withoutOutputs(patch)
	if err := checkFixed(old, patch); err != nil {
		return nil, err
	}
	// Whether a bucket has folders is decided when it is created; later
	// requests may say anything.
	delete(patch, "hierarchicalNamespace")
	if labels := object(patch, "labels"); labels != nil && len(labels) == 0 {
		patch["labels"] = nil // no labels at all, not a merge of nothing
	}
	c := change{bucket: name, old: old, next: merge(old, patch), now: now}
	return c.settle()
}

// replacedConfig decides the configuration of a bucket after an update, which
// resets what the request does not have.
func replacedConfig(name string, old, request document, now time.Time) (document, error) {
	request = withoutOutputs(request)
	if err := checkFixed(old, request); err != nil {
		return nil, err
	}
	next := merge(defaults(), request)
	for _, fixed := range []string{
		"location", "locationType", "customPlacementConfig", "hierarchicalNamespace", "objectRetention",
	} {
		delete(next, fixed)
		if value, ok := old[fixed]; ok {
			next[fixed] = value
		}
	}
	c := change{bucket: name, old: old, next: next, now: now}
	return c.settle()
}

// checkFixed refuses to move a bucket, and forgets places that it has
// already.
func checkFixed(old, request document) error {
	if location := text(request, "location"); location != "" && !strings.EqualFold(location, text(old, "location")) {
		return invalidArgument()
	}
	if data := texts(request, "customPlacementConfig", "dataLocations"); len(data) > 0 {
		where, err := place(text(old, "location"), data)
		if err != nil || !same(where.data, texts(old, "customPlacementConfig", "dataLocations")) {
			return invalidArgument()
		}
	}
	delete(request, "location")
	delete(request, "customPlacementConfig")
	return nil
}

// since returns the old value of a time that stays as it is while what it
// tells the beginning of stays, and now otherwise.
func (c *change) since(unchanged bool, path ...string) string {
	if before := text(c.old, path...); unchanged && before != "" {
		return before
	}
	return timestamp(c.now)
}

func (c *change) settleLabels() error {
	labels := object(c.next, "labels")
	if len(labels) == 0 {
		c.drop("labels")
	}
	return checkLabels(labels)
}

func (c *change) settleStorageClass() error {
	asked := text(c.next, "storageClass")
	if asked == "" {
		asked = "STANDARD"
	}
	class, ok := storageClass(asked)
	if !ok {
		return invalidf("Invalid storage class \"%s\"", asked)
	}
	regional := text(c.next, "locationType") == region
	if (class == "MULTI_REGIONAL" && regional) || (class == "REGIONAL" && !regional) {
		return invalidf("The combination of locationConstraint and storageClass you provided is not supported for your project")
	}
	c.next["storageClass"] = class
	return nil
}

// settleRPO: only buckets in more than one region have an objective for
// getting their data into all of them.
func (c *change) settleRPO() error {
	kind, rpo := text(c.next, "locationType"), text(c.next, "rpo")
	switch {
	case kind == region && rpo == "":
		return nil
	case kind == region:
		return invalidf("RPO cannot be set for a bucket in a single region.")
	case rpo == "":
		c.next["rpo"] = "DEFAULT"
	case rpo == "ASYNC_TURBO" && kind != dualRegion:
		return invalidf("Turbo replication is only available for buckets in dual-regions.")
	case rpo != "DEFAULT" && rpo != "ASYNC_TURBO":
		return invalidf("Invalid value for: %s is not a valid value", rpo)
	}
	return nil
}

func (c *change) settleAutoclass() error {
	autoclass := object(c.next, "autoclass")
	if autoclass == nil {
		return nil
	}
	enabled := flag(autoclass, "enabled")
	settled := document{
		"enabled":    enabled,
		"toggleTime": c.since(enabled == flag(c.old, "autoclass", "enabled"), "autoclass", "toggleTime"),
	}
	if enabled {
		// A new bucket has the class that goes with Autoclass, whatever was
		// asked for; to one that is there another class is refused.
		if c.old == nil {
			c.next["storageClass"] = "STANDARD"
		} else if text(c.next, "storageClass") != "STANDARD" {
			return invalidf("Buckets with Autoclass enabled must have STANDARD as their default storage class.")
		}
		class, err := terminalClass(text(autoclass, "terminalStorageClass"))
		if err != nil {
			return err
		}
		settled["terminalStorageClass"] = class
		settled["terminalStorageClassUpdateTime"] = c.since(
			class == text(c.old, "autoclass", "terminalStorageClass"), "autoclass", "terminalStorageClassUpdateTime")
	}
	c.next["autoclass"] = settled
	return nil
}

func terminalClass(asked string) (string, error) {
	class := strings.ToUpper(asked)
	switch class {
	case "":
		return "NEARLINE", nil
	case "NEARLINE", "ARCHIVE":
		return class, nil
	default:
		return "", invalidf("Invalid value for: %s is not a valid value", asked)
	}
}

// settleNamespace: a bucket with folders is unlike others in several ways.
func (c *change) settleNamespace() error {
	if object(c.next, "hierarchicalNamespace") == nil {
		return nil
	}
	if !flag(c.next, "hierarchicalNamespace", "enabled") {
		c.drop("hierarchicalNamespace")
		return nil
	}
	switch {
	case !flag(c.next, "iamConfiguration", "uniformBucketLevelAccess", "enabled"):
		return invalidf("Hierarchical namespace buckets must use uniform bucket-level access.")
	case flag(c.next, "versioning", "enabled"):
		return invalidf("Versioning is not supported for hierarchical namespace buckets.")
	case object(c.next, "retentionPolicy") != nil:
		return invalidf("Retention policy is not supported for hierarchical namespace buckets.")
	case object(c.next, "objectRetention") != nil:
		return invalidf("Object retention config is not supported for hierarchical namespace buckets.")
	}
	return nil
}

// settleLogging: log objects are named after the bucket unless told
// otherwise.
func (c *change) settleLogging() error {
	logging := object(c.next, "logging")
	if logging == nil {
		return nil
	}
	target := text(logging, "logBucket")
	if target == "" {
		c.drop("logging")
		return nil
	}
	if err := checkBucketName(target); err != nil {
		return err
	}
	if text(logging, "logObjectPrefix") == "" {
		logging["logObjectPrefix"] = c.bucket
	}
	return nil
}

// settleLists drops what is there but empty.
func (c *change) settleLists() error {
	if len(list(c.next, "cors")) == 0 {
		c.drop("cors")
	}
	for _, field := range []string{"acl", "defaultObjectAcl"} {
		if len(list(c.next, field)) == 0 && list(c.old, field) == nil { // one that had entries may have lost them all
			c.drop(field)
		}
	}
	for _, field := range []string{"website", "billing", "versioning"} {
		if inner := object(c.next, field); len(inner) == 0 {
			c.drop(field)
		}
	}
	return nil
}
