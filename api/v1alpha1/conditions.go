package v1alpha1

// Condition types. Ready, Drifted and BreakGlass are always present; Reconciling and Stalled only while true, as kstatus
// expects, and Exposed, which is a warning, too.
const (
	// ConditionReady says that this generation is applied, and that Google Cloud matched it when last checked.
	ConditionReady = "Ready"
	// ConditionDrifted says whether Google Cloud differs from the manifest now.
	ConditionDrifted = "Drifted"
	// ConditionBreakGlass says whether break-glass is active, and acknowledges that no write is in flight.
	ConditionBreakGlass = "BreakGlass"
	// ConditionReconciling says that Holdfast is waiting, retrying or throttled, and makes progress without intervention.
	ConditionReconciling = "Reconciling"
	// ConditionStalled says that a person has to act before this object can become Ready.
	ConditionStalled = "Stalled"
	// ConditionExposed says that the object's namespace is bound to the project that Holdfast's own account is in. It is present only while
	// true, whatever the other conditions are.
	ConditionExposed = "Exposed"
)

// Reasons of Ready (and of Reconciling and Stalled, which carry the same reason).
const (
	// ReasonUpToDate: Google Cloud matches the manifest.
	ReasonUpToDate = "UpToDate"

	// ReasonProgressing: a write has begun and is not yet confirmed.
	ReasonProgressing = "Progressing"
	// ReasonUnavailable: Google Cloud or the API server failed or did not answer; Holdfast retries automatically.
	ReasonUnavailable = "Unavailable"
	// ReasonThrottled: Google asked to slow down; Holdfast retries automatically.
	ReasonThrottled = "Throttled"
	// ReasonAwaitingReference: something that the manifest refers to does not exist yet.
	ReasonAwaitingReference = "AwaitingReference"
	// ReasonReferenceNotAllowed: the manifest refers to a namespace that does not allow it.
	ReasonReferenceNotAllowed = "ReferenceNotAllowed"
	// ReasonNotAllowed: the Namespace does not allow the objects in it what the manifest asks for.
	ReasonNotAllowed = "NotAllowed"
	// ReasonDeleting: the deletion policy is being applied.
	ReasonDeleting = "Deleting"

	// ReasonInvalid: Google rejected what the manifest asks for, or does not find something that it names.
	ReasonInvalid = "Invalid"
	// ReasonImmutable: the manifest changes a field that Google cannot change on an existing resource.
	ReasonImmutable = "Immutable"
	// ReasonNotApplied: Google accepted a write but still shows another value.
	ReasonNotApplied = "NotApplied"
	// ReasonQuotaExceeded: Google allows no more resources of this kind.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonDenied: a permission is missing.
	ReasonDenied = "Denied"
	// ReasonConflict: something else owns the resource.
	ReasonConflict = "Conflict"
	// ReasonProjectUnbound: the namespace is bound to no project.
	ReasonProjectUnbound = "ProjectUnbound"
	// ReasonProjectNotAllowed: the namespace is not bound to the project that the manifest names.
	ReasonProjectNotAllowed = "ProjectNotAllowed"
	// ReasonBindingChanged: the namespace no longer allows the project that the object is permanently bound to.
	ReasonBindingChanged = "BindingChanged"
	// ReasonShardConflict: Namespaces that are bound to the object's project belong to different shards.
	ReasonShardConflict = "ShardConflict"
	// ReasonAwaitingApproval: a plan is on hold until it is approved with holdfast.dev/approve.
	ReasonAwaitingApproval = "AwaitingApproval"
	// ReasonDataLoss: a plan that can lose data, or that deletes what was only adopted, is on hold until it is approved with holdfast.dev/approve.
	ReasonDataLoss = "DataLoss"
	// ReasonDestructionOnHold: so much is being destroyed at once, in the namespace or in many, that an administrator has to let it through.
	ReasonDestructionOnHold = "DestructionOnHold"
	// ReasonAwaitingAdoption: the resource existed before the manifest and differs from it.
	ReasonAwaitingAdoption = "AwaitingAdoption"
	// ReasonDiffers: Google Cloud differs from the manifest. Of Ready it says so only where management is Observe, of Drifted always.
	ReasonDiffers = "Differs"
	// ReasonNotFound: management is Observe and the resource does not exist.
	ReasonNotFound = "NotFound"
	// ReasonNotEmpty: the bucket that should be deleted still has contents that the deletion policy does not delete, or that nobody can
	// delete now: objects under a hold or a retention.
	ReasonNotEmpty = "NotEmpty"
	// ReasonTooLarge: the API server stores no object as large as this one would be with all that is to be remembered about it.
	ReasonTooLarge = "TooLarge"
	// ReasonBreakGlass: break-glass is active and this generation is on hold.
	ReasonBreakGlass = "BreakGlass"
)

// Reasons of Drifted and BreakGlass.
const (
	// ReasonInSync: no difference.
	ReasonInSync = "InSync"
	// ReasonUnknown: not checked yet, or the check failed.
	ReasonUnknown = "Unknown"
	// ReasonClosed: break-glass is not active.
	ReasonClosed = "Closed"
	// ReasonOpen: break-glass is active, and no write is in flight.
	ReasonOpen = "Open"
	// ReasonWriteInFlight: break-glass is active, and a write that began before is still in flight.
	ReasonWriteInFlight = "WriteInFlight"
)

// ReasonOperatorProject is the reason of Exposed: the namespace is bound to the project that Holdfast's own account is in.
const ReasonOperatorProject = "OperatorProject"
