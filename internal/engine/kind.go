package engine

import (
	"context"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// Kind is all that is special to one kind of resource. T is the Kubernetes object, L its live counterpart as Google's
// client library has it. The engine calls nothing else to reach Google Cloud.
//
// Methods that take a context make exactly one Google Cloud call and do not retry: retrying, backing off and counting
// are the engine's and the transport's. They return Google's error wrapped with the action and the subject
// (`getting bucket "logs": …`), so that gcp.Classify finds its class. The others are pure.
type Kind[T v1alpha1.Object, L any] interface {
	// Traits are the facts about the kind that the engine decides by.
	Traits() Traits
	// New returns an empty object.
	New() T
	// ExternalName is the full resource name, such as //pubsub.googleapis.com/projects/p/topics/t.
	ExternalName(ref Ref) string

	// Observe reads the resource. An error of class NotFound, and only that, says that it does not exist.
	Observe(ctx context.Context, ref Ref) (L, error)
	// Describe writes the live resource as the spec that a person would have written for it, every readable field of the
	// spec filled, ownership and goog-* labels left out. Name, namespace and the common spec stay empty.
	Describe(live L) T
	// Identify says which resource this is.
	Identify(live L) Identity
	// Report fills the kind's own outputs in the object's status.
	Report(obj T, live L)

	// Create makes the resource as want.Spec says, with ref.Ownership among its labels, and returns it as created.
	// It is called only after Observe said NotFound. What Fields holds for approval is left out: it follows as an Update.
	Create(ctx context.Context, ref Ref, want T) (L, error)
	// Update returns the calls that carry out the changes, in order. want is the live spec with the changes applied:
	// what it says of an unchanged field is what is live. A nil struct or list in want that has a change is to be cleared.
	// The ownership labels of the result are ref.Ownership: none when that is nil.
	// Each call sends only what changed, with the precondition that the API offers.
	Update(ref Ref, want T, changes diff.Changes) []Call[L]
	// Delete deletes the resource. live is what was just observed and serves as the precondition where there is one.
	// NotFound counts as deleted.
	Delete(ctx context.Context, ref Ref, live L) error
}

// Emptier is a Kind whose resources have contents that deletionPolicy: DeleteWithContents deletes first.
type Emptier[L any] interface {
	// Empty deletes up to limit pieces of content and says how many it deleted and whether there may be more. Repeating it
	// goes on where it stopped.
	Empty(ctx context.Context, ref Ref, live L, limit int) (deleted int, more bool, err error)
}

// Lister is a Kind whose resources can be listed by project.
type Lister interface {
	// List returns the Ref.ID of each resource in ref.Project, as ref.Impersonate sees them; those that Google makes by itself
	// left out. It makes one call a page.
	List(ctx context.Context, ref Ref) ([]string, error)
}

// Policied is a Kind whose resources have an IAM policy of which a manifest may say something.
type Policied[T v1alpha1.Object] interface {
	// Policy is what the manifest says of the policy, and of audit configs where the kind has them; nil if nothing.
	Policy(obj T) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig)
	// GetPolicy reads the policy, version 3.
	GetPolicy(ctx context.Context, ref Ref) (iampolicy.Policy, error)
	// SetPolicy writes the policy, on condition that it is still the one that was read, and returns it as stored.
	SetPolicy(ctx context.Context, ref Ref, policy iampolicy.Policy) (iampolicy.Policy, error)
}

// Undeleter is a Kind whose deleted resources can be brought back for a while.
type Undeleter[L any] interface {
	// Undelete brings back the resource with that Identity.UID, and returns it. An error of class NotFound or Invalid says that
	// this cannot be done.
	Undelete(ctx context.Context, ref Ref, uid string) (L, error)
}

// Call is one write to Google Cloud. The engine passes the gate right before each.
type Call[L any] struct {
	// Name is what is done, for errors and logs: "updating bucket".
	Name string
	// Do makes the call, given the newest known live state, and returns the state after it.
	Do func(ctx context.Context, live L) (L, error)
}

// Traits are the facts about a kind that the engine decides by.
type Traits struct {
	// Name is the kind's name for people, lower case: "bucket", "service account".
	Name string
	// Fields says what is special about the fields of the spec.
	Fields diff.Fields
	// Labels says whether the resource has labels, and so can carry the marks of its owner.
	Labels bool
	// PolicyOnly says that the resource is there before the manifest and that only its IAM policy is held: a project. Several
	// manifests may share it, and the kind is Policied.
	PolicyOnly bool
	// Settles is how long after its creation a resource may still be invisible to reads. 0: it is seen at once.
	Settles time.Duration
}

// label is the kind's name in one word, as metrics and controllers have it: serviceaccount.
func (t Traits) label() string { return strings.ReplaceAll(t.Name, " ", "") }

// Ref says which resource, and as whom.
type Ref struct {
	// Project is the project ID.
	Project string
	// ID is the resource's name within its project (a bucket's within the world).
	ID string
	// Impersonate is the e-mail of the service account to act as; empty for the manager's own credentials.
	Impersonate string
	// Ownership are the labels that mark the resource as held by the object; nil when it shall carry none.
	Ownership map[string]string
}

// Identity says which resource it is that goes by a name.
type Identity struct {
	// UID differs between a resource and a namesake that is made after its deletion. Empty if Google gives nothing to tell.
	UID string
	// ProjectNumber is the project that the resource belongs to; 0 if its name says so already.
	ProjectNumber uint64
	// Labels are the live labels, all of them.
	Labels map[string]string
}
