// Package projectpolicy is all that is special to the kind ProjectPolicy: the IAM policy of a project, in whole or in part.
// The project is there before the manifest, and nothing of it is held but its policy.
package projectpolicy

import (
	"context"

	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/engine"
	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// Kind is the kind ProjectPolicy.
type Kind struct {
	client ClientFunc
}

// ClientFunc returns the client that acts as a service account; as the manager itself where impersonate is empty. The client
// does not retry.
type ClientFunc func(ctx context.Context, impersonate string) (*resourcemanager.ProjectsClient, error)

// Project is all that is known of a project: that its policy is asked for. Reading that proves the rest.
type Project struct{}

var (
	_ engine.Kind[*v1alpha1.ProjectPolicy, Project] = (*Kind)(nil)
	_ engine.Policied[*v1alpha1.ProjectPolicy]      = (*Kind)(nil)
)

// New returns the kind, which reaches Resource Manager through client.
func New(client ClientFunc) *Kind {
	return &Kind{client: client}
}

// fields says that all of the spec is compared elsewhere: by the planner of policies.
var fields = diff.Fields{
	"spec.mode":              {Apart: true},
	"spec.bindings":          {Apart: true},
	"spec.deletedPrincipals": {Apart: true},
	"spec.safety":            {Apart: true},
	"spec.auditConfigs":      {Apart: true},
}

// Traits are the facts about project policies that the engine decides by.
func (*Kind) Traits() engine.Traits {
	return engine.Traits{Name: "project policy", Fields: fields, PolicyOnly: true}
}

// New returns an empty ProjectPolicy.
func (*Kind) New() *v1alpha1.ProjectPolicy { return &v1alpha1.ProjectPolicy{} }

// ExternalName is //cloudresourcemanager.googleapis.com/projects/P.
func (*Kind) ExternalName(ref engine.Ref) string {
	return "//cloudresourcemanager.googleapis.com/" + nameOf(ref)
}

// Observe makes no call: the policy is read on its own.
func (*Kind) Observe(context.Context, engine.Ref) (Project, error) { return Project{}, nil }

// Describe has nothing to say: see fields.
func (*Kind) Describe(Project) *v1alpha1.ProjectPolicy { return &v1alpha1.ProjectPolicy{} }

// Identify has nothing to tell: a project's ID is never given to another.
func (*Kind) Identify(Project) engine.Identity { return engine.Identity{} }

// Report has no outputs to fill.
func (*Kind) Report(*v1alpha1.ProjectPolicy, Project) {}

// errNotOurs is what making, changing and deleting projects comes to. The engine asks for none of them: the project is always
// there, there is nothing of it to compare, and deleting the object is the policy's business.
var errNotOurs = &gcp.Error{Class: gcp.Invalid, Message: "projects themselves are not held"}

// Create fails: projects are not made.
func (*Kind) Create(context.Context, engine.Ref, *v1alpha1.ProjectPolicy) (Project, error) {
	return Project{}, errNotOurs
}

// Update has no calls: there is nothing besides the policy to change.
func (*Kind) Update(engine.Ref, *v1alpha1.ProjectPolicy, diff.Changes) []engine.Call[Project] {
	return nil
}

// Delete fails: projects are not deleted.
func (*Kind) Delete(context.Context, engine.Ref, Project) error { return errNotOurs }

// nameOf is the name that Resource Manager calls the project by.
func nameOf(ref engine.Ref) string { return "projects/" + ref.Project }
