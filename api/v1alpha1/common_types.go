package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is what the engine knows of every kind: a Kubernetes object with the common spec and status.
//
// +kubebuilder:object:generate=false
type Object interface {
	metav1.Object
	runtime.Object
	// GetCommonSpec returns the object's own common spec, not a copy.
	GetCommonSpec() *CommonSpec
	// GetCommonStatus returns the object's own common status, not a copy.
	GetCommonStatus() *CommonStatus
}

// Management says how far Holdfast may go.
// +kubebuilder:validation:Enum=Manage;Approve;Observe
type Management string

// The values of Management.
const (
	// ManagementManage writes freely.
	ManagementManage Management = "Manage"
	// ManagementApprove writes only a plan whose hash was approved.
	ManagementApprove Management = "Approve"
	// ManagementObserve never writes.
	ManagementObserve Management = "Observe"
)

// Adoption says what to do when the resource is there before the manifest.
// +kubebuilder:validation:Enum=IfMatches;Always;Never
type Adoption string

// The values of Adoption.
const (
	// AdoptionIfMatches adopts what matches; a difference waits, with its plan in status, for approval.
	AdoptionIfMatches Adoption = "IfMatches"
	// AdoptionAlways adopts and changes what differs.
	AdoptionAlways Adoption = "Always"
	// AdoptionNever leaves a resource that was there before alone: Conflict.
	AdoptionNever Adoption = "Never"
)

// DeletionPolicy says what deleting the manifest does in Google Cloud.
// +kubebuilder:validation:Enum=Orphan;Delete;DeleteWithContents
type DeletionPolicy string

// The values of DeletionPolicy.
const (
	// DeletionOrphan leaves the resource in Google Cloud.
	DeletionOrphan DeletionPolicy = "Orphan"
	// DeletionDelete deletes the resource.
	DeletionDelete DeletionPolicy = "Delete"
	// DeletionDeleteWithContents deletes the resource and all that is in it (buckets only).
	DeletionDeleteWithContents DeletionPolicy = "DeleteWithContents"
)

// CommonSpec is inline in the spec of every kind.
type CommonSpec struct {
	// projectID is the Google Cloud project of the resource. Default: the project that the namespace is bound to by its
	// annotation holdfast.dev/project-id. Immutable.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="projectID is immutable: create a new object for another project"
	ProjectID string `json:"projectID,omitempty"`

	// resourceID is the name of the resource in Google Cloud. Default: metadata.name. Immutable.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	ResourceID string `json:"resourceID,omitempty"`

	// management says how far Holdfast may go: Manage writes freely, Approve writes only a plan that was approved by its
	// hash, Observe never writes.
	// +optional
	// +kubebuilder:default=Manage
	Management Management `json:"management,omitempty"`

	// adoption says what to do when the resource is there before the manifest: IfMatches adopts it if nothing would have to
	// be changed, Always changes what differs, Never refuses.
	// +optional
	// +kubebuilder:default=IfMatches
	Adoption Adoption `json:"adoption,omitempty"`

	// deletionPolicy says what deleting the manifest does in Google Cloud: Orphan leaves the resource, Delete deletes it,
	// DeleteWithContents (buckets only) also deletes all objects in it.
	// +optional
	// +kubebuilder:default=Orphan
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// CommonStatus is inline in the status of every kind. Holdfast alone writes it.
type CommonStatus struct {
	// conditions: Ready, Drifted and BreakGlass always, Reconciling and Stalled while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the newest generation that Holdfast has seen.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation holdfast.dev/reconcile-requested-at that was acted upon.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// project is the Google Cloud project that the object is bound to for good.
	// +optional
	Project string `json:"project,omitempty"`

	// externalName is the full resource name, such as //storage.googleapis.com/logs.
	// +optional
	ExternalName string `json:"externalName,omitempty"`

	// identity tells this very resource from a namesake that somebody made in its place. Set once the resource is held.
	// +optional
	Identity string `json:"identity,omitempty"`

	// observed is the live resource, written as a spec: what is managed and what is Google's own.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	Observed *runtime.RawExtension `json:"observed,omitempty"`

	// appliedFields are the paths that were applied from the manifest. One that leaves the manifest is reset.
	// +optional
	// +listType=atomic
	AppliedFields []string `json:"appliedFields,omitempty"`

	// pending are the changes that were about to be written when this was recorded and are not yet confirmed.
	// +optional
	// +listType=atomic
	Pending []PendingChange `json:"pending,omitempty"`

	// createTime is when Holdfast was last about to create the resource.
	// +optional
	CreateTime *metav1.Time `json:"createTime,omitempty"`

	// iam is what Holdfast knows of the resource's IAM policy, while the manifest says something of it.
	// +optional
	IAM *IAMStatus `json:"iam,omitempty"`

	// drift is how Google Cloud differs from the manifest now.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Drift []Change `json:"drift,omitempty"`

	// plan is what waits to be written until somebody approves it.
	// +optional
	Plan *Plan `json:"plan,omitempty"`

	// approved is the plan that was approved and is being carried out.
	// +optional
	Approved *ApprovedPlan `json:"approved,omitempty"`

	// planSequence rises with every applied plan, so that no plan's hash is good twice.
	// +optional
	PlanSequence int64 `json:"planSequence,omitempty"`

	// deletion is how far the deletion of the resource's contents has come.
	// +optional
	Deletion *DeletionProgress `json:"deletion,omitempty"`

	// breakGlass is who holds the glass open, and why.
	// +optional
	BreakGlass *BreakGlass `json:"breakGlass,omitempty"`

	// breakGlassHistory are the last five glasses that were open and are closed, the newest first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	BreakGlassHistory []BreakGlassRecord `json:"breakGlassHistory,omitempty"`
}

// Change is one difference between the manifest and Google Cloud.
type Change struct {
	// path is the field, such as spec.versioning.enabled or spec.labels[team].
	Path string `json:"path"`
	// from is the live value as JSON; empty when there is none. Long values are cut.
	// +optional
	From string `json:"from,omitempty"`
	// to is the value that the manifest wants, as JSON; empty when there shall be none. Long values are cut.
	// +optional
	To string `json:"to,omitempty"`
}

// PendingChange is a field that a write was about to take on.
type PendingChange struct {
	// path is the field.
	Path string `json:"path"`
	// digest is a hash of the value that was about to be written.
	Digest string `json:"digest"`
}

// Plan is a set of changes that waits for approval.
type Plan struct {
	// hash names this plan: kubectl annotate … holdfast.dev/approve=<hash>
	Hash string `json:"hash"`
	// why says what holds the plan.
	Why string `json:"why"`
	// changes are what would be written.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Changes []Change `json:"changes,omitempty"`
	// omitted counts the changes beyond those listed.
	// +optional
	Omitted int64 `json:"omitted,omitempty"`
}

// ApprovedPlan remembers an approval until all of its plan is applied.
type ApprovedPlan struct {
	// hash is the approved plan's.
	Hash string `json:"hash"`
	// generation is the object's generation that was approved.
	Generation int64 `json:"generation"`
	// by is who approved, as stamped on the object.
	// +optional
	By string `json:"by,omitempty"`
	// changes are the approved changes.
	// +optional
	// +listType=atomic
	Changes []PendingChange `json:"changes,omitempty"`
}

// DeletionProgress is how far the deletion of the resource's contents has come.
type DeletionProgress struct {
	// objectsDeleted counts the object generations deleted so far.
	ObjectsDeleted int64 `json:"objectsDeleted"`
	// startTime is when the deletion began.
	StartTime metav1.Time `json:"startTime"`
}

// BreakGlass is an open glass.
type BreakGlass struct {
	// scope says where the annotation is: on the Object, or on its Namespace.
	Scope BreakGlassScope `json:"scope"`
	// reason is the annotation's value.
	Reason string `json:"reason"`
	// by is who broke the glass, as stamped; empty if it was not.
	// +optional
	By string `json:"by,omitempty"`
	// verified says that the admission policies that vouch for by were in force when the glass was seen.
	// +optional
	Verified bool `json:"verified,omitempty"`
	// since is when Holdfast first saw the glass open.
	Since metav1.Time `json:"since"`
	// until is when the glass closes by itself.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
	// lastWrite names the write to Google Cloud that may have been under way when the glass was broken: it had passed the gate
	// before, and ended in the second in which the annotation was stored, or later.
	// +optional
	LastWrite string `json:"lastWrite,omitempty"`
	// edits are the changes of the annotations since: another reason, another time, opened anew.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Edits []BreakGlassEdit `json:"edits,omitempty"`
	// seen are the differences seen since, the last of each path.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Seen []Change `json:"seen,omitempty"`
}

// BreakGlassScope says where a glass is broken.
// +kubebuilder:validation:Enum=Object;Namespace
type BreakGlassScope string

// The values of BreakGlassScope.
const (
	// BreakGlassOnObject is the annotation on the object itself.
	BreakGlassOnObject BreakGlassScope = "Object"
	// BreakGlassOnNamespace is the annotation on the object's Namespace.
	BreakGlassOnNamespace BreakGlassScope = "Namespace"
)

// BreakGlassEdit is a change of an open glass.
type BreakGlassEdit struct {
	// time is when Holdfast saw it.
	Time metav1.Time `json:"time"`
	// by is who did it, as stamped.
	// +optional
	By string `json:"by,omitempty"`
	// reason is the reason from then on.
	Reason string `json:"reason"`
	// until is when the glass closes by itself from then on.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
}

// BreakGlassEnding says how a glass was closed.
// +kubebuilder:validation:Enum=Closed;Expired;Superseded
type BreakGlassEnding string

// The values of BreakGlassEnding.
const (
	// BreakGlassClosed: somebody removed the annotation.
	BreakGlassClosed BreakGlassEnding = "Closed"
	// BreakGlassExpired: its time was over.
	BreakGlassExpired BreakGlassEnding = "Expired"
	// BreakGlassSuperseded: the Namespace's, when the object's own glass was broken too. It may still be open; once the
	// object's is closed, its record goes on.
	BreakGlassSuperseded BreakGlassEnding = "Superseded"
)

// BreakGlassRecord is a glass that was open and is closed.
type BreakGlassRecord struct {
	BreakGlass `json:",inline"`

	// ending says how the glass was closed.
	Ending BreakGlassEnding `json:"ending"`
	// closedAt is when Holdfast saw it closed.
	ClosedAt metav1.Time `json:"closedAt"`
	// closedBy is who closed it, as stamped; empty if it was not, or if the time was over.
	// +optional
	ClosedBy string `json:"closedBy,omitempty"`
}
