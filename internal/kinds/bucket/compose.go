package bucket

import (
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/storage"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// composeNew writes a new bucket. Of what is set, the library cannot send defaultEventBasedHold, and sends no false: that
// is Google's default anyway.
func composeNew(ref kind.Ref, want *v1alpha1.BucketSpec) *storage.BucketAttrs {
	attrs := &storage.BucketAttrs{
		Location:                 strings.ToUpper(want.Location),
		StorageClass:             string(want.StorageClass),
		Labels:                   ref.Labels(want.Labels, nil),
		VersioningEnabled:        orZero(orZero(want.Versioning).Enabled),
		Lifecycle:                composeLifecycle(want.Lifecycle),
		RPO:                      rpos[want.RPO],
		UniformBucketLevelAccess: storage.UniformBucketLevelAccess{Enabled: orZero(orZero(want.UniformBucketLevelAccess).Enabled)},
		PublicAccessPrevention:   preventions[want.PublicAccessPrevention],
		CORS:                     composeCORS(want.CORS),
		RequesterPays:            orZero(want.RequesterPays),
	}
	if p := want.CustomPlacementConfig; p != nil {
		attrs.CustomPlacementConfig = &storage.CustomPlacementConfig{DataLocations: upper(p.DataLocations)}
	}
	if orZero(orZero(want.HierarchicalNamespace).Enabled) {
		attrs.HierarchicalNamespace = &storage.HierarchicalNamespace{Enabled: true}
	}
	if want.SoftDeletePolicy != nil {
		attrs.SoftDeletePolicy = composeSoftDelete(want.SoftDeletePolicy)
	}
	if orZero(want.RetentionPolicy).RetentionSeconds != nil {
		attrs.RetentionPolicy = composeRetention(want.RetentionPolicy)
	}
	if orZero(orZero(want.Autoclass).Enabled) {
		attrs.Autoclass = composeAutoclass(want.Autoclass)
	}
	if orZero(want.Website) != (v1alpha1.Website{}) {
		attrs.Website = composeWebsite(want.Website)
	}
	if orZero(want.Logging) != (v1alpha1.Logging{}) {
		attrs.Logging = composeLogging(want.Logging, ref.ID)
	}
	if e := want.Encryption; e != nil {
		if e.DefaultKMSKeyName != "" {
			attrs.Encryption = &storage.BucketEncryption{DefaultKMSKeyName: e.DefaultKMSKeyName}
		}
		attrs.GoogleManagedEncryptionEnforcementConfig = composeRestriction(e.GoogleManagedEncryptionEnforcementConfig)
		attrs.CustomerManagedEncryptionEnforcementConfig = composeRestriction(e.CustomerManagedEncryptionEnforcementConfig)
		attrs.CustomerSuppliedEncryptionEnforcementConfig = composeRestriction(e.CustomerSuppliedEncryptionEnforcementConfig)
	}
	return attrs
}

// composeUpdate writes what changes, and nothing else.
func composeUpdate(ref kind.Ref, want *v1alpha1.BucketSpec, changes diff.Changes, live *storage.BucketAttrs) storage.BucketAttrsToUpdate {
	c := composer{name: ref.ID, want: want, changes: changes, live: live}
	c.labels(ref.Labels(want.Labels, live.Labels))
	c.classes()
	c.protection()
	c.access()
	c.web()
	c.encryption()
	return c.update
}

type composer struct {
	name    string
	want    *v1alpha1.BucketSpec
	changes diff.Changes
	live    *storage.BucketAttrs
	update  storage.BucketAttrsToUpdate
}

// labels writes the labels that differ. Ours are among them: the first real change marks the bucket as held.
func (c *composer) labels(want map[string]string) {
	for key, value := range want {
		if had, ok := c.live.Labels[key]; !ok || had != value {
			c.update.SetLabel(key, value)
		}
	}
	for key := range c.live.Labels {
		if _, ok := want[key]; !ok {
			c.update.DeleteLabel(key)
		}
	}
}

// classes writes how objects are stored.
func (c *composer) classes() {
	if c.changes.Has("spec.storageClass") {
		c.update.StorageClass = string(c.want.StorageClass)
	}
	if c.changes.Has("spec.rpo") {
		c.update.RPO = rpos[c.want.RPO]
	}
	if c.changes.Has("spec.lifecycle") {
		c.update.Lifecycle = new(composeLifecycle(c.want.Lifecycle))
	}
	if c.changes.Has("spec.autoclass") {
		c.update.Autoclass = composeAutoclass(c.want.Autoclass)
	}
	if c.changes.Has("spec.versioning") {
		c.update.VersioningEnabled = orZero(orZero(c.want.Versioning).Enabled)
	}
}

// protection writes what keeps objects from being lost. The lock of the retention policy is a call of its own.
func (c *composer) protection() {
	if c.changes.Has("spec.softDeletePolicy") {
		c.update.SoftDeletePolicy = composeSoftDelete(c.want.SoftDeletePolicy)
	}
	if c.touches("spec.retentionPolicy", "retentionSeconds") {
		c.update.RetentionPolicy = composeRetention(c.want.RetentionPolicy)
	}
	if c.changes.Has("spec.defaultEventBasedHold") {
		c.update.DefaultEventBasedHold = orZero(c.want.DefaultEventBasedHold)
	}
}

// access writes who may read, and who pays for it.
func (c *composer) access() {
	if c.changes.Has("spec.uniformBucketLevelAccess") {
		c.update.UniformBucketLevelAccess = &storage.UniformBucketLevelAccess{Enabled: orZero(orZero(c.want.UniformBucketLevelAccess).Enabled)}
	}
	if c.changes.Has("spec.publicAccessPrevention") {
		c.update.PublicAccessPrevention = preventions[c.want.PublicAccessPrevention]
	}
	if c.changes.Has("spec.requesterPays") {
		c.update.RequesterPays = orZero(c.want.RequesterPays)
	}
}

// web writes how the bucket serves browsers, and where it logs that.
func (c *composer) web() {
	if c.changes.Has("spec.cors") {
		c.update.CORS = composeCORS(c.want.CORS)
	}
	if c.changes.Has("spec.website") {
		c.update.Website = composeWebsite(c.want.Website)
	}
	if c.changes.Has("spec.logging") {
		c.update.Logging = composeLogging(c.want.Logging, c.name)
	}
}

// encryption writes which keys are used.
func (c *composer) encryption() {
	want := orZero(c.want.Encryption)
	if c.touches("spec.encryption", "defaultKMSKeyName") {
		c.update.Encryption = &storage.BucketEncryption{DefaultKMSKeyName: want.DefaultKMSKeyName}
	}
	c.update.GoogleManagedEncryptionEnforcementConfig = c.restriction("googleManagedEncryptionEnforcementConfig",
		want.GoogleManagedEncryptionEnforcementConfig, c.live.GoogleManagedEncryptionEnforcementConfig)
	c.update.CustomerManagedEncryptionEnforcementConfig = c.restriction("customerManagedEncryptionEnforcementConfig",
		want.CustomerManagedEncryptionEnforcementConfig, c.live.CustomerManagedEncryptionEnforcementConfig)
	c.update.CustomerSuppliedEncryptionEnforcementConfig = c.restriction("customerSuppliedEncryptionEnforcementConfig",
		want.CustomerSuppliedEncryptionEnforcementConfig, c.live.CustomerSuppliedEncryptionEnforcementConfig)
}

// restriction writes a restriction that changes; nil for none. One that goes is lifted by saying so.
func (c *composer) restriction(
	field string, want *v1alpha1.EncryptionEnforcementConfig, live *storage.EncryptionEnforcementConfig,
) *storage.EncryptionEnforcementConfig {
	switch {
	case !c.touches("spec.encryption", field):
		return nil
	case want == nil && live != nil:
		return &storage.EncryptionEnforcementConfig{RestrictionMode: storage.NotRestricted}
	default:
		return composeRestriction(want)
	}
}

// touches says whether a field of a section changes, or the section as such.
func (c *composer) touches(section, field string) bool {
	return c.changes.Has(section+"."+field) || slices.Contains(c.changes.Paths(), section)
}

// composeSoftDelete writes none as off.
func composeSoftDelete(s *v1alpha1.SoftDeletePolicy) *storage.SoftDeletePolicy {
	return &storage.SoftDeletePolicy{RetentionDuration: duration(orZero(s).RetentionSeconds)}
}

// composeRetention writes none as a period of 0, by which the library removes the policy.
func composeRetention(p *v1alpha1.RetentionPolicy) *storage.RetentionPolicy {
	return &storage.RetentionPolicy{RetentionPeriod: duration(orZero(p).RetentionSeconds)}
}

// composeAutoclass writes a terminal class only with Autoclass enabled, as Google wants it.
func composeAutoclass(a *v1alpha1.Autoclass) *storage.Autoclass {
	if !orZero(orZero(a).Enabled) {
		return &storage.Autoclass{}
	}
	return &storage.Autoclass{Enabled: true, TerminalStorageClass: string(a.TerminalStorageClass)}
}

// composeCORS is never nil: an empty list takes all rules away.
func composeCORS(rules []v1alpha1.CORS) []storage.CORS {
	out := make([]storage.CORS, 0, len(rules))
	for _, r := range rules {
		out = append(out, storage.CORS{Origins: r.Origin, Methods: r.Method, ResponseHeaders: r.ResponseHeader, MaxAge: duration(r.MaxAgeSeconds)})
	}
	return out
}

// composeWebsite writes none as empty, by which the library removes it.
func composeWebsite(w *v1alpha1.Website) *storage.BucketWebsite {
	return &storage.BucketWebsite{MainPageSuffix: orZero(w).MainPageSuffix, NotFoundPage: orZero(w).NotFoundPage}
}

// composeLogging writes none as empty, by which the library removes it, and Google's default prefix as what it is.
func composeLogging(l *v1alpha1.Logging, name string) *storage.BucketLogging {
	if orZero(l).LogBucket == "" {
		return &storage.BucketLogging{}
	}
	out := &storage.BucketLogging{LogBucket: l.LogBucket, LogObjectPrefix: l.LogObjectPrefix}
	if out.LogObjectPrefix == "" {
		out.LogObjectPrefix = name
	}
	return out
}

func composeRestriction(c *v1alpha1.EncryptionEnforcementConfig) *storage.EncryptionEnforcementConfig {
	if c == nil {
		return nil
	}
	return &storage.EncryptionEnforcementConfig{RestrictionMode: storage.RestrictionMode(c.RestrictionMode)}
}

var rpos = map[v1alpha1.RPO]storage.RPO{
	v1alpha1.RPODefault:    storage.RPODefault,
	v1alpha1.RPOAsyncTurbo: storage.RPOAsyncTurbo,
}

var preventions = map[v1alpha1.PublicAccessPrevention]storage.PublicAccessPrevention{
	v1alpha1.PublicAccessPreventionInherited: storage.PublicAccessPreventionInherited,
	v1alpha1.PublicAccessPreventionEnforced:  storage.PublicAccessPreventionEnforced,
}

// duration turns seconds into what the library takes; nil is 0.
func duration(seconds *int64) time.Duration {
	return time.Duration(orZero(seconds)) * time.Second
}

func upper(list []string) []string {
	out := slices.Clone(list)
	for i, s := range out {
		out[i] = strings.ToUpper(s)
	}
	return out
}
