package bucket

import (
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// drawSpec draws any spec that the API server would accept. With fixed, what cannot change later is as there.
func drawSpec(t *rapid.T, fixed *v1alpha1.BucketSpec) v1alpha1.BucketSpec {
	spec := v1alpha1.BucketSpec{
		Labels:                 maybe(t, "labels", drawLabels),
		Versioning:             maybe(t, "versioning", func(t *rapid.T) *v1alpha1.Versioning { return &v1alpha1.Versioning{Enabled: drawBool(t)} }),
		Lifecycle:              maybe(t, "lifecycle", drawLifecycle),
		SoftDeletePolicy:       maybe(t, "softDeletePolicy", drawSoftDelete),
		RetentionPolicy:        maybe(t, "retentionPolicy", drawRetention),
		Autoclass:              maybe(t, "autoclass", drawAutoclass),
		RPO:                    rapid.SampledFrom([]v1alpha1.RPO{"", v1alpha1.RPODefault}).Draw(t, "rpo"),
		PublicAccessPrevention: rapid.SampledFrom([]v1alpha1.PublicAccessPrevention{"", v1alpha1.PublicAccessPreventionInherited, v1alpha1.PublicAccessPreventionEnforced}).Draw(t, "publicAccessPrevention"),
		IPFilter:               maybe(t, "ipFilter", drawIPFilter),
		CORS:                   maybe(t, "cors", func(t *rapid.T) []v1alpha1.CORS { return rapid.SliceOfN(rapid.Custom(drawCORS), 0, 3).Draw(t, "rules") }),
		Website:                maybe(t, "website", drawWebsite),
		Logging:                maybe(t, "logging", drawLogging),
		Encryption:             maybe(t, "encryption", drawEncryption),
		RequesterPays:          maybe(t, "requesterPays", drawBool),
		DefaultEventBasedHold:  maybe(t, "defaultEventBasedHold", drawBool),
		UniformBucketLevelAccess: maybe(t, "uniformBucketLevelAccess", func(t *rapid.T) *v1alpha1.UniformBucketLevelAccess {
			return &v1alpha1.UniformBucketLevelAccess{Enabled: drawBool(t)}
		}),
	}
	if spec.Autoclass == nil || !*spec.Autoclass.Enabled {
		spec.StorageClass = rapid.SampledFrom([]v1alpha1.StorageClass{"", "STANDARD", "NEARLINE", "ARCHIVE", "REGIONAL"}).Draw(t, "storageClass")
	}
	if fixed == nil {
		drawFixed(t, &spec)
		return spec
	}
	spec.Location, spec.CustomPlacementConfig = fixed.Location, fixed.CustomPlacementConfig
	spec.HierarchicalNamespace, spec.ObjectRetention = fixed.HierarchicalNamespace, fixed.ObjectRetention
	return spec
}

// drawFixed draws what cannot change after creation.
func drawFixed(t *rapid.T, spec *v1alpha1.BucketSpec) {
	spec.Location = rapid.SampledFrom([]string{"", "US", "eu", "EUR4", "europe-west3"}).Draw(t, "location")
	if spec.Location == "eu" && rapid.Bool().Draw(t, "custom placement") {
		spec.CustomPlacementConfig = &v1alpha1.CustomPlacementConfig{DataLocations: []string{"europe-west4", "EUROPE-WEST1"}}
	}
	spec.HierarchicalNamespace = maybe(t, "hierarchicalNamespace", func(t *rapid.T) *v1alpha1.HierarchicalNamespace {
		return &v1alpha1.HierarchicalNamespace{Enabled: drawBool(t)}
	})
	spec.ObjectRetention = maybe(t, "objectRetention", func(*rapid.T) *v1alpha1.ObjectRetention { return &v1alpha1.ObjectRetention{Mode: "Enabled"} })
}

// maybe draws a value, or none.
func maybe[T any](t *rapid.T, label string, draw func(*rapid.T) T) T {
	var none T
	if !rapid.Bool().Draw(t, label+" is set") {
		return none
	}
	return draw(t)
}

func drawBool(t *rapid.T) *bool { return new(rapid.Bool().Draw(t, "flag")) }

func drawLabels(t *rapid.T) v1alpha1.Labels {
	return rapid.MapOfN(rapid.StringMatching(`[a-f][a-z0-9_-]{0,10}`), rapid.Custom(func(t *rapid.T) v1alpha1.LabelValue {
		return v1alpha1.LabelValue(rapid.StringMatching(`[a-z0-9_-]{0,10}`).Draw(t, "value"))
	}), 0, 4).Draw(t, "labels")
}

func drawSoftDelete(t *rapid.T) *v1alpha1.SoftDeletePolicy {
	return &v1alpha1.SoftDeletePolicy{RetentionSeconds: new(rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(604800, 7776000)).Draw(t, "seconds"))}
}

func drawRetention(t *rapid.T) *v1alpha1.RetentionPolicy {
	if rapid.Bool().Draw(t, "no policy") {
		return &v1alpha1.RetentionPolicy{}
	}
	return &v1alpha1.RetentionPolicy{
		RetentionSeconds: new(rapid.Int64Range(1, 3155760000).Draw(t, "seconds")),
		Locked:           rapid.SampledFrom([]*bool{nil, new(false)}).Draw(t, "locked"),
	}
}

func drawAutoclass(t *rapid.T) *v1alpha1.Autoclass {
	if rapid.Bool().Draw(t, "off") {
		return &v1alpha1.Autoclass{Enabled: new(false)}
	}
	return &v1alpha1.Autoclass{Enabled: new(true), TerminalStorageClass: rapid.SampledFrom([]v1alpha1.TerminalStorageClass{"", "NEARLINE", "ARCHIVE"}).Draw(t, "terminal")}
}

func drawLifecycle(t *rapid.T) *v1alpha1.Lifecycle {
	return &v1alpha1.Lifecycle{Rules: rapid.SampledFrom([][]v1alpha1.LifecycleRule{nil, {}, rapid.SliceOfN(rapid.Custom(drawRule), 1, 3).Draw(t, "rules")}).Draw(t, "which")}
}

func drawRule(t *rapid.T) v1alpha1.LifecycleRule {
	days := func(label string) *int64 {
		return maybe(t, label, func(t *rapid.T) *int64 { return new(rapid.Int64Range(0, 2147483647).Draw(t, label)) })
	}
	bytes := func(label string) *int64 {
		return maybe(t, label, func(t *rapid.T) *int64 { return new(rapid.Int64Min(0).Draw(t, label)) })
	}
	date := func(label string) string {
		return rapid.SampledFrom([]string{"", "2026-01-31", "1999-12-31"}).Draw(t, label)
	}
	names := func(label string) []string {
		return maybe(t, label, func(t *rapid.T) []string { return rapid.SliceOfN(rapid.StringMatching(`.{1,5}`), 1, 3).Draw(t, label) })
	}
	rule := v1alpha1.LifecycleRule{Condition: v1alpha1.LifecycleCondition{
		Age: days("age"), MatchesPrefix: names("prefix"), MatchesSuffix: names("suffix"),
	}}
	if rule.Action.Type = rapid.SampledFrom([]v1alpha1.LifecycleActionType{
		v1alpha1.LifecycleDelete, v1alpha1.LifecycleSetStorageClass, v1alpha1.LifecycleAbortIncompleteMultipartUpload,
	}).Draw(t, "action"); rule.Action.Type == v1alpha1.LifecycleAbortIncompleteMultipartUpload {
		return rule
	}
	if rule.Action.Type == v1alpha1.LifecycleSetStorageClass {
		rule.Action.StorageClass = v1alpha1.StorageClassColdline
	}
	c := &rule.Condition
	c.CreatedBefore, c.CustomTimeBefore, c.NoncurrentTimeBefore = date("createdBefore"), date("customTimeBefore"), date("noncurrentTimeBefore")
	c.DaysSinceCustomTime, c.DaysSinceNoncurrentTime, c.NumNewerVersions = days("custom"), days("noncurrent"), days("newer")
	c.SizeAboveBytes, c.SizeBelowBytes = bytes("above"), bytes("below")
	c.MatchesPattern = rapid.SampledFrom([]string{"", "^tmp/"}).Draw(t, "pattern")
	c.WithState = rapid.SampledFrom([]v1alpha1.LifecycleState{"", v1alpha1.LifecycleLive, v1alpha1.LifecycleArchived, v1alpha1.LifecycleAny}).Draw(t, "state")
	c.MatchesStorageClass = maybe(t, "classes", func(*rapid.T) []v1alpha1.StorageClass { return []v1alpha1.StorageClass{"ARCHIVE", "NEARLINE"} })
	return rule
}

func drawIPFilter(t *rapid.T) *v1alpha1.IPFilter {
	ranges := func(t *rapid.T) []v1alpha1.IPCIDRRange {
		return rapid.SampledFrom([][]v1alpha1.IPCIDRRange{{"192.0.2.0/24"}, {"2001:DB8::/32", "10.0.0.0/8"}}).Draw(t, "ranges")
	}
	network := func(name string) v1alpha1.VPCNetworkSource {
		return v1alpha1.VPCNetworkSource{Network: "projects/p/global/networks/" + name, AllowedIPCIDRRanges: ranges(t)}
	}
	return &v1alpha1.IPFilter{
		Mode: rapid.SampledFrom([]v1alpha1.IPFilterMode{v1alpha1.IPFilterEnabled, v1alpha1.IPFilterDisabled}).Draw(t, "mode"),
		PublicNetworkSource: maybe(t, "publicNetworkSource", func(t *rapid.T) *v1alpha1.PublicNetworkSource {
			if rapid.Bool().Draw(t, "none") {
				return &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{}}
			}
			return &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: ranges(t)}
		}),
		VPCNetworkSources: rapid.SampledFrom([][]v1alpha1.VPCNetworkSource{
			nil, {}, {network("one")}, {network("two"), network("one")},
		}).Draw(t, "vpcNetworkSources"),
		AllowCrossOrgVPCs:          maybe(t, "allowCrossOrgVPCs", drawBool),
		AllowAllServiceAgentAccess: maybe(t, "allowAllServiceAgentAccess", drawBool),
	}
}

func drawCORS(t *rapid.T) v1alpha1.CORS {
	return v1alpha1.CORS{
		Origin:         maybe(t, "origin", func(*rapid.T) []string { return []string{"https://example.com", "*"} }),
		Method:         maybe(t, "method", func(*rapid.T) []string { return []string{"GET", "*"} }),
		ResponseHeader: maybe(t, "header", func(*rapid.T) []string { return []string{"Content-Type"} }),
		MaxAgeSeconds:  maybe(t, "age", func(t *rapid.T) *int64 { return new(rapid.Int64Range(0, 2147483647).Draw(t, "seconds")) }),
	}
}

func drawWebsite(t *rapid.T) *v1alpha1.Website {
	return &v1alpha1.Website{
		MainPageSuffix: rapid.SampledFrom([]string{"", "index.html"}).Draw(t, "mainPageSuffix"),
		NotFoundPage:   rapid.SampledFrom([]string{"", "404.html"}).Draw(t, "notFoundPage"),
	}
}

func drawLogging(t *rapid.T) *v1alpha1.Logging {
	if rapid.Bool().Draw(t, "none") {
		return &v1alpha1.Logging{}
	}
	return &v1alpha1.Logging{LogBucket: "audit", LogObjectPrefix: rapid.SampledFrom([]string{"", "some/prefix"}).Draw(t, "logObjectPrefix")}
}

func drawEncryption(t *rapid.T) *v1alpha1.BucketEncryption {
	restriction := func(label string) *v1alpha1.EncryptionEnforcementConfig {
		mode := rapid.SampledFrom([]v1alpha1.RestrictionMode{"", v1alpha1.RestrictionNone, v1alpha1.RestrictionFull}).Draw(t, label)
		if mode == "" {
			return nil
		}
		return &v1alpha1.EncryptionEnforcementConfig{RestrictionMode: mode}
	}
	return &v1alpha1.BucketEncryption{
		DefaultKMSKeyName:                           rapid.SampledFrom([]string{"", "projects/p/locations/us/keyRings/r/cryptoKeys/k"}).Draw(t, "key"),
		GoogleManagedEncryptionEnforcementConfig:    restriction("google managed"),
		CustomerManagedEncryptionEnforcementConfig:  restriction("customer managed"),
		CustomerSuppliedEncryptionEnforcementConfig: restriction("customer supplied"),
	}
}
