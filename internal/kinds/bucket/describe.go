package bucket

import (
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Describe implements kind.Fielded. Switches are always there; what a bucket can be without (rules, a web site, a policy) is
// there only if the bucket has it.
func (k *Kind) Describe(live *Live) *v1alpha1.Bucket {
	return &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{
		Location:                 strings.ToUpper(live.Location),
		CustomPlacementConfig:    describePlacement(live.CustomPlacementConfig),
		StorageClass:             v1alpha1.StorageClass(live.StorageClass),
		Labels:                   kind.DescribeLabels(live.Labels),
		Versioning:               &v1alpha1.Versioning{Enabled: new(live.Versioning.Enabled)},
		Lifecycle:                describeLifecycle(live.Lifecycle),
		SoftDeletePolicy:         describeSoftDelete(live.SoftDeletePolicy),
		RetentionPolicy:          describeRetention(live.RetentionPolicy),
		ObjectRetention:          describeObjectRetention(live.ObjectRetention),
		Autoclass:                describeAutoclass(live.Autoclass),
		RPO:                      v1alpha1.RPO(live.RPO),
		HierarchicalNamespace:    &v1alpha1.HierarchicalNamespace{Enabled: new(live.HierarchicalNamespace.Enabled)},
		UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(live.IAMConfiguration.UniformBucketLevelAccess.Enabled)},
		PublicAccessPrevention:   describeAccessPrevention(live.IAMConfiguration.PublicAccessPrevention),
		IPFilter:                 describeIPFilter(live.IPFilter),
		CORS:                     describeCORS(live.CORS),
		Website:                  describeWebsite(live.Website),
		Logging:                  describeLogging(live.Logging, live.Name),
		Encryption:               describeEncryption(live.Encryption),
		RequesterPays:            new(live.Billing.RequesterPays),
		DefaultEventBasedHold:    new(live.DefaultEventBasedHold),
	}}
}

func describePlacement(p Placement) *v1alpha1.CustomPlacementConfig {
	if len(p.DataLocations) == 0 {
		return nil
	}
	return &v1alpha1.CustomPlacementConfig{DataLocations: p.DataLocations}
}

func describeSoftDelete(p *SoftDelete) *v1alpha1.SoftDeletePolicy {
	if p == nil {
		return nil
	}
	return &v1alpha1.SoftDeletePolicy{RetentionSeconds: new(p.RetentionDurationSeconds)}
}

func describeRetention(p Retention) *v1alpha1.RetentionPolicy {
	if p.RetentionPeriod == 0 {
		return nil
	}
	return &v1alpha1.RetentionPolicy{RetentionSeconds: new(p.RetentionPeriod), Locked: new(p.IsLocked)}
}

func describeObjectRetention(r ObjectRetention) *v1alpha1.ObjectRetention {
	if r.Mode == "" {
		return nil
	}
	return &v1alpha1.ObjectRetention{Mode: r.Mode}
}

// describeAutoclass leaves the terminal class of a disabled Autoclass out: it means nothing, and may not be set.
func describeAutoclass(a Autoclass) *v1alpha1.Autoclass {
	if !a.Enabled {
		return &v1alpha1.Autoclass{Enabled: new(false)}
	}
	return &v1alpha1.Autoclass{Enabled: new(true), TerminalStorageClass: v1alpha1.TerminalStorageClass(a.TerminalStorageClass)}
}

// describeAccessPrevention writes what says nothing, and the word that Google once had for it, as inherited.
func describeAccessPrevention(word string) v1alpha1.PublicAccessPrevention {
	if word == "" || word == "unspecified" {
		return v1alpha1.PublicAccessPreventionInherited
	}
	return v1alpha1.PublicAccessPrevention(word)
}

func describeCORS(rules []CORS) []v1alpha1.CORS {
	var out []v1alpha1.CORS
	for _, r := range rules {
		out = append(out, v1alpha1.CORS(r))
	}
	return out
}

func describeWebsite(w Website) *v1alpha1.Website {
	if w == (Website{}) {
		return nil
	}
	return new(v1alpha1.Website(w))
}

// describeLogging leaves out the prefix that Google gives a bucket that has none: its own name.
func describeLogging(l Logging, name string) *v1alpha1.Logging {
	if l.LogObjectPrefix == name {
		l.LogObjectPrefix = ""
	}
	if l == (Logging{}) {
		return nil
	}
	return new(v1alpha1.Logging(l))
}

// describeEncryption is nil for a bucket with Google's own keys and no restriction.
func describeEncryption(e Encryption) *v1alpha1.BucketEncryption {
	out := v1alpha1.BucketEncryption{
		DefaultKMSKeyName:                           e.DefaultKMSKeyName,
		GoogleManagedEncryptionEnforcementConfig:    describeRestriction(e.GoogleManagedEncryptionEnforcementConfig),
		CustomerManagedEncryptionEnforcementConfig:  describeRestriction(e.CustomerManagedEncryptionEnforcementConfig),
		CustomerSuppliedEncryptionEnforcementConfig: describeRestriction(e.CustomerSuppliedEncryptionEnforcementConfig),
	}
	if out == (v1alpha1.BucketEncryption{}) {
		return nil
	}
	return &out
}

// describeRestriction leaves NotRestricted out: a bucket without a restriction may show it, or nothing.
func describeRestriction(r Restriction) *v1alpha1.EncryptionEnforcementConfig {
	mode := v1alpha1.RestrictionMode(r.RestrictionMode)
	if mode == "" || mode == v1alpha1.RestrictionNone {
		return nil
	}
	return &v1alpha1.EncryptionEnforcementConfig{RestrictionMode: mode}
}
