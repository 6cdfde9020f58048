package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Bucket is a Cloud Storage bucket.
//
// The rules here look beyond the spec: at the name, the status or the old object. They are split only by cost: the API server
// bounds what each may cost, whatever the object.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=gcsbucket,categories=gcp;holdfast
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Drifted",type=string,JSONPath=`.status.conditions[?(@.type=="Drifted")].status`
// +kubebuilder:printcolumn:name="Glass",type=string,JSONPath=`.status.conditions[?(@.type=="BreakGlass")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.status.project`,priority=1
// +kubebuilder:printcolumn:name="External-Name",type=string,JSONPath=`.status.externalName`,priority=1
// +kubebuilder:printcolumn:name="Broken-By",type=string,JSONPath=`.status.breakGlass.by`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
//
// The same for every kind:
// +kubebuilder:validation:XValidation:rule="(has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name) == (has(oldSelf.spec.resourceID) ? oldSelf.spec.resourceID : oldSelf.metadata.name)",message="spec.resourceID is immutable: create a new object for another resource"
// +kubebuilder:validation:XValidation:rule="has(self.spec.projectID) || !has(oldSelf.spec.projectID)",message="spec.projectID cannot be removed: create a new object for another project"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.projectID) || has(oldSelf.spec.projectID) || has(self.status.project) && self.status.project == self.spec.projectID",message="spec.projectID can be added only if it is the project that the object is bound to already (status.project): create a new object for another project"
//
// The name, by https://cloud.google.com/storage/docs/buckets#naming:
// +kubebuilder:validation:XValidation:rule="(has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name).matches('^[a-z0-9][a-z0-9._-]*[a-z0-9]$')",message="the bucket's name (spec.resourceID, or else metadata.name) must consist of lower-case letters, digits, -, _ and dots, and begin and end with a letter or digit: give spec.resourceID another value"
// +kubebuilder:validation:XValidation:rule="(has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name).matches('^([^.]{3,63}|[^.]{1,63}([.][^.]{1,63})+)$') && size(has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name) <= 222",message="the bucket's name (spec.resourceID, or else metadata.name) must have 3 to 63 characters, or with dots up to 222 and up to 63 between dots: give spec.resourceID another value"
// +kubebuilder:validation:XValidation:rule="!(has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name).matches('^(goog.*|.*(google|g00gle).*|[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+)$')",message="the bucket's name (spec.resourceID, or else metadata.name) must not begin with goog, contain google or be an IP address: give spec.resourceID another value"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.logging) || !has(self.spec.logging.logObjectPrefix) || self.spec.logging.logObjectPrefix != (has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name)",message="spec.logging.logObjectPrefix is the bucket's own name, which is Google's default: leave it out"
//
// What Google cannot change once the bucket exists:
// +kubebuilder:validation:XValidation:rule="has(self.spec.location) ? (has(oldSelf.spec.location) && self.spec.location.lowerAscii() == oldSelf.spec.location.lowerAscii()) || (has(self.status.location) && self.spec.location.lowerAscii() == self.status.location.lowerAscii()) : !has(oldSelf.spec.location)",message="spec.location is immutable: it cannot be changed or removed, and can be added only as it is in Google Cloud (status.location); create a new object for a bucket elsewhere"
// +kubebuilder:validation:XValidation:rule="has(self.spec.customPlacementConfig) ? (has(oldSelf.spec.customPlacementConfig) && self.spec.customPlacementConfig.dataLocations.all(l, oldSelf.spec.customPlacementConfig.dataLocations.exists(o, o.lowerAscii() == l.lowerAscii()))) || (has(self.status.dataLocations) && self.spec.customPlacementConfig.dataLocations.all(l, self.status.dataLocations.exists(o, o.lowerAscii() == l.lowerAscii()))) : !has(oldSelf.spec.customPlacementConfig)",message="spec.customPlacementConfig is immutable: it cannot be changed or removed, and can be added only as it is in Google Cloud (status.dataLocations); create a new object for a bucket elsewhere"
// +kubebuilder:validation:XValidation:rule="has(self.spec.hierarchicalNamespace) ? (has(oldSelf.spec.hierarchicalNamespace) && self.spec.hierarchicalNamespace.enabled == oldSelf.spec.hierarchicalNamespace.enabled) || (has(self.status.hierarchicalNamespace) && self.spec.hierarchicalNamespace.enabled == self.status.hierarchicalNamespace) : !has(oldSelf.spec.hierarchicalNamespace)",message="spec.hierarchicalNamespace is immutable: it cannot be changed or removed, and can be added only as it is in Google Cloud (status.hierarchicalNamespace); create a new object for another kind of bucket"
// +kubebuilder:validation:XValidation:rule="has(self.spec.objectRetention) ? has(oldSelf.spec.objectRetention) || (has(self.status.objectRetention) && self.status.objectRetention == self.spec.objectRetention.mode) : !has(oldSelf.spec.objectRetention)",message="spec.objectRetention is immutable: it cannot be removed, and can be added only as it is in Google Cloud (status.objectRetention); create a new object for another kind of bucket"
//
// What a lock forbids, unless it was only planned and the live bucket is known to be unlocked:
// +kubebuilder:validation:XValidation:rule="!(has(oldSelf.spec.retentionPolicy) && has(oldSelf.spec.retentionPolicy.locked) && oldSelf.spec.retentionPolicy.locked) || (has(self.status.retentionPolicyLocked) && !self.status.retentionPolicyLocked) || (has(self.spec.retentionPolicy) && has(self.spec.retentionPolicy.locked) && self.spec.retentionPolicy.locked)",message="spec.retentionPolicy is permanently locked: it cannot be removed or unlocked"
// +kubebuilder:validation:XValidation:rule="!(has(self.status.retentionPolicyLocked) && self.status.retentionPolicyLocked) || !has(self.spec.retentionPolicy) || !has(self.spec.retentionPolicy.locked) || self.spec.retentionPolicy.locked || (has(oldSelf.spec.retentionPolicy) && has(oldSelf.spec.retentionPolicy.locked) && !oldSelf.spec.retentionPolicy.locked)",message="spec.retentionPolicy.locked cannot be false: the retention policy of the bucket is permanently locked"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.spec.retentionPolicy) || !has(oldSelf.spec.retentionPolicy.retentionSeconds) || !(has(self.status.retentionPolicyLocked) ? self.status.retentionPolicyLocked : has(oldSelf.spec.retentionPolicy.locked) && oldSelf.spec.retentionPolicy.locked) || (has(self.spec.retentionPolicy) && has(self.spec.retentionPolicy.retentionSeconds) && self.spec.retentionPolicy.retentionSeconds >= oldSelf.spec.retentionPolicy.retentionSeconds)",message="spec.retentionPolicy.retentionSeconds cannot be removed or lowered: the retention policy is permanently locked"
type Bucket struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the desired state of the bucket. Unset fields are left unmanaged.
	// +optional
	// +kubebuilder:default={}
	Spec BucketSpec `json:"spec,omitzero"`

	// status is the observed state of the bucket. Only Holdfast writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status BucketStatus `json:"status,omitzero"`
}

// GetCommonSpec returns the bucket's own common spec.
func (b *Bucket) GetCommonSpec() *CommonSpec { return &b.Spec.CommonSpec }

// GetCommonStatus returns the bucket's own common status.
func (b *Bucket) GetCommonStatus() *CommonStatus { return &b.Status.CommonStatus }

// BucketList is a list of buckets.
//
// +kubebuilder:object:root=true
type BucketList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Bucket `json:"items"`
}

// BucketSpec is the desired state of the bucket. The names are those of the JSON API of Cloud Storage where that has one:
// https://cloud.google.com/storage/docs/json_api/v1/buckets
//
// +kubebuilder:validation:XValidation:rule="!has(self.autoclass) || !self.autoclass.enabled || !has(self.storageClass) || self.storageClass == 'STANDARD'",message="spec.storageClass must be STANDARD or left out while spec.autoclass is enabled"
// +kubebuilder:validation:XValidation:rule="!has(self.autoclass) || !self.autoclass.enabled || !has(self.lifecycle) || !has(self.lifecycle.rules) || self.lifecycle.rules.all(r, r.action.type != 'SetStorageClass' && !has(r.condition.matchesStorageClass))",message="spec.lifecycle must not set or match storage classes while spec.autoclass is enabled: remove the rules with SetStorageClass and the conditions matchesStorageClass"
// +kubebuilder:validation:XValidation:rule="!has(self.hierarchicalNamespace) || !self.hierarchicalNamespace.enabled || has(self.uniformBucketLevelAccess) && self.uniformBucketLevelAccess.enabled",message="spec.hierarchicalNamespace needs spec.uniformBucketLevelAccess: set its enabled to true"
// +kubebuilder:validation:XValidation:rule="!has(self.hierarchicalNamespace) || !self.hierarchicalNamespace.enabled || !has(self.versioning) || !self.versioning.enabled",message="spec.versioning cannot be enabled together with spec.hierarchicalNamespace: disable it or leave it out"
// +kubebuilder:validation:XValidation:rule="!has(self.hierarchicalNamespace) || !self.hierarchicalNamespace.enabled || !has(self.retentionPolicy) || !has(self.retentionPolicy.retentionSeconds)",message="spec.retentionPolicy cannot be used together with spec.hierarchicalNamespace: leave it out"
// +kubebuilder:validation:XValidation:rule="!has(self.hierarchicalNamespace) || !self.hierarchicalNamespace.enabled || !has(self.objectRetention)",message="spec.objectRetention cannot be used together with spec.hierarchicalNamespace: leave it out"
// +kubebuilder:validation:XValidation:rule="!has(self.customPlacementConfig) || has(self.location) && self.location.matches('^[A-Za-z]+$')",message="spec.customPlacementConfig needs spec.location to be the multi-region that both regions are in, such as US, EU or ASIA"
// +kubebuilder:validation:XValidation:rule="!has(self.rpo) || !has(self.location) || !self.location.contains('-')",message="spec.rpo is for buckets in more than one region: leave it out, or choose another spec.location"
// +kubebuilder:validation:XValidation:rule="!has(self.rpo) || self.rpo != 'ASYNC_TURBO' || has(self.customPlacementConfig) || !has(self.location) || self.location.matches('^[A-Za-z]+[0-9]+$')",message="spec.rpo can be ASYNC_TURBO only in a dual-region: set spec.location to one, such as EUR4, or give spec.customPlacementConfig"
// +kubebuilder:validation:XValidation:rule="!has(self.iam) || !has(self.iam.bindings) || !has(self.uniformBucketLevelAccess) || self.uniformBucketLevelAccess.enabled || self.iam.bindings.all(b, !has(b.condition))",message="spec.iam: Google allows conditions only with uniform bucket-level access: set spec.uniformBucketLevelAccess.enabled to true, or remove them"
// +kubebuilder:validation:XValidation:rule="!has(self.iam) || !has(self.iam.bindings) || !has(self.publicAccessPrevention) || self.publicAccessPrevention != 'enforced' || self.iam.bindings.all(b, !has(b.members) || !('allUsers' in b.members || 'allAuthenticatedUsers' in b.members))",message="spec.iam must not list allUsers or allAuthenticatedUsers while spec.publicAccessPrevention is enforced: remove them, or set spec.publicAccessPrevention to inherited"
type BucketSpec struct {
	CommonSpec `json:",inline"`

	// location is the region, dual-region or multi-region of the bucket, such as EUROPE-WEST3, EUR4 or EU, in upper or lower
	// case. Google's default: US. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$`
	Location string `json:"location,omitempty"`

	// customPlacementConfig makes the bucket a dual-region of two regions of your choice. Immutable.
	// +optional
	CustomPlacementConfig *CustomPlacementConfig `json:"customPlacementConfig,omitempty"`

	// storageClass is the class of objects that are stored without one of their own. Google's default: STANDARD.
	// +optional
	StorageClass StorageClass `json:"storageClass,omitempty"`

	// labels are the bucket's labels. Only the keys listed here are managed.
	// +optional
	Labels Labels `json:"labels,omitzero"`

	// versioning keeps noncurrent versions of objects. Google's default: not enabled.
	// +optional
	Versioning *Versioning `json:"versioning,omitempty"`

	// lifecycle deletes objects, or changes their storage class, according to rules.
	// +optional
	Lifecycle *Lifecycle `json:"lifecycle,omitempty"`

	// softDeletePolicy keeps deleted objects for a while. Google's default: seven days.
	// +optional
	SoftDeletePolicy *SoftDeletePolicy `json:"softDeletePolicy,omitempty"`

	// retentionPolicy forbids deleting and replacing objects that are younger than a given age. An explicit {} is no policy.
	// +optional
	RetentionPolicy *RetentionPolicy `json:"retentionPolicy,omitempty"`

	// objectRetention allows each object to have a retention of its own. Immutable.
	// +optional
	ObjectRetention *ObjectRetention `json:"objectRetention,omitempty"`

	// autoclass moves objects between storage classes according to how often they are read. Google's default: not enabled.
	// +optional
	Autoclass *Autoclass `json:"autoclass,omitempty"`

	// rpo is how fast a dual-region replicates: DEFAULT, or ASYNC_TURBO for turbo replication.
	// +optional
	RPO RPO `json:"rpo,omitempty"`

	// hierarchicalNamespace gives the bucket folders. Google's default: not enabled. Immutable.
	// +optional
	HierarchicalNamespace *HierarchicalNamespace `json:"hierarchicalNamespace,omitempty"`

	// uniformBucketLevelAccess makes IAM the only access control and turns access control lists off. Google's default: not
	// enabled. After 90 days it cannot be disabled any more.
	// +optional
	UniformBucketLevelAccess *UniformBucketLevelAccess `json:"uniformBucketLevelAccess,omitempty"`

	// publicAccessPrevention forbids public access (enforced), or leaves that to the organization's policy (inherited).
	// Google's default: inherited.
	// +optional
	PublicAccessPrevention PublicAccessPrevention `json:"publicAccessPrevention,omitempty"`

	// ipFilter restricts from which addresses and networks the bucket and its objects can be used. Google's default: not enabled. It
	// applies to Holdfast too, which storage.buckets.exemptFromIpFilter exempts where it reads, changes and deletes the bucket, but not where
	// it reads and writes the bucket's IAM policy or deletes objects.
	// +optional
	IPFilter *IPFilter `json:"ipFilter,omitempty"`

	// cors are the rules by which web browsers let other origins use the bucket. An explicit [] is none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	CORS []CORS `json:"cors,omitzero"`

	// website says how the bucket serves a web site. An explicit {} is no web site.
	// +optional
	Website *Website `json:"website,omitempty"`

	// logging says where usage logs go. An explicit {} is no logging.
	// +optional
	Logging *Logging `json:"logging,omitempty"`

	// encryption says which keys objects are encrypted with.
	// +optional
	Encryption *BucketEncryption `json:"encryption,omitempty"`

	// requesterPays bills requests to whoever makes them, not to the bucket's project. Google's default: false.
	// +optional
	RequesterPays *bool `json:"requesterPays,omitempty"`

	// defaultEventBasedHold puts an event-based hold on new objects. Google's default: false.
	// +optional
	DefaultEventBasedHold *bool `json:"defaultEventBasedHold,omitempty"`

	// iam says who may read and write the bucket's objects, or manage it. Conditions need uniformBucketLevelAccess, here or in
	// Google Cloud.
	// +optional
	IAM *IAMPolicy `json:"iam,omitempty"`
}

// BucketStatus is the observed state of the bucket.
type BucketStatus struct {
	CommonStatus `json:",inline"`

	// url is the bucket's URL for command line tools, such as gs://logs.
	// +optional
	URL string `json:"url,omitempty"`

	// selfLink is the bucket's URL in the JSON API.
	// +optional
	SelfLink string `json:"selfLink,omitempty"`

	// metageneration counts the changes of the bucket's settings.
	// +optional
	Metageneration int64 `json:"metageneration,omitempty"`

	// location is the bucket's location, in upper case.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Location string `json:"location,omitempty"`

	// locationType is region, dual-region or multi-region.
	// +optional
	LocationType string `json:"locationType,omitempty"`

	// dataLocations are the two regions of a bucket with customPlacementConfig.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=2
	// +kubebuilder:validation:items:MaxLength=63
	DataLocations []string `json:"dataLocations,omitempty"`

	// hierarchicalNamespace says whether the bucket has folders.
	// +optional
	HierarchicalNamespace *bool `json:"hierarchicalNamespace,omitempty"`

	// objectRetention is Enabled if objects may have a retention of their own.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	ObjectRetention string `json:"objectRetention,omitempty"`

	// retentionPolicyLocked says whether the retention policy is permanently locked.
	// +optional
	RetentionPolicyLocked *bool `json:"retentionPolicyLocked,omitempty"`

	// uniformBucketLevelAccessLockedTime is when uniformBucketLevelAccess becomes impossible to disable.
	// +optional
	UniformBucketLevelAccessLockedTime *metav1.Time `json:"uniformBucketLevelAccessLockedTime,omitempty"`

	// projectNumber is the number of the project that the bucket is in.
	// +optional
	ProjectNumber int64 `json:"projectNumber,omitempty"`

	// timeCreated is when the bucket was created.
	// +optional
	TimeCreated *metav1.Time `json:"timeCreated,omitempty"`

	// updated is when the bucket's settings were last changed.
	// +optional
	Updated *metav1.Time `json:"updated,omitempty"`
}
