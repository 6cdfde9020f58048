package kind

import (
	"context"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// The interfaces by which a kind is written. T is the kind of its manifests, L a resource as Google's client has it.
//
// Methods that take a context do not retry: retrying, backing off and counting are the engine's and the transport's. They return
// Google's error wrapped with the action and the subject (`getting bucket "logs": …`), so that gcp.Classify finds its class. The
// others are pure.

// Resource is what every kind is.
type Resource[T v1alpha1.Object] interface {
	// Traits are the facts about the kind.
	Traits() Traits
	// New returns an empty manifest.
	New() T
	// ExternalName is the full resource name, such as //pubsub.googleapis.com/projects/p/topics/t.
	ExternalName(ref Ref) string
}

// Fielded is a kind whose manifests describe the fields of a resource.
type Fielded[T v1alpha1.Object, L any] interface {
	Resource[T]

	// Observe reads the resource, with one call. An error of class NotFound, and only that, says that it does not exist.
	Observe(ctx context.Context, ref Ref) (L, error)
	// Describe writes the live resource as the spec that a person would have written for it, every readable field of the
	// spec filled, ownership and goog-* labels left out. Name, namespace and the common spec stay empty.
	Describe(live L) T
	// Unmanaged is what is live and has no field in the spec, be it that the API has none yet or that this version of Google's client
	// library does not know it, in any order. Outputs of Google are left out where they are known to be such.
	Unmanaged(live L) []diff.Unmanaged
	// Identify says which resource this is.
	Identify(live L) Identity
	// Report fills the kind's own outputs in the object's status.
	Report(obj T, live L)

	// Create makes the resource as want.Spec says, with ref.Ownership among its labels, and returns it as created.
	// It is called only after Observe said NotFound. What FieldTraits holds for approval is left out: it follows as an Update.
	Create(ctx context.Context, ref Ref, want T) (L, error)
	// Update returns the calls that make the changes, in order. want is the live spec with the changes applied:
	// what it says of an unchanged field is what is live. A nil struct or list in want that has a change is to be cleared.
	// The ownership labels of the result are ref.Ownership: none when that is nil.
	// Each call sends only what changed, with the precondition that the API offers.
	Update(ref Ref, want T, changes diff.Changes) []Call[L]
	// Delete deletes the resource. live is what was just observed and serves as the precondition where there is one.
	// NotFound counts as deleted, unless reads may be stale (Traits.StaleReads): then it is an error.
	Delete(ctx context.Context, ref Ref, live L) error
}

// Call is one write to Google Cloud. The engine passes the gate right before each.
type Call[L any] struct {
	// Name is what is done, for errors and logs: "updating bucket".
	Name string
	// Do makes the call, given the newest known live state, and returns the state after it.
	Do func(ctx context.Context, live L) (L, error)
}

// Lister is a kind whose resources can be listed by project.
type Lister[L any] interface {
	// List yields the resources of ref.Project, as ref.Impersonate sees them, those that Google creates by itself left out. It makes
	// one call a page and yields each page as it comes, until yield returns false.
	List(ctx context.Context, ref Ref, yield func(page []Item[L]) bool) error
}

// Item is a resource in a list.
type Item[L any] struct {
	// ID is its Ref.ID.
	ID string
	// Live is the resource as the list shows it. Partial says that the list shows less of it than Observe does, so that it has to be observed
	// by itself.
	Live    L
	Partial bool
}

// Emptier is a kind whose resources have contents that deletionPolicy: DeleteWithContents deletes first.
type Emptier[L any] interface {
	// Contents are the sorts of contents that the resource may have, in the order in which they have to go. It calls nobody.
	Contents(ref Ref, live L) []Contents
}

// Undeleter is a kind whose deleted resources can be brought back for a while.
type Undeleter[L any] interface {
	// Undelete brings back the resource with that Identity.UID, and returns it. An error of class NotFound or Invalid says that
	// this cannot be done, one of class AlreadyExists that the resource is not deleted.
	Undelete(ctx context.Context, ref Ref, uid string) (L, error)
}

// Policied is a kind whose resources have an IAM policy that a manifest may mention.
type Policied[T v1alpha1.Object] interface {
	// Policy is what the manifest says of the policy, and of audit configs where the kind has them; nil if nothing.
	Policy(obj T) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig)
	// GetPolicy reads the policy, version 3.
	GetPolicy(ctx context.Context, ref Ref) (iampolicy.Policy, error)
	// SetPolicy writes the policy, on condition that it is still the one that was read, and returns it as stored.
	SetPolicy(ctx context.Context, ref Ref, policy iampolicy.Policy) (iampolicy.Policy, error)
}

// Granted is a Policied kind on whose new resources Google grants something by itself.
type Granted[T v1alpha1.Object] interface {
	// Initial are those grants, on a resource whose live fields, written as a manifest, are these.
	Initial(ref Ref, live T) []iampolicy.Grant
}

// Referring is a kind whose manifests refer to others by more than the serviceAccountRefs of their IAM policy.
type Referring[T v1alpha1.Object] interface {
	// References are what the manifest refers to beside that.
	References(obj T) []Reference
}

// Naming is a kind whose manifests name resources of other kinds, beside the accounts in their IAM policy.
type Naming[T v1alpha1.Object] interface {
	// Names are what the manifest names beside that. A manifest that failed is looked at again once there is what it names.
	Names(obj T) []Name
}

// Using is a kind whose manifests name what Google lets a resource use if whoever makes the call may, so that the operator's rights in other
// projects would be everybody's. What a service agent of the project uses by its own rights is not among it.
type Using[T v1alpha1.Object] interface {
	// Uses are what the manifest names of that.
	Uses(obj T) []Use
}

// Referable is a kind whose resources others may name.
type Referable[T v1alpha1.Object] interface {
	// Referent is what others name the resource by, by the manifest's status: empty as long as there is no such resource.
	Referent(obj T) string
}
