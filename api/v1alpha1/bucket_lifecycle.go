package v1alpha1

// Lifecycle deletes objects, or changes their storage class, according to rules.
//
// +kubebuilder:validation:XValidation:rule="!has(self.rules) || self.rules.map(r, (has(r.condition.matchesPrefix) ? size(r.condition.matchesPrefix) : 0) + (has(r.condition.matchesSuffix) ? size(r.condition.matchesSuffix) : 0)).sum() <= 1000",message="spec.lifecycle.rules may have at most 1000 prefixes and suffixes in total: remove some"
type Lifecycle struct {
	// rules are applied independently of each other. An explicit [] is none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Rules []LifecycleRule `json:"rules,omitzero"`
}

// LifecycleRule says what to do with objects that meet all of its conditions.
//
// +kubebuilder:validation:XValidation:rule="self.action.type == 'SetStorageClass' ? has(self.action.storageClass) : !has(self.action.storageClass)",message="action.storageClass belongs to SetStorageClass and to no other action: add it or leave it out"
// +kubebuilder:validation:XValidation:rule="has(self.condition.age) || has(self.condition.createdBefore) || has(self.condition.customTimeBefore) || has(self.condition.daysSinceCustomTime) || has(self.condition.daysSinceNoncurrentTime) || has(self.condition.noncurrentTimeBefore) || has(self.condition.numNewerVersions) || (has(self.condition.withState) && self.condition.withState != 'ANY') || has(self.condition.matchesPrefix) || has(self.condition.matchesSuffix) || has(self.condition.matchesStorageClass) || has(self.condition.matchesPattern) || has(self.condition.sizeAboveBytes) || has(self.condition.sizeBelowBytes)",message="condition must have at least one condition (withState ANY is none): for all objects set age to 0"
// +kubebuilder:validation:XValidation:rule="self.action.type != 'AbortIncompleteMultipartUpload' || !(has(self.condition.createdBefore) || has(self.condition.customTimeBefore) || has(self.condition.daysSinceCustomTime) || has(self.condition.daysSinceNoncurrentTime) || has(self.condition.noncurrentTimeBefore) || has(self.condition.numNewerVersions) || has(self.condition.withState) || has(self.condition.matchesStorageClass) || has(self.condition.matchesPattern) || has(self.condition.sizeAboveBytes) || has(self.condition.sizeBelowBytes))",message="AbortIncompleteMultipartUpload allows only the conditions age, matchesPrefix and matchesSuffix: leave the others out"
type LifecycleRule struct {
	// action is what to do with the objects.
	// +required
	Action LifecycleAction `json:"action,omitzero"`

	// condition is which objects to do it with.
	// +required
	Condition LifecycleCondition `json:"condition,omitzero"`
}

// LifecycleAction is what a rule does.
type LifecycleAction struct {
	// type is Delete, SetStorageClass or AbortIncompleteMultipartUpload.
	// +required
	Type LifecycleActionType `json:"type,omitempty"`

	// storageClass is the class that SetStorageClass sets; for other actions it must be unset.
	// +optional
	StorageClass StorageClass `json:"storageClass,omitempty"`
}

// LifecycleActionType is what a rule does.
// +kubebuilder:validation:Enum=Delete;SetStorageClass;AbortIncompleteMultipartUpload
type LifecycleActionType string

// The values of LifecycleActionType.
const (
	// LifecycleDelete deletes objects.
	LifecycleDelete LifecycleActionType = "Delete"
	// LifecycleSetStorageClass changes the storage class of objects.
	LifecycleSetStorageClass LifecycleActionType = "SetStorageClass"
	// LifecycleAbortIncompleteMultipartUpload aborts uploads that were not finished.
	LifecycleAbortIncompleteMultipartUpload LifecycleActionType = "AbortIncompleteMultipartUpload"
)

// LifecycleCondition says when a rule applies: when all conditions that are set here are met. A number that is 0 is a condition
// too: daysSinceNoncurrentTime 0 matches noncurrent versions alone.
type LifecycleCondition struct {
	// age is the minimum age in days; 0 is every object.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	Age *int64 `json:"age,omitempty"`

	// createdBefore is a date, such as 2026-01-31. It matches objects that were created before midnight (UTC) of that day.
	// +optional
	// +kubebuilder:validation:Format=date
	CreatedBefore string `json:"createdBefore,omitempty"`

	// customTimeBefore is a date. It matches objects whose custom time is before midnight (UTC) of that day.
	// +optional
	// +kubebuilder:validation:Format=date
	CustomTimeBefore string `json:"customTimeBefore,omitempty"`

	// daysSinceCustomTime is the minimum number of days since the object's custom time; 0 is every object whose custom time has
	// come. Objects without one never match.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	DaysSinceCustomTime *int64 `json:"daysSinceCustomTime,omitempty"`

	// daysSinceNoncurrentTime is the minimum number of days since the object became noncurrent; 0 is every noncurrent version.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	DaysSinceNoncurrentTime *int64 `json:"daysSinceNoncurrentTime,omitempty"`

	// noncurrentTimeBefore is a date. It matches objects that became noncurrent before midnight (UTC) of that day.
	// +optional
	// +kubebuilder:validation:Format=date
	NoncurrentTimeBefore string `json:"noncurrentTimeBefore,omitempty"`

	// numNewerVersions is the minimum number of newer versions, including the live one; 0 is every version.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=2147483647
	NumNewerVersions *int64 `json:"numNewerVersions,omitempty"`

	// withState is LIVE, ARCHIVED (noncurrent) or ANY, which is the same as unset.
	// +optional
	WithState LifecycleState `json:"withState,omitempty"`

	// matchesPattern is a regular expression (RE2) that matches the object's name. Google offers it to some projects only, and
	// refuses it for others.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	MatchesPattern string `json:"matchesPattern,omitempty"`

	// matchesPrefix lists prefixes of names, of which one must match.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	MatchesPrefix []string `json:"matchesPrefix,omitempty"`

	// matchesSuffix lists suffixes of names, of which one must match.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	MatchesSuffix []string `json:"matchesSuffix,omitempty"`

	// matchesStorageClass lists storage classes, of which the object must have one.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	MatchesStorageClass []StorageClass `json:"matchesStorageClass,omitempty"`

	// sizeAboveBytes matches objects that are larger than this.
	// +optional
	// +kubebuilder:validation:Minimum=0
	SizeAboveBytes *int64 `json:"sizeAboveBytes,omitempty"`

	// sizeBelowBytes matches objects that are smaller than this.
	// +optional
	// +kubebuilder:validation:Minimum=0
	SizeBelowBytes *int64 `json:"sizeBelowBytes,omitempty"`
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
