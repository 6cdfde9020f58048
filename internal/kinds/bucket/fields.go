package bucket

import (
	"strconv"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// fields says what is special about the fields of a BucketSpec.
//
// A default is what Google gives a bucket that is created through the API without the field. (The console and an
// organization's policies may choose otherwise.) For uniformBucketLevelAccess that is false, which Google accepts only
// within 90 days of enabling it.
var fields = diff.Fields{
	"spec.location": {
		Immutable: "Google Cloud does not move buckets",
		Default:   `"US"`,
		Equal:     diff.FoldedStrings,
	},
	"spec.customPlacementConfig": {
		Immutable: "Google Cloud does not move buckets",
	},
	"spec.customPlacementConfig.dataLocations": {
		Equal: diff.StringSet,
	},
	"spec.hierarchicalNamespace": {
		Immutable: "Google Cloud decides about folders when it creates a bucket",
	},
	"spec.hierarchicalNamespace.enabled": {
		Default: `false`,
	},
	"spec.objectRetention": {
		Immutable: "Google Cloud decides about the retention of single objects when it creates a bucket",
	},

	"spec.storageClass":                                     {Default: `"STANDARD"`},
	"spec.versioning.enabled":                               {Default: `false`, Loses: losesVersions},
	"spec.lifecycle.rules":                                  {Equal: sameRules, Loses: losesToRules},
	"spec.softDeletePolicy.retentionSeconds":                {Default: `604800`, Loses: losesSoftDeleted},
	"spec.autoclass.enabled":                                {Default: `false`},
	"spec.autoclass.terminalStorageClass":                   {Default: `"NEARLINE"`},
	"spec.rpo":                                              {Default: `"DEFAULT"`},
	"spec.uniformBucketLevelAccess.enabled":                 {Default: `false`},
	"spec.publicAccessPrevention":                           {Default: `"inherited"`},
	"spec.ipFilter.mode":                                    {Default: `"Disabled"`},
	"spec.ipFilter.publicNetworkSource.allowedIPCIDRRanges": {Equal: sameRanges},
	"spec.ipFilter.vpcNetworkSources":                       {Equal: sameNetworks},
	"spec.ipFilter.allowCrossOrgVPCs":                       {Default: `false`},
	"spec.ipFilter.allowAllServiceAgentAccess":              {Default: `false`},
	"spec.cors":                  {Equal: sameCORS},
	"spec.requesterPays":         {Default: `false`},
	"spec.defaultEventBasedHold": {Default: `false`, Frees: turnsOff, Loses: losesHold},

	"spec.iam": {Apart: true},

	// With their last field they are cleared.
	"spec.retentionPolicy": {Whole: true, Frees: shortens},
	"spec.website":         {Whole: true},
	"spec.logging":         {Whole: true},

	"spec.retentionPolicy.retentionSeconds": {Frees: shortens, Loses: losesRetention},

	"spec.retentionPolicy.locked": {Default: `false`, Hold: holdLock},

	"spec.encryption.googleManagedEncryptionEnforcementConfig.restrictionMode":    {Default: `"NotRestricted"`},
	"spec.encryption.customerManagedEncryptionEnforcementConfig.restrictionMode":  {Default: `"NotRestricted"`},
	"spec.encryption.customerSuppliedEncryptionEnforcementConfig.restrictionMode": {Default: `"NotRestricted"`},
}

// holdLock holds a lock, because nothing undoes it.
func holdLock(c diff.Change) string {
	if c.To != "true" {
		return ""
	}
	return "this locks the retention policy for good: it can never be removed or shortened, and the bucket cannot be deleted while it has younger objects"
}

// shortens says that a retention policy is removed, or its period is shortened, which only a lock prevents.
func shortens(c diff.Change, live v1alpha1.Object) bool {
	if diff.Lookup(live, "spec.retentionPolicy.locked") == "true" {
		return false
	}
	from, err := strconv.ParseInt(c.From, 10, 64)
	to, notOne := strconv.ParseInt(c.To, 10, 64)
	return c.To == "" || c.To == "{}" || err == nil && notOne == nil && to < from
}

// turnsOff says that new objects are not put under a hold any more.
func turnsOff(c diff.Change, _ v1alpha1.Object) bool { return c.To != "true" }

// sameRules compares lifecycle rules by what they mean.
func sameRules(desired, live any) bool {
	return sameEach(desired, live, normalRule)
}

// sameCORS compares CORS rules by what they mean.
func sameCORS(desired, live any) bool {
	return sameEach(desired, live, normalCORS)
}

// sameEach compares two lists, item by item in their normal form.
func sameEach[T any](desired, live any, normal func(T) T) bool {
	a, b := desired.([]T), live.([]T)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if jsonOf(normal(a[i])) != jsonOf(normal(b[i])) {
			return false
		}
	}
	return true
}

// normalRule leaves out what says nothing.
func normalRule(r v1alpha1.LifecycleRule) v1alpha1.LifecycleRule {
	if r.Condition.WithState == v1alpha1.LifecycleAny {
		r.Condition.WithState = ""
	}
	return r
}

// normalCORS leaves out what says nothing.
func normalCORS(c v1alpha1.CORS) v1alpha1.CORS {
	if c.MaxAgeSeconds != nil && *c.MaxAgeSeconds == 0 {
		c.MaxAgeSeconds = nil
	}
	return c
}
