package bucket

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	raw "google.golang.org/api/storage/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// composeNew writes a new bucket. A switch that is off is left out: that is Google's default. Cloud Storage wants a location
// beside lifecycle rules; both are always sent.
func composeNew(ref kind.Ref, want *v1alpha1.BucketSpec) *raw.Bucket {
	bucket := &raw.Bucket{
		Name:                  ref.ID,
		Location:              cmp.Or(strings.ToUpper(want.Location), "US"),
		StorageClass:          string(want.StorageClass),
		Labels:                ref.Labels(want.Labels, nil),
		Lifecycle:             composeLifecycle(want.Lifecycle),
		Rpo:                   string(want.RPO),
		DefaultEventBasedHold: orZero(want.DefaultEventBasedHold),
		Cors:                  composeCORS(want.CORS),
	}
	if p := want.CustomPlacementConfig; p != nil {
		bucket.CustomPlacementConfig = &raw.BucketCustomPlacementConfig{DataLocations: upper(p.DataLocations)}
	}
	if orZero(orZero(want.HierarchicalNamespace).Enabled) {
		bucket.HierarchicalNamespace = &raw.BucketHierarchicalNamespace{Enabled: true}
	}
	if orZero(orZero(want.Versioning).Enabled) {
		bucket.Versioning = composeVersioning(want.Versioning)
	}
	if want.SoftDeletePolicy != nil {
		bucket.SoftDeletePolicy = composeSoftDelete(want.SoftDeletePolicy)
	}
	bucket.RetentionPolicy = composeRetention(want.RetentionPolicy)
	if orZero(orZero(want.Autoclass).Enabled) {
		bucket.Autoclass = composeAutoclass(want.Autoclass)
	}
	if orZero(orZero(want.UniformBucketLevelAccess).Enabled) {
		at(&bucket.IamConfiguration).UniformBucketLevelAccess = composeUniformAccess(want.UniformBucketLevelAccess)
	}
	if want.PublicAccessPrevention != "" {
		at(&bucket.IamConfiguration).PublicAccessPrevention = string(want.PublicAccessPrevention)
	}
	bucket.IpFilter = composeNewIPFilter(want.IPFilter)
	if orZero(want.RequesterPays) {
		bucket.Billing = composeBilling(want.RequesterPays)
	}
	bucket.Website = composeWebsite(want.Website)
	bucket.Logging = composeLogging(want.Logging, ref.ID)
	if e := orZero(want.Encryption); e != (v1alpha1.BucketEncryption{}) {
		bucket.Encryption = &raw.BucketEncryption{
			DefaultKmsKeyName:                           e.DefaultKMSKeyName,
			GoogleManagedEncryptionEnforcementConfig:    composeRestriction(e.GoogleManagedEncryptionEnforcementConfig),
			CustomerManagedEncryptionEnforcementConfig:  (*customerManaged)(composeRestriction(e.CustomerManagedEncryptionEnforcementConfig)),
			CustomerSuppliedEncryptionEnforcementConfig: (*customerSupplied)(composeRestriction(e.CustomerSuppliedEncryptionEnforcementConfig)),
		}
	}
	return bucket
}

// composePatch writes what changes, and nothing else.
func composePatch(ref kind.Ref, want *v1alpha1.BucketSpec, changes diff.Changes, live *Live) *raw.Bucket {
	c := composer{name: ref.ID, want: want, changes: changes, live: live, patch: &raw.Bucket{}}
	c.labels(ref.Labels(want.Labels, live.Labels))
	c.classes()
	c.protection()
	c.access()
	c.web()
	c.encryption()
	return c.patch
}

type composer struct {
	name    string
	want    *v1alpha1.BucketSpec
	changes diff.Changes
	live    *Live
	patch   *raw.Bucket
}

// clear takes a field of the bucket away.
func (c *composer) clear(field string) {
	c.patch.NullFields = append(c.patch.NullFields, field)
}

// force sends a field of the bucket even if it is false or empty.
func (c *composer) force(field string) {
	c.patch.ForceSendFields = append(c.patch.ForceSendFields, field)
}

// labels writes the labels that differ. Ours are among them: the first real change marks the bucket as ours.
func (c *composer) labels(want map[string]string) {
	changed := maps.Clone(want)
	maps.DeleteFunc(changed, func(key, value string) bool {
		had, ok := c.live.Labels[key]
		return ok && had == value
	})
	if len(changed) > 0 {
		c.patch.Labels = changed
	}
	for key := range c.live.Labels {
		if _, ok := want[key]; !ok {
			c.clear("Labels." + key)
			c.force("Labels")
		}
	}
}

// classes writes how objects are stored.
func (c *composer) classes() {
	if c.changes.Has("spec.storageClass") {
		c.patch.StorageClass = string(c.want.StorageClass)
	}
	if c.changes.Has("spec.rpo") {
		c.patch.Rpo = string(c.want.RPO)
	}
	if c.changes.Has("spec.lifecycle") {
		c.patch.Lifecycle = composeLifecycle(c.want.Lifecycle)
	}
	if c.changes.Has("spec.autoclass") {
		c.patch.Autoclass = composeAutoclass(c.want.Autoclass)
	}
	if c.changes.Has("spec.versioning") {
		c.patch.Versioning = composeVersioning(c.want.Versioning)
	}
}

// protection writes what keeps objects from being lost. The lock of the retention policy is a call of its own.
func (c *composer) protection() {
	if c.changes.Has("spec.softDeletePolicy") {
		c.patch.SoftDeletePolicy = composeSoftDelete(c.want.SoftDeletePolicy)
	}
	if c.touches("spec.retentionPolicy", "retentionSeconds") {
		if c.patch.RetentionPolicy = composeRetention(c.want.RetentionPolicy); c.patch.RetentionPolicy == nil {
			c.clear("RetentionPolicy")
		}
	}
	if c.changes.Has("spec.defaultEventBasedHold") {
		c.patch.DefaultEventBasedHold = orZero(c.want.DefaultEventBasedHold)
		c.force("DefaultEventBasedHold")
	}
}

// access writes who may read, from where, and who pays for it.
func (c *composer) access() {
	if c.changes.Has("spec.uniformBucketLevelAccess") {
		at(&c.patch.IamConfiguration).UniformBucketLevelAccess = composeUniformAccess(c.want.UniformBucketLevelAccess)
	}
	if c.changes.Has("spec.publicAccessPrevention") {
		at(&c.patch.IamConfiguration).PublicAccessPrevention = string(c.want.PublicAccessPrevention)
	}
	if c.changes.Has("spec.ipFilter") {
		c.patch.IpFilter = composeIPFilter(c.want.IPFilter)
	}
	if c.changes.Has("spec.requesterPays") {
		c.patch.Billing = composeBilling(c.want.RequesterPays)
	}
}

// web writes how the bucket serves browsers, and where it logs that.
func (c *composer) web() {
	if c.changes.Has("spec.cors") {
		c.patch.Cors = composeCORS(c.want.CORS)
		c.force("Cors")
	}
	if c.changes.Has("spec.website") {
		c.website()
	}
	if c.changes.Has("spec.logging") {
		if c.patch.Logging = composeLogging(c.want.Logging, c.name); c.patch.Logging == nil {
			c.clear("Logging")
		}
	}
}

// website writes the web site, and clears the page that goes while the other stays.
func (c *composer) website() {
	site := composeWebsite(c.want.Website)
	if site == nil {
		c.clear("Website")
		return
	}
	if site.MainPageSuffix == "" && c.live.Website.MainPageSuffix != "" {
		site.NullFields = append(site.NullFields, "MainPageSuffix")
	}
	if site.NotFoundPage == "" && c.live.Website.NotFoundPage != "" {
		site.NullFields = append(site.NullFields, "NotFoundPage")
	}
	c.patch.Website = site
}

// encryption writes which keys are used.
func (c *composer) encryption() {
	want := orZero(c.want.Encryption)
	if c.touches("spec.encryption", "defaultKMSKeyName") {
		encryption := at(&c.patch.Encryption)
		if encryption.DefaultKmsKeyName = want.DefaultKMSKeyName; want.DefaultKMSKeyName == "" {
			encryption.NullFields = append(encryption.NullFields, "DefaultKmsKeyName")
		}
	}
	if r := c.restriction("googleManagedEncryptionEnforcementConfig",
		want.GoogleManagedEncryptionEnforcementConfig, c.live.Encryption.GoogleManagedEncryptionEnforcementConfig); r != nil {
		at(&c.patch.Encryption).GoogleManagedEncryptionEnforcementConfig = r
	}
	if r := c.restriction("customerManagedEncryptionEnforcementConfig",
		want.CustomerManagedEncryptionEnforcementConfig, c.live.Encryption.CustomerManagedEncryptionEnforcementConfig); r != nil {
		at(&c.patch.Encryption).CustomerManagedEncryptionEnforcementConfig = (*customerManaged)(r)
	}
	if r := c.restriction("customerSuppliedEncryptionEnforcementConfig",
		want.CustomerSuppliedEncryptionEnforcementConfig, c.live.Encryption.CustomerSuppliedEncryptionEnforcementConfig); r != nil {
		at(&c.patch.Encryption).CustomerSuppliedEncryptionEnforcementConfig = (*customerSupplied)(r)
	}
}

// restriction writes a restriction that changes; nil for none. One that goes is lifted by saying so.
func (c *composer) restriction(field string, want *v1alpha1.EncryptionEnforcementConfig, live Restriction) *googleManaged {
	switch {
	case !c.touches("spec.encryption", field):
		return nil
	case want == nil && live != (Restriction{}):
		return &googleManaged{RestrictionMode: string(v1alpha1.RestrictionNone)}
	default:
		return composeRestriction(want)
	}
}

// touches says whether a field of a section changes, or the section as such.
func (c *composer) touches(section, field string) bool {
	return c.changes.Has(section+"."+field) || slices.Contains(c.changes.Paths(), section)
}

func composeVersioning(v *v1alpha1.Versioning) *raw.BucketVersioning {
	return &raw.BucketVersioning{Enabled: orZero(orZero(v).Enabled), ForceSendFields: []string{"Enabled"}}
}

// composeSoftDelete writes none as off.
func composeSoftDelete(s *v1alpha1.SoftDeletePolicy) *raw.BucketSoftDeletePolicy {
	return &raw.BucketSoftDeletePolicy{
		RetentionDurationSeconds: orZero(orZero(s).RetentionSeconds), ForceSendFields: []string{"RetentionDurationSeconds"},
	}
}

// composeRetention is nil for no policy.
func composeRetention(p *v1alpha1.RetentionPolicy) *raw.BucketRetentionPolicy {
	if orZero(p).RetentionSeconds == nil {
		return nil
	}
	return &raw.BucketRetentionPolicy{RetentionPeriod: *p.RetentionSeconds}
}

// composeAutoclass writes a terminal class only with Autoclass enabled, as Google wants it.
func composeAutoclass(a *v1alpha1.Autoclass) *raw.BucketAutoclass {
	out := &raw.BucketAutoclass{Enabled: orZero(orZero(a).Enabled), ForceSendFields: []string{"Enabled"}}
	if out.Enabled {
		out.TerminalStorageClass = string(a.TerminalStorageClass)
	}
	return out
}

func composeUniformAccess(u *v1alpha1.UniformBucketLevelAccess) *raw.BucketIamConfigurationUniformBucketLevelAccess {
	return &raw.BucketIamConfigurationUniformBucketLevelAccess{Enabled: orZero(orZero(u).Enabled), ForceSendFields: []string{"Enabled"}}
}

func composeBilling(requesterPays *bool) *raw.BucketBilling {
	return &raw.BucketBilling{RequesterPays: orZero(requesterPays), ForceSendFields: []string{"RequesterPays"}}
}

// composeCORS is never nil: an empty list takes all rules away.
func composeCORS(rules []v1alpha1.CORS) []*raw.BucketCors {
	out := make([]*raw.BucketCors, 0, len(rules))
	for _, r := range rules {
		rule := &raw.BucketCors{Origin: r.Origin, Method: r.Method, ResponseHeader: r.ResponseHeader, MaxAgeSeconds: orZero(r.MaxAgeSeconds)}
		if r.MaxAgeSeconds != nil {
			rule.ForceSendFields = []string{"MaxAgeSeconds"}
		}
		out = append(out, rule)
	}
	return out
}

// composeWebsite is nil for no web site.
func composeWebsite(w *v1alpha1.Website) *raw.BucketWebsite {
	if orZero(w) == (v1alpha1.Website{}) {
		return nil
	}
	return &raw.BucketWebsite{MainPageSuffix: w.MainPageSuffix, NotFoundPage: w.NotFoundPage}
}

// composeLogging is nil for no logging, and writes Google's default prefix as what it is.
func composeLogging(l *v1alpha1.Logging, name string) *raw.BucketLogging {
	if orZero(l).LogBucket == "" {
		return nil
	}
	return &raw.BucketLogging{LogBucket: l.LogBucket, LogObjectPrefix: cmp.Or(l.LogObjectPrefix, name)}
}

// The library has a type for each sort of keys, all alike.
type (
	googleManaged    = raw.BucketEncryptionGoogleManagedEncryptionEnforcementConfig
	customerManaged  = raw.BucketEncryptionCustomerManagedEncryptionEnforcementConfig
	customerSupplied = raw.BucketEncryptionCustomerSuppliedEncryptionEnforcementConfig
)

func composeRestriction(c *v1alpha1.EncryptionEnforcementConfig) *googleManaged {
	if c == nil {
		return nil
	}
	return &googleManaged{RestrictionMode: string(c.RestrictionMode)}
}

// at is the section that section points to, made if there is none yet.
func at[T any](section **T) *T {
	if *section == nil {
		*section = new(T)
	}
	return *section
}

func upper(list []string) []string {
	out := slices.Clone(list)
	for i, s := range out {
		out[i] = strings.ToUpper(s)
	}
	return out
}
