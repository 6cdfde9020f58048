package kind

import (
	"context"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// Kind is one kind of resource, without type parameters. Of and PolicyOf make one; all its functions may be called concurrently.
type Kind struct {
	Traits

	// New returns an empty manifest.
	New func() v1alpha1.Object
	// ExternalName is the full resource name, such as //pubsub.googleapis.com/projects/p/topics/t.
	ExternalName func(ref Ref) string
	// Fields is the part that the manifest's fields describe; nil for a resource that exists without Holdfast, such as a project.
	Fields *Fields
	// Policy is the resource's IAM policy; nil if it has none.
	Policy *Policy
	// References are what a manifest refers to; empty if to nothing.
	References func(obj v1alpha1.Object) []Reference
	// Names are what a manifest names of other kinds without referring to a manifest; empty for nothing.
	Names func(obj v1alpha1.Object) []Name
	// Uses are what a manifest uses in projects by the rights of whoever makes the call; nil for a kind that uses nothing so.
	Uses func(obj v1alpha1.Object) []Use
	// Referent is what other resources name this one by, such as an e-mail, and so what a reference to its manifest stands for: empty as
	// long as there is none. The function is nil if nothing can name the kind.
	Referent func(obj v1alpha1.Object) string
}

// Fields are how the part of a resource is observed and written that the fields of its manifest describe. Functions with a
// context make Google Cloud calls and do not retry; their errors are wrapped with the action and the subject.
type Fields struct {
	// Observe reads the resource. An error of class NotFound, and only that, says that it does not exist.
	Observe func(ctx context.Context, ref Ref) (Live, error)
	// Create makes the resource as the spec of want says, and returns it as created.
	Create func(ctx context.Context, ref Ref, want v1alpha1.Object) (Live, error)
	// Update returns the writes that make the changes, in order.
	Update func(ref Ref, want v1alpha1.Object, changes diff.Changes) []Write
	// Delete deletes the resource that was observed. It is no error if it is gone already.
	Delete func(ctx context.Context, ref Ref, live Live) error
	// List yields the resources of a project page by page, until yield returns false; nil if the kind cannot be listed.
	List func(ctx context.Context, ref Ref, yield func(page []Listed) bool) error
	// Contents are what the resource may contain; nil for a kind without contents.
	Contents func(ref Ref, live Live) []Contents
	// Undelete brings back the resource with that Identity.UID; nil if the kind cannot.
	Undelete func(ctx context.Context, ref Ref, uid string) (Live, error)
}

// Live is a resource as it was last seen. Its exported fields are data; what a write needs beside them, such as an etag, is hidden.
type Live struct {
	// Object is the resource written as a manifest: in its spec every readable field, ownership and goog-* labels left out, and the
	// kind's own outputs in its status. Metadata, the common spec and the common status are empty.
	Object v1alpha1.Object
	// Unmanaged is what the resource has beside that, sorted by path: Google shows it and the spec has no field for it.
	Unmanaged []diff.Unmanaged
	// Identity says which resource this is.
	Identity Identity

	source any
}

// Listed is a resource as a list shows it.
type Listed struct {
	// ID is the Ref.ID of the resource.
	ID string
	// Partial says that the list shows less of it than Observe does.
	Partial bool
	Live
}

// Write is one write to Google Cloud, of a resource's fields.
type Write struct {
	// Name is what is done, for errors and logs: "updating bucket".
	Name string
	// Do makes the call, given the newest known live state, and returns the state after it.
	Do func(ctx context.Context, live Live) (Live, error)
}

// Policy is how the IAM policy of a resource is observed and written.
type Policy struct {
	// Path is where it stands in the manifest: spec, or spec.iam.
	Path string
	// Of is what the manifest says of the policy, and of audit configs where the kind has them; nil if nothing.
	Of func(obj v1alpha1.Object) (*v1alpha1.IAMPolicy, []v1alpha1.AuditConfig)
	// Get reads the policy, version 3.
	Get func(ctx context.Context, ref Ref) (iampolicy.Policy, error)
	// Set writes the policy, on condition that it is still the one that was read, and returns it as stored.
	Set func(ctx context.Context, ref Ref, policy iampolicy.Policy) (iampolicy.Policy, error)
	// Initial are the grants that Google makes by itself on a new resource whose live fields are these; nil where it makes none.
	Initial func(ref Ref, live v1alpha1.Object) []iampolicy.Grant
}

// Shared says whether several manifests may share one resource of the kind: where they have nothing in common but its policy.
func (k Kind) Shared() bool { return k.Fields == nil }

// ResourceID is the name that a manifest gives to its resource: spec.resourceID, or else metadata.name. A resource that is known by
// its project alone has none.
func (k Kind) ResourceID(obj v1alpha1.Object) string {
	switch id := obj.GetCommonSpec().ResourceID; {
	case k.Fields == nil:
		return ""
	case id != "":
		return id
	default:
		return obj.GetName()
	}
}

// Ref says which resource, and as whom.
type Ref struct {
	// Project is the project ID.
	Project string
	// ID is the resource's name within its project (a bucket's within the world); empty for the project itself.
	ID string
	// Impersonate is the e-mail of the service account to act as; empty for the manager's own credentials.
	Impersonate string
	// Ownership are the labels that mark the resource as owned by a manifest; nil when it should carry none.
	Ownership map[string]string
}

// Identity says which resource it is that goes by a name.
type Identity struct {
	// UID differs between a resource and a namesake that is created after its deletion. Empty if Google gives nothing to tell.
	UID string
	// ProjectNumber is the project that the resource belongs to; 0 if its name says so already.
	ProjectNumber uint64
	// Labels are the live labels, all of them.
	Labels map[string]string
}

// Reference is what a manifest refers to.
type Reference struct {
	// Kind is the kind of manifest, as in "ServiceAccount".
	Kind string
	// Namespace is where it is; empty for the referring manifest's own.
	Namespace string
	// Name is its metadata.name.
	Name string
}

// Name is what a manifest names in Google Cloud: there may be a manifest of it, in whatever namespace, or none.
type Name struct {
	// Kind is the kind of manifest that there would be, as in "ServiceAccount".
	Kind string
	// Referent is what the kind's Referent says of it, such as an e-mail.
	Referent string
}

// Use is something that Google lets a resource use if whoever makes the call may.
type Use struct {
	// Path is the field that names it, such as spec.schemaSettings.schema, and Value what the field says.
	Path, Value string
	// Project is the project that it is in, as Value has it; empty if that does not tell.
	Project string
}

// Named finds a kind by the kind of its manifests.
func Named(kinds []Kind, name string) (k Kind, ok bool) {
	for _, k := range kinds {
		if k.Kind == name {
			return k, true
		}
	}
	return Kind{}, false
}
