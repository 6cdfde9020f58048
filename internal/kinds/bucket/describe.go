package bucket

import (
	"strings"
	"time"

	"cloud.google.com/go/storage"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Describe implements kind.Fielded. Switches are always there; what a bucket can be without (rules, a web site, a policy) is
// there only if the bucket has it.
func (k *Kind) Describe(live *storage.BucketAttrs) *v1alpha1.Bucket {
	return &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{
		Location:                 strings.ToUpper(live.Location),
		CustomPlacementConfig:    describePlacement(live.CustomPlacementConfig),
		StorageClass:             v1alpha1.StorageClass(live.StorageClass),
		Labels:                   kind.DescribeLabels(live.Labels),
		Versioning:               &v1alpha1.Versioning{Enabled: new(live.VersioningEnabled)},
		Lifecycle:                describeLifecycle(live.Lifecycle),
		SoftDeletePolicy:         describeSoftDelete(live.SoftDeletePolicy),
		RetentionPolicy:          describeRetention(live.RetentionPolicy),
		ObjectRetention:          describeObjectRetention(live.ObjectRetentionMode),
		Autoclass:                describeAutoclass(live.Autoclass),
		RPO:                      v1alpha1.RPO(live.RPO.String()),
		HierarchicalNamespace:    &v1alpha1.HierarchicalNamespace{Enabled: new(hasFolders(live))},
		UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(live.UniformBucketLevelAccess.Enabled)},
		PublicAccessPrevention:   describeAccessPrevention(live.PublicAccessPrevention),
		CORS:                     describeCORS(live.CORS),
		Website:                  describeWebsite(live.Website),
		Logging:                  describeLogging(live.Logging, live.Name),
		Encryption:               describeEncryption(live),
		RequesterPays:            new(live.RequesterPays),
		DefaultEventBasedHold:    new(live.DefaultEventBasedHold),
	}}
}

func describePlacement(p *storage.CustomPlacementConfig) *v1alpha1.CustomPlacementConfig {
	if p == nil || len(p.DataLocations) == 0 {
		return nil
	}
	return &v1alpha1.CustomPlacementConfig{DataLocations: p.DataLocations}
}

func describeSoftDelete(p *storage.SoftDeletePolicy) *v1alpha1.SoftDeletePolicy {
	if p == nil {
		return nil
	}
	return &v1alpha1.SoftDeletePolicy{RetentionSeconds: new(seconds(p.RetentionDuration))}
}

func describeRetention(p *storage.RetentionPolicy) *v1alpha1.RetentionPolicy {
	if p == nil || p.RetentionPeriod == 0 {
		return nil
	}
	return &v1alpha1.RetentionPolicy{RetentionSeconds: new(seconds(p.RetentionPeriod)), Locked: new(p.IsLocked)}
}

func describeObjectRetention(mode string) *v1alpha1.ObjectRetention {
	if mode == "" {
		return nil
	}
	return &v1alpha1.ObjectRetention{Mode: mode}
}

// describeAutoclass leaves the terminal class of a disabled Autoclass out: it means nothing, and may not be set.
func describeAutoclass(a *storage.Autoclass) *v1alpha1.Autoclass {
	if a == nil || !a.Enabled {
		return &v1alpha1.Autoclass{Enabled: new(false)}
	}
	return &v1alpha1.Autoclass{Enabled: new(true), TerminalStorageClass: v1alpha1.TerminalStorageClass(a.TerminalStorageClass)}
}

func hasFolders(live *storage.BucketAttrs) bool {
	return live.HierarchicalNamespace != nil && live.HierarchicalNamespace.Enabled
}

func describeAccessPrevention(p storage.PublicAccessPrevention) v1alpha1.PublicAccessPrevention {
	if p == storage.PublicAccessPreventionEnforced {
		return v1alpha1.PublicAccessPreventionEnforced
	}
	return v1alpha1.PublicAccessPreventionInherited
}

func describeCORS(rules []storage.CORS) []v1alpha1.CORS {
	var out []v1alpha1.CORS
	for _, r := range rules {
		out = append(out, v1alpha1.CORS{
			Origin: r.Origins, Method: r.Methods, ResponseHeader: r.ResponseHeaders, MaxAgeSeconds: unlessZero(seconds(r.MaxAge)),
		})
	}
	return out
}

func describeWebsite(w *storage.BucketWebsite) *v1alpha1.Website {
	if w == nil || *w == (storage.BucketWebsite{}) {
		return nil
	}
	return &v1alpha1.Website{MainPageSuffix: w.MainPageSuffix, NotFoundPage: w.NotFoundPage}
}

// describeLogging leaves out the prefix that Google gives a bucket that has none: its own name.
func describeLogging(l *storage.BucketLogging, name string) *v1alpha1.Logging {
	if l == nil || l.LogBucket == "" {
		return nil
	}
	out := &v1alpha1.Logging{LogBucket: l.LogBucket}
	if l.LogObjectPrefix != name {
		out.LogObjectPrefix = l.LogObjectPrefix
	}
	return out
}

// describeEncryption is nil for a bucket with Google's own keys and no restriction.
func describeEncryption(live *storage.BucketAttrs) *v1alpha1.BucketEncryption {
	out := v1alpha1.BucketEncryption{
		GoogleManagedEncryptionEnforcementConfig:    describeRestriction(live.GoogleManagedEncryptionEnforcementConfig),
		CustomerManagedEncryptionEnforcementConfig:  describeRestriction(live.CustomerManagedEncryptionEnforcementConfig),
		CustomerSuppliedEncryptionEnforcementConfig: describeRestriction(live.CustomerSuppliedEncryptionEnforcementConfig),
	}
	if live.Encryption != nil {
		out.DefaultKMSKeyName = live.Encryption.DefaultKMSKeyName
	}
	if out == (v1alpha1.BucketEncryption{}) {
		return nil
	}
	return &out
}

// describeRestriction leaves NotRestricted out: a bucket without a restriction may show it, or nothing.
func describeRestriction(c *storage.EncryptionEnforcementConfig) *v1alpha1.EncryptionEnforcementConfig {
	if c == nil || c.RestrictionMode == "" || c.RestrictionMode == storage.NotRestricted {
		return nil
	}
	return &v1alpha1.EncryptionEnforcementConfig{RestrictionMode: v1alpha1.RestrictionMode(c.RestrictionMode)}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
