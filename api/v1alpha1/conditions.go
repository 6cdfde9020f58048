package v1alpha1

// Condition types. Ready, Drifted and BreakGlass are always there; Reconciling and Stalled only while true, as kstatus
// wants it.
const (
	// ConditionReady says: this generation is applied and was true when last looked at.
	ConditionReady = "Ready"
	// ConditionDrifted says whether Google Cloud differs from the manifest now.
	ConditionDrifted = "Drifted"
	// ConditionBreakGlass says whether the glass is broken, and acknowledges that no write is in flight.
	ConditionBreakGlass = "BreakGlass"
	// ConditionReconciling says that Holdfast is waiting, retrying or throttled, and will go on by itself.
	ConditionReconciling = "Reconciling"
	// ConditionStalled says that a person has to act before this object can become Ready.
	ConditionStalled = "Stalled"
)

// Reasons of Ready (and of Reconciling and Stalled, which carry the same reason).
const (
	// ReasonUpToDate: Google Cloud is as the manifest says.
	ReasonUpToDate = "UpToDate"

	// ReasonProgressing: a write has begun and is not yet confirmed.
	ReasonProgressing = "Progressing"
	// ReasonUnavailable: Google Cloud or the API server did not answer well; the same will be tried again.
	ReasonUnavailable = "Unavailable"
	// ReasonThrottled: Google asked to slow down.
	ReasonThrottled = "Throttled"
	// ReasonAwaitingReference: something that the manifest refers to is not there yet.
	ReasonAwaitingReference = "AwaitingReference"
	// ReasonDeleting: the deletion policy is being carried out.
	ReasonDeleting = "Deleting"

	// ReasonInvalid: Google refuses what the manifest asks for.
	ReasonInvalid = "Invalid"
	// ReasonImmutable: the manifest asks for a change that Google cannot carry out on an existing resource.
	ReasonImmutable = "Immutable"
	// ReasonNotApplied: Google accepted a write and yet shows another value.
	ReasonNotApplied = "NotApplied"
	// ReasonQuotaExceeded: as many of the resource are there as Google allows.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonDenied: a permission is missing.
	ReasonDenied = "Denied"
	// ReasonConflict: something else owns the resource.
	ReasonConflict = "Conflict"
	// ReasonProjectUnbound: the namespace is bound to no project.
	ReasonProjectUnbound = "ProjectUnbound"
	// ReasonProjectNotAllowed: the namespace is not bound to the project that the manifest names.
	ReasonProjectNotAllowed = "ProjectNotAllowed"
	// ReasonBindingChanged: the namespace's binding no longer fits the project that the object was bound to.
	ReasonBindingChanged = "BindingChanged"
	// ReasonAwaitingApproval: a plan waits for holdfast.dev/approve.
	ReasonAwaitingApproval = "AwaitingApproval"
	// ReasonAwaitingAdoption: the resource was there before the manifest and differs from it.
	ReasonAwaitingAdoption = "AwaitingAdoption"
	// ReasonDiffers: management is Observe and Google Cloud differs from the manifest.
	ReasonDiffers = "Differs"
	// ReasonNotFound: management is Observe and the resource does not exist.
	ReasonNotFound = "NotFound"
	// ReasonNotEmpty: the bucket to be deleted still has objects.
	ReasonNotEmpty = "NotEmpty"
	// ReasonBreakGlass: the glass is broken and holds this generation.
	ReasonBreakGlass = "BreakGlass"
)

// Reasons of Drifted and BreakGlass.
const (
	// ReasonInSync: no difference.
	ReasonInSync = "InSync"
	// ReasonUnknown: not looked at, or the look failed.
	ReasonUnknown = "Unknown"
	// ReasonClosed: the glass is not broken.
	ReasonClosed = "Closed"
	// ReasonOpen: the glass is broken, and no write is in flight.
	ReasonOpen = "Open"
	// ReasonWriteInFlight: the glass is broken, and a write that had begun before is still in flight.
	ReasonWriteInFlight = "WriteInFlight"
)
