package v1alpha1

// Annotations that people set on an object. Those ending in -by are stamped by the API server's admission policies.
const (
	// BreakGlassAnnotation breaks the glass; its value is the reason. While it is set nothing is written to Google Cloud.
	BreakGlassAnnotation = "holdfast.dev/break-glass"
	// BreakGlassByAnnotation names who broke the glass.
	BreakGlassByAnnotation = "holdfast.dev/break-glass-by"
	// BreakGlassUntilAnnotation is when the glass expires, in RFC 3339.
	BreakGlassUntilAnnotation = "holdfast.dev/break-glass-until"
	// BreakGlassClosedByAnnotation names who closed the glass; ClosedByExpiry if it expired.
	BreakGlassClosedByAnnotation = "holdfast.dev/break-glass-closed-by"
	// ApproveAnnotation approves the plan on hold that has this hash (status.plan.hash).
	ApproveAnnotation = "holdfast.dev/approve"
	// ApproveByAnnotation names who approved.
	ApproveByAnnotation = "holdfast.dev/approve-by"
	// ReconcileRequestedAtAnnotation requests a reconcile now. Any new value will do; by convention it is a time.
	ReconcileRequestedAtAnnotation = "holdfast.dev/reconcile-requested-at"
)

// Annotations that administrators set on a Namespace; the last is stamped. BreakGlassAnnotation on a Namespace is for every object in it.
const (
	// ProjectIDAnnotation is the Google Cloud project of every object in the namespace that does not set spec.projectID.
	ProjectIDAnnotation = "holdfast.dev/project-id"
	// AllowedProjectIDsAnnotation lists, comma-separated, further projects that objects in the namespace may set.
	AllowedProjectIDsAnnotation = "holdfast.dev/allowed-project-ids"
	// ImpersonateServiceAccountAnnotation is the e-mail of the service account that Holdfast acts as for the namespace.
	ImpersonateServiceAccountAnnotation = "holdfast.dev/impersonate-service-account"
	// AllowReferencesFromAnnotation lists, comma-separated, the namespaces whose objects may refer to ServiceAccounts in this one
	// (serviceAccountRefs). Each is named in full: there is no wildcard. A namespace that leaves the list gets no new grants by
	// reference; those that it has stay.
	AllowReferencesFromAnnotation = "holdfast.dev/allow-references-from"
	// AllowAnnotation lists, comma-separated, what objects in the namespace may do that others may not: see Permissions.
	AllowAnnotation = "holdfast.dev/allow"
	// LeastManagementAnnotation is the least spec.management of the objects in the namespace: with Approve none of them writes without
	// approval, with Observe none writes at all, whatever its spec says. Manage limits nothing.
	LeastManagementAnnotation = "holdfast.dev/least-management"
	// MaxRemovalsAnnotation is how many members one plan may remove from their roles without approval at most, from 0 to 1500, whatever
	// safety.maxRemovals of an object in the namespace says.
	MaxRemovalsAnnotation = "holdfast.dev/max-removals"
	// AllowDestructiveUntilAnnotation lets through what the namespace does not bear by itself, and what the fleet does not, until a time in RFC
	// 3339 that is at most 24 hours ahead.
	AllowDestructiveUntilAnnotation = "holdfast.dev/allow-destructive-until"
	// AllowDestructiveByAnnotation names who let it through.
	AllowDestructiveByAnnotation = "holdfast.dev/allow-destructive-by"
)

// ShardLabel is the label of a Namespace that says which release of the operator is responsible for the objects in it: the one with this
// --shard. Without it, that is the one without --shard. All Namespaces that are bound to one project carry the same value.
const ShardLabel = "holdfast.dev/shard"

// Permissions of a Namespace, the values of AllowAnnotation. Each lifts a restriction for all objects in the namespace, and for no other.
const (
	// AllowPolicyOfOwnAccounts lets manifests change the IAM policy of the service accounts that Holdfast acts as.
	AllowPolicyOfOwnAccounts = "PolicyOfOwnAccounts"
	// AllowGrantsOverOwnAccounts lets manifests grant roles on a project that reach the service accounts that Holdfast acts as, since these
	// are in that project.
	AllowGrantsOverOwnAccounts = "GrantsOverOwnAccounts"
	// AllowGrantsOnAdoptedAccounts lets manifests grant roles on service accounts that they have not created.
	AllowGrantsOnAdoptedAccounts = "GrantsOnAdoptedAccounts"
	// AllowDataLoss lets manifests make changes that lose data, and delete the contents of what they have adopted, without approval.
	AllowDataLoss = "DataLoss"
)

// ClosedByExpiry is the value of BreakGlassClosedByAnnotation when the glass expired.
const ClosedByExpiry = "expired"

// Finalizer keeps an object until its deletionPolicy has been applied.
const Finalizer = "holdfast.dev/finalizer"

// Ownership labels name the manifest that owns a Google Cloud resource. Their values obey Google's rules for labels: at most 63
// of a–z, 0–9, - and _.
const (
	// OwnerLabel is the --owner-id of the installation.
	OwnerLabel = "holdfast-owner"
	// OwnerNamespaceLabel is the manifest's namespace.
	OwnerNamespaceLabel = "holdfast-namespace"
	// OwnerNameLabel is the manifest's name.
	OwnerNameLabel = "holdfast-name"
	// CreatorLabel is the UID of the manifest that has created the resource. It comes with the create, and with nothing else.
	CreatorLabel = "holdfast-created-by"
)
