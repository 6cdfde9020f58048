package bucket

import (
	"encoding/json"
	"slices"
	"time"
)

// Live is a bucket as Google sent it: https://cloud.google.com/storage/docs/json_api/v1/buckets#resource
//
// What is a pointer can be absent, which is not the same as being 0.
type Live struct {
	Name           string            `json:"name"`
	SelfLink       string            `json:"selfLink"`
	ProjectNumber  uint64            `json:"projectNumber,string"`
	Metageneration int64             `json:"metageneration,string"`
	TimeCreated    time.Time         `json:"timeCreated"`
	Updated        time.Time         `json:"updated"`
	Labels         map[string]string `json:"labels"`

	Location              string    `json:"location"`
	LocationType          string    `json:"locationType"`
	CustomPlacementConfig Placement `json:"customPlacementConfig"`
	RPO                   string    `json:"rpo"`

	StorageClass          string          `json:"storageClass"`
	Autoclass             Autoclass       `json:"autoclass"`
	HierarchicalNamespace Switch          `json:"hierarchicalNamespace"`
	Versioning            Switch          `json:"versioning"`
	Lifecycle             Lifecycle       `json:"lifecycle"`
	ObjectRetention       ObjectRetention `json:"objectRetention"`
	SoftDeletePolicy      *SoftDelete     `json:"softDeletePolicy"`
	RetentionPolicy       Retention       `json:"retentionPolicy"`
	DefaultEventBasedHold bool            `json:"defaultEventBasedHold"`

	IAMConfiguration IAMConfiguration `json:"iamConfiguration"`
	Billing          Billing          `json:"billing"`
	CORS             []CORS           `json:"cors"`
	Website          Website          `json:"website"`
	Logging          Logging          `json:"logging"`
	Encryption       Encryption       `json:"encryption"`
	IPFilter         *IPFilter        `json:"ipFilter"`

	// Raw is the whole of it, with the fields that this type lacks.
	Raw json.RawMessage `json:"-"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *Live) UnmarshalJSON(text []byte) error {
	type fields Live // without this method
	if err := json.Unmarshal(text, (*fields)(l)); err != nil {
		return err
	}
	l.Raw = slices.Clone(text)
	return nil
}

// Placement is where a dual-region of one's choice has its data.
type Placement struct {
	DataLocations []string `json:"dataLocations"`
}

// Switch is what is on or off.
type Switch struct {
	Enabled bool `json:"enabled"`
}

// Autoclass is how objects move between storage classes.
type Autoclass struct {
	Enabled              bool   `json:"enabled"`
	TerminalStorageClass string `json:"terminalStorageClass"`
}

// Lifecycle are the lifecycle rules.
type Lifecycle struct {
	Rule []Rule `json:"rule"`
}

// Rule is a lifecycle rule.
type Rule struct {
	Action    Action    `json:"action"`
	Condition Condition `json:"condition"`
}

// Action is what a lifecycle rule does.
type Action struct {
	Type         string `json:"type"`
	StorageClass string `json:"storageClass"`
}

// Condition is when a lifecycle rule applies. Dates are like 2026-01-31.
type Condition struct {
	Age                     *int64   `json:"age"`
	CreatedBefore           string   `json:"createdBefore"`
	CustomTimeBefore        string   `json:"customTimeBefore"`
	DaysSinceCustomTime     *int64   `json:"daysSinceCustomTime"`
	DaysSinceNoncurrentTime *int64   `json:"daysSinceNoncurrentTime"`
	NoncurrentTimeBefore    string   `json:"noncurrentTimeBefore"`
	NumNewerVersions        *int64   `json:"numNewerVersions"`
	IsLive                  *bool    `json:"isLive"`
	MatchesPattern          string   `json:"matchesPattern"`
	MatchesPrefix           []string `json:"matchesPrefix"`
	MatchesSuffix           []string `json:"matchesSuffix"`
	MatchesStorageClass     []string `json:"matchesStorageClass"`
	SizeAboveBytes          *int64   `json:"sizeAboveBytes,string"`
	SizeBelowBytes          *int64   `json:"sizeBelowBytes,string"`
}

// ObjectRetention says whether objects may have a retention of their own.
type ObjectRetention struct {
	Mode string `json:"mode"`
}

// SoftDelete is for how long deleted objects are kept.
type SoftDelete struct {
	RetentionDurationSeconds int64 `json:"retentionDurationSeconds,string"`
}

// Retention is the retention policy; without a period there is none.
type Retention struct {
	RetentionPeriod int64 `json:"retentionPeriod,string"`
	IsLocked        bool  `json:"isLocked"`
}

// IAMConfiguration is how access is controlled.
type IAMConfiguration struct {
	PublicAccessPrevention   string        `json:"publicAccessPrevention"`
	UniformBucketLevelAccess UniformAccess `json:"uniformBucketLevelAccess"`
}

// UniformAccess says whether IAM is the only access control, and from when on for good.
type UniformAccess struct {
	Enabled    bool      `json:"enabled"`
	LockedTime time.Time `json:"lockedTime"`
}

// Billing is who pays.
type Billing struct {
	RequesterPays bool `json:"requesterPays"`
}

// CORS is a rule of cross-origin resource sharing.
type CORS struct {
	Origin         []string `json:"origin"`
	Method         []string `json:"method"`
	ResponseHeader []string `json:"responseHeader"`
	MaxAgeSeconds  *int64   `json:"maxAgeSeconds"`
}

// Website is how the bucket serves a web site.
type Website struct {
	MainPageSuffix string `json:"mainPageSuffix"`
	NotFoundPage   string `json:"notFoundPage"`
}

// Logging is where usage logs go.
type Logging struct {
	LogBucket       string `json:"logBucket"`
	LogObjectPrefix string `json:"logObjectPrefix"`
}

// Encryption is which keys are used.
type Encryption struct {
	DefaultKMSKeyName                           string      `json:"defaultKmsKeyName"`
	GoogleManagedEncryptionEnforcementConfig    Restriction `json:"googleManagedEncryptionEnforcementConfig"`
	CustomerManagedEncryptionEnforcementConfig  Restriction `json:"customerManagedEncryptionEnforcementConfig"`
	CustomerSuppliedEncryptionEnforcementConfig Restriction `json:"customerSuppliedEncryptionEnforcementConfig"`
}

// Restriction restricts a sort of keys.
type Restriction struct {
	RestrictionMode string `json:"restrictionMode"`
}

// IPFilter is from where the bucket can be used.
type IPFilter struct {
	Mode                       string             `json:"mode"`
	PublicNetworkSource        PublicNetwork      `json:"publicNetworkSource"`
	VPCNetworkSources          []VPCNetworkSource `json:"vpcNetworkSources"`
	AllowCrossOrgVPCs          bool               `json:"allowCrossOrgVpcs"`
	AllowAllServiceAgentAccess bool               `json:"allowAllServiceAgentAccess"`
}

// PublicNetwork are addresses on the internet.
type PublicNetwork struct {
	AllowedIPCIDRRanges []string `json:"allowedIpCidrRanges"`
}

// VPCNetworkSource are addresses in a VPC network.
type VPCNetworkSource struct {
	Network             string   `json:"network"`
	AllowedIPCIDRRanges []string `json:"allowedIpCidrRanges"`
}
