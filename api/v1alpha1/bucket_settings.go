package v1alpha1

// StorageClass is a storage class; the last three are legacy and no longer offered for new buckets.
// +kubebuilder:validation:Enum=STANDARD;NEARLINE;COLDLINE;ARCHIVE;MULTI_REGIONAL;REGIONAL;DURABLE_REDUCED_AVAILABILITY
type StorageClass string

// The storage classes that Google offers for new buckets.
const (
	StorageClassStandard StorageClass = "STANDARD"
	StorageClassNearline StorageClass = "NEARLINE"
	StorageClassColdline StorageClass = "COLDLINE"
	StorageClassArchive  StorageClass = "ARCHIVE"
)

// CustomPlacementConfig makes a bucket a dual-region of two regions of your choice.
type CustomPlacementConfig struct {
	// dataLocations are the two regions, such as EUROPE-WEST1 and EUROPE-WEST4, in upper or lower case and any order.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=2
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[A-Za-z]+-[A-Za-z]+[0-9]+$`
	DataLocations []string `json:"dataLocations,omitempty"`
}

// Versioning keeps noncurrent versions of objects.
type Versioning struct {
	// enabled says whether noncurrent versions are kept.
	// +required
	Enabled *bool `json:"enabled,omitempty"`
}

// SoftDeletePolicy keeps deleted objects for a while.
type SoftDeletePolicy struct {
	// retentionSeconds is how long deleted objects are kept, in seconds: 0 (off), or 604800 (7 days) to 7776000 (90 days).
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=7776000
	// +kubebuilder:validation:XValidation:rule="self == 0 || self >= 604800",message="spec.softDeletePolicy.retentionSeconds must be 0 (off) or from 604800 (7 days) to 7776000 (90 days)"
	RetentionSeconds *int64 `json:"retentionSeconds,omitempty"`
}

// RetentionPolicy forbids deleting and replacing objects that are younger than a given age.
//
// +kubebuilder:validation:XValidation:rule="!has(self.locked) || has(self.retentionSeconds)",message="spec.retentionPolicy.locked needs spec.retentionPolicy.retentionSeconds"
type RetentionPolicy struct {
	// retentionSeconds is the age, in seconds, that an object must reach before it may be deleted; at most 3155760000 (100 years).
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3155760000
	RetentionSeconds *int64 `json:"retentionSeconds,omitempty"`

	// locked locks the policy permanently: after that it can only be made longer, and the bucket cannot be deleted before all of
	// its objects can. Locking waits for approval.
	// +optional
	Locked *bool `json:"locked,omitempty"`
}

// ObjectRetention allows each object to have a retention of its own.
type ObjectRetention struct {
	// mode is Enabled, the only mode.
	// +required
	// +kubebuilder:validation:Enum=Enabled
	Mode string `json:"mode,omitempty"`
}

// Autoclass moves objects between storage classes according to how often they are read.
//
// +kubebuilder:validation:XValidation:rule="self.enabled || !has(self.terminalStorageClass)",message="spec.autoclass.terminalStorageClass needs spec.autoclass.enabled to be true"
type Autoclass struct {
	// enabled says whether Autoclass is on.
	// +required
	Enabled *bool `json:"enabled,omitempty"`

	// terminalStorageClass is the class that objects end up in if nobody reads them. Google's default: NEARLINE.
	// +optional
	TerminalStorageClass TerminalStorageClass `json:"terminalStorageClass,omitempty"`
}

// TerminalStorageClass is a class that Autoclass may let objects end up in.
// +kubebuilder:validation:Enum=NEARLINE;ARCHIVE
type TerminalStorageClass string

// RPO is the recovery point objective of a bucket in more than one region.
// +kubebuilder:validation:Enum=DEFAULT;ASYNC_TURBO
type RPO string

// The values of RPO.
const (
	// RPODefault replicates without a guarantee of how soon.
	RPODefault RPO = "DEFAULT"
	// RPOAsyncTurbo replicates within 15 minutes; dual-regions only.
	RPOAsyncTurbo RPO = "ASYNC_TURBO"
)

// HierarchicalNamespace gives a bucket folders.
type HierarchicalNamespace struct {
	// enabled says whether the bucket has folders.
	// +required
	Enabled *bool `json:"enabled,omitempty"`
}

// UniformBucketLevelAccess makes IAM the only access control.
type UniformBucketLevelAccess struct {
	// enabled says whether access control lists are off.
	// +required
	Enabled *bool `json:"enabled,omitempty"`
}

// PublicAccessPrevention says whether public access is forbidden.
// +kubebuilder:validation:Enum=inherited;enforced
type PublicAccessPrevention string

// The values of PublicAccessPrevention.
const (
	// PublicAccessPreventionInherited leaves the decision to the organization's policy.
	PublicAccessPreventionInherited PublicAccessPrevention = "inherited"
	// PublicAccessPreventionEnforced forbids public access.
	PublicAccessPreventionEnforced PublicAccessPrevention = "enforced"
)

// IPFilter restricts from where a bucket can be used.
//
// +kubebuilder:validation:XValidation:rule="(has(self.publicNetworkSource) ? size(self.publicNetworkSource.allowedIPCIDRRanges) : 0) + (has(self.vpcNetworkSources) ? self.vpcNetworkSources.map(v, size(v.allowedIPCIDRRanges)).sum() : 0) <= 200",message="spec.ipFilter has more than 200 ranges; Google allows 200 in all networks together"
type IPFilter struct {
	// mode says whether the filter is applied: Enabled, or Disabled (Google's default), which keeps the rest of it for later. An enabled
	// filter refuses every request that comes from none of its sources.
	// +required
	Mode IPFilterMode `json:"mode,omitempty"`

	// publicNetworkSource lists the addresses on the internet that are let in.
	// +optional
	PublicNetworkSource *PublicNetworkSource `json:"publicNetworkSource,omitempty"`

	// vpcNetworkSources list the addresses in VPC networks that are let in. An explicit [] is none.
	// +optional
	// +listType=map
	// +listMapKey=network
	// +kubebuilder:validation:MaxItems=25
	VPCNetworkSources []VPCNetworkSource `json:"vpcNetworkSources,omitzero"`

	// allowCrossOrgVPCs allows vpcNetworkSources of other organizations; Google does not check then whether the networks exist. Google's
	// default: false.
	// +optional
	AllowCrossOrgVPCs *bool `json:"allowCrossOrgVPCs,omitempty"`

	// allowAllServiceAgentAccess lets Google's service agents in from anywhere. Google's default: false.
	// +optional
	AllowAllServiceAgentAccess *bool `json:"allowAllServiceAgentAccess,omitempty"`
}

// IPFilterMode says whether an IP filter is applied.
// +kubebuilder:validation:Enum=Enabled;Disabled
type IPFilterMode string

// The values of IPFilterMode.
const (
	// IPFilterEnabled refuses what comes from elsewhere.
	IPFilterEnabled IPFilterMode = "Enabled"
	// IPFilterDisabled refuses nothing.
	IPFilterDisabled IPFilterMode = "Disabled"
)

// PublicNetworkSource lists addresses on the internet.
type PublicNetworkSource struct {
	// allowedIPCIDRRanges are the ranges of IPv4 and IPv6 addresses, such as 192.0.2.0/24 and 2001:db8::/32, in any order. [] is none.
	// +required
	// +listType=set
	// +kubebuilder:validation:MaxItems=200
	AllowedIPCIDRRanges []IPCIDRRange `json:"allowedIPCIDRRanges,omitzero"`
}

// VPCNetworkSource lists addresses in a VPC network.
type VPCNetworkSource struct {
	// network is the network: projects/P/global/networks/N.
	// +required
	// +kubebuilder:validation:MaxLength=160
	// +kubebuilder:validation:Pattern=`^projects/[^/]+/global/networks/[^/]+$`
	Network string `json:"network,omitempty"`

	// allowedIPCIDRRanges are the ranges of IPv4 and IPv6 addresses, such as 10.0.0.0/8, in any order; 0.0.0.0/0 is all of the network.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=200
	AllowedIPCIDRRanges []IPCIDRRange `json:"allowedIPCIDRRanges,omitempty"`
}

// IPCIDRRange is a range of IPv4 or IPv6 addresses, such as 192.0.2.0/24.
// +kubebuilder:validation:MaxLength=43
// +kubebuilder:validation:Format=cidr
// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,3}[.]){3}[0-9]{1,3}/([0-9]|[12][0-9]|3[0-2])$') || [0, 1, 2, 3].all(i, int(self.split('/')[0].split('.')[i]) % [1, 2, 4, 8, 16, 32, 64, 128, 256][int(self.split('/')[1]) <= 8 * i ? 8 : int(self.split('/')[1]) >= 8 * i + 8 ? 0 : 8 * i + 8 - int(self.split('/')[1])] == 0)",message="a range must begin with its first address: 192.0.2.0/24, not 192.0.2.1/24"
type IPCIDRRange string

// CORS is a rule for cross-origin resource sharing.
type CORS struct {
	// origin lists the origins, such as https://example.com; * is any.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=512
	Origin []string `json:"origin,omitempty"`

	// method lists the HTTP methods, such as GET; * is any.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MaxLength=20
	// +kubebuilder:validation:items:Pattern=`^([A-Z]+|[*])$`
	Method []string `json:"method,omitempty"`

	// responseHeader lists the response headers, beyond the simple ones, that browsers may pass on.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	ResponseHeader []string `json:"responseHeader,omitempty"`

	// maxAgeSeconds is how long, in seconds, a browser may cache the response to a preflight request.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	MaxAgeSeconds *int64 `json:"maxAgeSeconds,omitempty"`
}

// Website says how a bucket serves a web site.
type Website struct {
	// mainPageSuffix is the object served for a directory, such as index.html.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	MainPageSuffix string `json:"mainPageSuffix,omitempty"`

	// notFoundPage is the object served when the requested one does not exist, such as 404.html.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	NotFoundPage string `json:"notFoundPage,omitempty"`
}

// Logging says where usage logs go.
//
// +kubebuilder:validation:XValidation:rule="has(self.logBucket) || !has(self.logObjectPrefix)",message="spec.logging.logObjectPrefix needs spec.logging.logBucket"
type Logging struct {
	// logBucket is the name of the bucket that receives the logs.
	// +optional
	// +kubebuilder:validation:MaxLength=222
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9._-]+[a-z0-9]$`
	LogBucket string `json:"logBucket,omitempty"`

	// logObjectPrefix is what the logs' names begin with. Google's default: the name of the bucket that is logged.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=900
	LogObjectPrefix string `json:"logObjectPrefix,omitempty"`
}

// BucketEncryption says which keys objects are encrypted with. An explicit {} is Google's own keys and no restriction.
type BucketEncryption struct {
	// defaultKMSKeyName is the Cloud KMS key of objects that are stored without one of their own, in the location of the bucket:
	// projects/P/locations/L/keyRings/R/cryptoKeys/K.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$`
	DefaultKMSKeyName string `json:"defaultKMSKeyName,omitempty"`

	// googleManagedEncryptionEnforcementConfig restricts encryption with keys that Google manages.
	// +optional
	GoogleManagedEncryptionEnforcementConfig *EncryptionEnforcementConfig `json:"googleManagedEncryptionEnforcementConfig,omitempty"`

	// customerManagedEncryptionEnforcementConfig restricts encryption with keys in Cloud KMS.
	// +optional
	CustomerManagedEncryptionEnforcementConfig *EncryptionEnforcementConfig `json:"customerManagedEncryptionEnforcementConfig,omitempty"`

	// customerSuppliedEncryptionEnforcementConfig restricts encryption with keys that come with each request.
	// +optional
	CustomerSuppliedEncryptionEnforcementConfig *EncryptionEnforcementConfig `json:"customerSuppliedEncryptionEnforcementConfig,omitempty"`
}

// EncryptionEnforcementConfig restricts a way of encrypting new objects.
type EncryptionEnforcementConfig struct {
	// restrictionMode says whether new objects may be encrypted that way: NotRestricted (Google's default), FullyRestricted.
	// +required
	RestrictionMode RestrictionMode `json:"restrictionMode,omitempty"`
}

// RestrictionMode says whether a way of encrypting is forbidden.
// +kubebuilder:validation:Enum=NotRestricted;FullyRestricted
type RestrictionMode string

// The values of RestrictionMode.
const (
	// RestrictionNone forbids nothing.
	RestrictionNone RestrictionMode = "NotRestricted"
	// RestrictionFull forbids it for new objects.
	RestrictionFull RestrictionMode = "FullyRestricted"
)
