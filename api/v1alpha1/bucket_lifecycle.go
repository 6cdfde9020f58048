package v1alpha1

// Lifecycle deletes objects, or changes their storage class, by rules.
//
// +kubebuilder:validation:XValidation:rule="!has(self.rules) || self.rules.map(r, (has(r.condition.matchesPrefix) ? size(r.condition.matchesPrefix) : 0) + (has(r.condition.matchesSuffix) ? size(r.condition.matchesSuffix) : 0)).sum() <= 1000",message="spec.lifecycle.rules may have at most 1000 prefixes and suffixes together"
type Lifecycle struct {
	// rules apply each on its own. An explicit [] is none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Rules []LifecycleRule `json:"rules,omitzero"`
}

// LifecycleRule is what to do with objects that meet all of the conditions.
//
// +kubebuilder:validation:XValidation:rule="self.action.type == 'SetStorageClass' ? has(self.action.storageClass) : !has(self.action.storageClass)",message="action.storageClass is for SetStorageClass, and only for that: add it or leave it out"
// +kubebuilder:validation:XValidation:rule="has(self.condition.age) || has(self.condition.createdBefore) || has(self.condition.customTimeBefore) || has(self.condition.daysSinceCustomTime) || has(self.condition.daysSinceNoncurrentTime) || has(self.condition.noncurrentTimeBefore) || has(self.condition.numNewerVersions) || (has(self.condition.withState) && self.condition.withState != 'ANY') || has(self.condition.matchesPrefix) || has(self.condition.matchesSuffix) || has(self.condition.matchesStorageClass)",message="condition must have at least one condition (withState ANY is none): for all objects give age 0"
// +kubebuilder:validation:XValidation:rule="self.action.type != 'AbortIncompleteMultipartUpload' || !(has(self.condition.createdBefore) || has(self.condition.customTimeBefore) || has(self.condition.daysSinceCustomTime) || has(self.condition.daysSinceNoncurrentTime) || has(self.condition.noncurrentTimeBefore) || has(self.condition.numNewerVersions) || has(self.condition.withState) || has(self.condition.matchesStorageClass))",message="AbortIncompleteMultipartUpload takes no other conditions than age, matchesPrefix and matchesSuffix: leave the others out"
type LifecycleRule struct {
	// action is what to do.
	// +required
	Action LifecycleAction `json:"action,omitzero"`

	// condition is when to do it.
	// +required
	Condition LifecycleCondition `json:"condition,omitzero"`
}

// LifecycleAction is what a rule does.
type LifecycleAction struct {
	// type is Delete, SetStorageClass or AbortIncompleteMultipartUpload.
	// +required
	Type LifecycleActionType `json:"type,omitempty"`

	// storageClass is the class that SetStorageClass sets.
	// +optional
	StorageClass StorageClass `json:"storageClass,omitempty"`
}

// LifecycleActionType is the kind of action of a rule.
// +kubebuilder:validation:Enum=Delete;SetStorageClass;AbortIncompleteMultipartUpload
type LifecycleActionType string

// The values of LifecycleActionType.
const (
	// LifecycleDelete deletes objects.
	LifecycleDelete LifecycleActionType = "Delete"
	// LifecycleSetStorageClass changes the storage class of objects.
	LifecycleSetStorageClass LifecycleActionType = "SetStorageClass"
	// LifecycleAbortIncompleteMultipartUpload gives up uploads that were not finished.
	LifecycleAbortIncompleteMultipartUpload LifecycleActionType = "AbortIncompleteMultipartUpload"
)

// LifecycleCondition is when a rule applies: when all that is set here is met. Where Google's client libraries cannot tell
// a zero from nothing, the least is 1.
type LifecycleCondition struct {
	// age is the least age in days; 0 is every object.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	Age *int64 `json:"age,omitempty"`

	// createdBefore is a date, such as 2026-01-31, before whose midnight (UTC) the object was made.
	// +optional
	// +kubebuilder:validation:Format=date
	CreatedBefore string `json:"createdBefore,omitempty"`

	// customTimeBefore is a date before whose midnight (UTC) the object's custom time is.
	// +optional
	// +kubebuilder:validation:Format=date
	CustomTimeBefore string `json:"customTimeBefore,omitempty"`

	// daysSinceCustomTime is the least number of days since the object's custom time.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	DaysSinceCustomTime *int64 `json:"daysSinceCustomTime,omitempty"`

	// daysSinceNoncurrentTime is the least number of days since the object became noncurrent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	DaysSinceNoncurrentTime *int64 `json:"daysSinceNoncurrentTime,omitempty"`

	// noncurrentTimeBefore is a date before whose midnight (UTC) the object became noncurrent.
	// +optional
	// +kubebuilder:validation:Format=date
	NoncurrentTimeBefore string `json:"noncurrentTimeBefore,omitempty"`

	// numNewerVersions is the least number of versions that are newer, the live one included.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=2147483647
	NumNewerVersions *int64 `json:"numNewerVersions,omitempty"`

	// withState is LIVE, ARCHIVED (noncurrent) or ANY, which is the same as leaving it out.
	// +optional
	WithState LifecycleState `json:"withState,omitempty"`

	// matchesPrefix lists beginnings of names; one of them must fit.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	MatchesPrefix []string `json:"matchesPrefix,omitempty"`

	// matchesSuffix lists endings of names; one of them must fit.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	MatchesSuffix []string `json:"matchesSuffix,omitempty"`

	// matchesStorageClass lists storage classes; the object must have one of them.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	MatchesStorageClass []StorageClass `json:"matchesStorageClass,omitempty"`
}

// LifecycleState says which versions of an object a rule is for.
// +kubebuilder:validation:Enum=LIVE;ARCHIVED;ANY
type LifecycleState string

// The values of LifecycleState.
const (
	// LifecycleLive is the live version.
	LifecycleLive LifecycleState = "LIVE"
	// LifecycleArchived are the noncurrent versions.
	LifecycleArchived LifecycleState = "ARCHIVED"
	// LifecycleAny are all versions.
	LifecycleAny LifecycleState = "ANY"
)
