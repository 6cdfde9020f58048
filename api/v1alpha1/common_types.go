package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
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

// Management says which writes Holdfast may make.
// +kubebuilder:validation:Enum=Manage;Approve;Observe
type Management string

// The values of Management.
const (
	// ManagementManage writes without asking.
	ManagementManage Management = "Manage"
	// ManagementApprove writes only a plan whose hash was approved.
	ManagementApprove Management = "Approve"
	// ManagementObserve never writes.
	ManagementObserve Management = "Observe"
)

// Adoption says what to do when the resource exists before the manifest.
// +kubebuilder:validation:Enum=IfMatches;Always;Never
type Adoption string

// The values of Adoption.
const (
	// AdoptionIfMatches adopts a resource that matches; one that differs waits for approval, with the plan in status.
	AdoptionIfMatches Adoption = "IfMatches"
	// AdoptionAlways adopts the resource and changes what differs.
	AdoptionAlways Adoption = "Always"
	// AdoptionNever does not touch a resource that existed before: Conflict.
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
	// DeletionDeleteWithContents deletes the resource and everything in it (buckets only).
	DeletionDeleteWithContents DeletionPolicy = "DeleteWithContents"
)

// CommonSpec is the part of the spec that every kind has, inline.
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

	// management says which writes to Google Cloud Holdfast may make: with Manage any, with Approve only a plan whose hash
	// was approved, with Observe none.
	// +optional
	// +kubebuilder:default=Manage
	Management Management `json:"management,omitempty"`

	// adoption says what to do when the resource exists before the manifest: IfMatches adopts it if it matches, and waits for
	// approval otherwise; Always adopts it and changes what differs; Never does not touch it (Conflict).
	// +optional
	// +kubebuilder:default=IfMatches
	Adoption Adoption `json:"adoption,omitempty"`

	// deletionPolicy says what deleting the manifest does in Google Cloud: Orphan leaves the resource, Delete deletes it,
	// DeleteWithContents (buckets only) also deletes everything in it: objects, folders, managed folders and Anywhere Caches.
	// +optional
	// +kubebuilder:default=Orphan
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// CommonStatus is the part of the status that every kind has, inline. Only Holdfast writes it.
type CommonStatus struct {
	// conditions are Ready, Drifted and BreakGlass, which are always present, and Reconciling, Stalled and Exposed, which
	// are present only while true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the newest generation that Holdfast has seen.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// environmentDigest is a short hash of what the manifest depended on, beside its spec and the resource, when it was last found to be Ready:
	// the binding of its namespace, its references, and the other manifests of a policy that it shares. As long as it is the same the resource is
	// checked with the others of its project, and not by itself when Holdfast starts.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	EnvironmentDigest string `json:"environmentDigest,omitempty"`

	// lastHandledReconcileAt is the last value of the annotation holdfast.dev/reconcile-requested-at that Holdfast acted on.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`

	// project is the Google Cloud project that the resource is in, or was looked for last. The object is permanently bound to it
	// once the resource is created or adopted there, or may have been because Google's answer was lost.
	// +optional
	Project string `json:"project,omitempty"`

	// externalName is the full resource name, such as //storage.googleapis.com/logs.
	// +optional
	ExternalName string `json:"externalName,omitempty"`

	// identity tells this resource from another of the same name that was created in its place. Set once the resource is
	// created or adopted.
	// +optional
	Identity string `json:"identity,omitempty"`

	// createdIdentity is the identity of the resource that this manifest created. It is empty for one that was adopted, and where it is
	// not known which of the two it was. Grants on a ServiceAccount that the manifest has not created take a permission of the Namespace.
	// +optional
	CreatedIdentity string `json:"createdIdentity,omitempty"`

	// unrestorable says that the resource that identity tells was deleted and that Google does not undelete it any more: it is recreated.
	// +optional
	Unrestorable bool `json:"unrestorable,omitempty"`

	// observed is the live resource, written as a spec: the managed fields, Google's own values, and in their places the settings
	// that unmanaged lists.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	Observed *runtime.RawExtension `json:"observed,omitempty"`

	// unmanaged lists what Google Cloud shows of the resource and the spec has no field for: settings that this version of Holdfast
	// does not know or cannot manage. They are present and not managed. No update of another field touches them, and a resource that
	// matches in all that the manifest sets is adopted with them. What stands inside a list that the manifest sets differs,
	// though, because the manifest says all that the list should have; it is removed only once somebody approves that.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Unmanaged []UnmanagedField `json:"unmanaged,omitempty"`

	// appliedFields are the paths that were applied from the manifest. A path that leaves the manifest is reset to Google's
	// default.
	// +optional
	// +listType=atomic
	AppliedFields []string `json:"appliedFields,omitempty"`

	// pending are changes that were recorded before a write and are not yet confirmed.
	// +optional
	// +listType=atomic
	Pending []PendingChange `json:"pending,omitempty"`

	// lastCreateAttemptTime is when Holdfast tried to create the resource, recorded just before the call, and taken back if the call
	// is known to have failed. For seven minutes after it Google may still deny access to the resource, or not find it.
	// +optional
	LastCreateAttemptTime *metav1.Time `json:"lastCreateAttemptTime,omitempty"`

	// iam is what Holdfast knows about the resource's IAM policy, while the manifest manages it.
	// +optional
	IAM *IAMStatus `json:"iam,omitempty"`

	// drift lists how Google Cloud differs from the manifest now.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Drift []Change `json:"drift,omitempty"`

	// plan is what is on hold until somebody approves it.
	// +optional
	Plan *Plan `json:"plan,omitempty"`

	// approved is the plan that was approved and is being applied.
	// +optional
	Approved *ApprovedPlan `json:"approved,omitempty"`

	// planSequence increases with every applied plan, so that no hash is valid twice.
	// +optional
	PlanSequence int64 `json:"planSequence,omitempty"`

	// deletion is the progress of deleting the resource's contents.
	// +optional
	Deletion *DeletionProgress `json:"deletion,omitempty"`

	// breakGlass is set while break-glass is active: who broke the glass, why and since when.
	// +optional
	BreakGlass *BreakGlass `json:"breakGlass,omitempty"`

	// breakGlassHistory are the last five closed glasses, newest first, those of deleted manifests of the same resource included. A
	// BreakGlassRecord in Holdfast's own namespace has more.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	BreakGlassHistory []BreakGlassEpisode `json:"breakGlassHistory,omitempty"`
}

// Change is one difference between the manifest and Google Cloud.
type Change struct {
	// path is the field, such as spec.versioning.enabled or spec.labels[team].
	Path string `json:"path"`
	// from is the live value as JSON; empty if there is none. Long values are truncated.
	// +optional
	From string `json:"from,omitempty"`
	// to is the desired value as JSON; empty if there should be none. Long values are truncated.
	// +optional
	To string `json:"to,omitempty"`
}

// UnmanagedField is a setting of the resource that the spec has no field for.
type UnmanagedField struct {
	// path is where the spec would have it, by the name that Google gives it, such as spec.softDeletePolicy.hardDeletePause or
	// spec.lifecycle.rules[0].condition.matchesPattern. A field whose name is not known has its number in Google's API: spec.#30.
	Path string `json:"path"`
	// value is the live value as JSON. Long values are truncated.
	Value string `json:"value"`
}

// PendingChange is a field that a write was about to set.
type PendingChange struct {
	// path is the field; empty for a change of an approved plan whose path is long: the digest covers it.
	// +optional
	Path string `json:"path,omitempty"`
	// digest is the SHA-256 of the value that was about to be written, in hexadecimal digits.
	Digest string `json:"digest"`
}

// Plan is a set of changes that waits for approval.
type Plan struct {
	// hash names this plan, by its SHA-256 in hexadecimal digits: kubectl annotate … holdfast.dev/approve=<hash>
	Hash string `json:"hash"`
	// why says why the plan is on hold.
	Why string `json:"why"`
	// changes are what would be written, dangerous ones first: what loses data or cannot be undone, who gets much, what is taken away.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Changes []Change `json:"changes,omitempty"`
	// omitted counts the changes that are not listed there.
	// +optional
	Omitted int64 `json:"omitted,omitempty"`
	// text is the whole plan in the same order, uncut, where changes does not show all of it: a line for each change, with + for what is
	// added, - for what is removed and ~ for what changes. A plan that has no room here has to be made smaller before it can be approved.
	// +optional
	Text string `json:"text,omitempty"`
}

// ApprovedPlan records an approval until the whole plan is applied.
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

// DeletionProgress is the progress of deleting the resource's contents.
type DeletionProgress struct {
	// objectsDeleted counts the object generations deleted so far.
	ObjectsDeleted int64 `json:"objectsDeleted"`
	// foldersDeleted counts the folders and managed folders deleted so far.
	// +optional
	FoldersDeleted int64 `json:"foldersDeleted,omitempty"`
	// startTime is when the deletion began.
	StartTime metav1.Time `json:"startTime"`
	// remaining are the contents that could not be deleted when they were last looked at, by the reason.
	// +optional
	// +listType=map
	// +listMapKey=why
	// +kubebuilder:validation:MaxItems=8
	Remaining []RemainingContents `json:"remaining,omitempty"`
}

// RemainingContents are contents that cannot be deleted now, all for the same reason.
type RemainingContents struct {
	// why says what they are and why they cannot be deleted: object generations under a temporary hold.
	Why string `json:"why"`
	// count says how many there are.
	Count int64 `json:"count"`
	// names are some of them; an object generation is OBJECT#GENERATION.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	Names []string `json:"names,omitempty"`
	// until is when the first of them can be deleted, if that is known.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
	// advice says what frees them.
	// +optional
	Advice string `json:"advice,omitempty"`
}

// BreakGlass is the record of an open glass: break-glass is active.
type BreakGlass struct {
	// scope says where the annotation is: on the Object, or on its Namespace.
	Scope BreakGlassScope `json:"scope"`
	// reason is the annotation's value.
	Reason string `json:"reason"`
	// by is who broke the glass, as stamped; empty if it was not stamped.
	// +optional
	By string `json:"by,omitempty"`
	// verified says that Holdfast has seen the admission policy that checks by enforced, as it came with it and without a gap, from before
	// the annotations were set until after. What it could not see is not verified.
	// +optional
	Verified bool `json:"verified,omitempty"`
	// since is when Holdfast first saw the glass open.
	Since metav1.Time `json:"since"`
	// until is when the glass expires.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
	// lastWrite names the write to Google Cloud that may have been in flight when the glass was broken: its last check came
	// before, and it ended in the second in which the annotation was stored, or later.
	// +optional
	LastWrite string `json:"lastWrite,omitempty"`
	// deletionTime is when the manifest was deleted, if that was while the glass was open: what would be destroyed waits for approval.
	// +optional
	DeletionTime *metav1.Time `json:"deletionTime,omitempty"`
	// edits are the changes of the annotations since then: another reason, another time, reopened.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Edits []BreakGlassEdit `json:"edits,omitempty"`
	// seen are the differences that were seen since then, the latest for each path.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Seen []Change `json:"seen,omitempty"`
}

// BreakGlassScope says where the glass was broken.
// +kubebuilder:validation:Enum=Object;Namespace
type BreakGlassScope string

// The values of BreakGlassScope.
const (
	// BreakGlassOnObject is the annotation on the object itself.
	BreakGlassOnObject BreakGlassScope = "Object"
	// BreakGlassOnNamespace is the annotation on the object's Namespace.
	BreakGlassOnNamespace BreakGlassScope = "Namespace"
)

// BreakGlassEdit is a change of the annotations of an open glass.
type BreakGlassEdit struct {
	// time is when Holdfast saw it.
	Time metav1.Time `json:"time"`
	// by is who made the change, as stamped.
	// +optional
	By string `json:"by,omitempty"`
	// reason is the reason from then on.
	Reason string `json:"reason"`
	// until is when the glass expires from then on.
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
	// BreakGlassExpired: break-glass-until had passed.
	BreakGlassExpired BreakGlassEnding = "Expired"
	// BreakGlassSuperseded: this was the Namespace's glass, and then the object's own was broken too. The Namespace's may still
	// be open; once the object's is closed, its record continues.
	BreakGlassSuperseded BreakGlassEnding = "Superseded"
)

// BreakGlassEpisode is a closed glass.
type BreakGlassEpisode struct {
	BreakGlass `json:",inline"`

	// ending says how the glass was closed.
	Ending BreakGlassEnding `json:"ending"`
	// closedAt is when Holdfast saw that it was closed.
	ClosedAt metav1.Time `json:"closedAt"`
	// closedBy is who closed it, as stamped; empty if it was not stamped, or if the glass expired.
	// +optional
	ClosedBy string `json:"closedBy,omitempty"`
	// manifest is the manifest that the glass was broken on; in a manifest's own status only if it was another one, such as one of
	// the same name that was deleted.
	// +optional
	Manifest *BreakGlassManifest `json:"manifest,omitempty"`
}

// BreakGlassManifest names the manifest that a glass was broken on.
type BreakGlassManifest struct {
	// kind is the manifest's kind.
	Kind string `json:"kind"`
	// namespace is the manifest's namespace.
	Namespace string `json:"namespace"`
	// name is the manifest's metadata.name.
	Name string `json:"name"`
	// uid tells it from others of that name.
	UID types.UID `json:"uid"`
}
