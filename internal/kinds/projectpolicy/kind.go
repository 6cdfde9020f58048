// Package projectpolicy is all that is special to the kind ProjectPolicy: the IAM policy of a project, in whole or in part.
// The project is there before the manifest, and nothing of it is held but its policy.
package projectpolicy

import (
	"context"

	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Kind is the kind ProjectPolicy.
type Kind struct {
	client ClientFunc
}

// ClientFunc returns the client that acts as a service account; as the manager itself where impersonate is empty. The client
// does not retry.
type ClientFunc func(ctx context.Context, impersonate string) (*resourcemanager.ProjectsClient, error)

var (
	_ kind.Resource[*v1alpha1.ProjectPolicy] = (*Kind)(nil)
	_ kind.Policied[*v1alpha1.ProjectPolicy] = (*Kind)(nil)
)

// New returns the kind, which reaches Resource Manager through client.
func New(client ClientFunc) *Kind {
	return &Kind{client: client}
}

// Traits are the facts about project policies that the engine decides by.
func (*Kind) Traits() kind.Traits {
	return kind.Traits{
		Kind: "ProjectPolicy", Plural: "projectpolicies", Name: "project policy", Methods: methods, AssetType: kind.ProjectAsset,
		ConsolePath: "iam-admin/iam?project={project}",
	}
}

// New returns an empty ProjectPolicy.
func (*Kind) New() *v1alpha1.ProjectPolicy { return &v1alpha1.ProjectPolicy{} }

// ExternalName is //cloudresourcemanager.googleapis.com/projects/P.
func (*Kind) ExternalName(ref kind.Ref) string {
	return "//cloudresourcemanager.googleapis.com/" + nameOf(ref)
}

// nameOf is the name that Resource Manager calls the project by.
func nameOf(ref kind.Ref) string { return "projects/" + ref.Project }
