package iampolicy

import "strings"

// reaching are the predefined roles that, granted on a project, reach its service accounts: they let somebody act as one, get its tokens,
// sign as it, create its keys, or let others do so, be it by changing policies or roles. Beside these there are all of IAM's own roles but
// for harmless, the roles of service agents, and custom roles.
//
// https://cloud.google.com/iam/docs/roles-permissions, by the permissions iam.serviceAccounts.{actAs, getAccessToken, getOpenIdToken,
// implicitDelegation, signBlob, signJwt, setIamPolicy}, iam.serviceAccountKeys.create, iam.roles.update and
// resourcemanager.{projects, folders, organizations}.setIamPolicy.
var reaching = map[string]bool{
	"roles/owner":  true,
	"roles/editor": true,
	"roles/admin":  true, // the basic roles that follow them
	"roles/writer": true,

	"roles/resourcemanager.projectIamAdmin":   true,
	"roles/resourcemanager.folderAdmin":       true,
	"roles/resourcemanager.folderIamAdmin":    true,
	"roles/resourcemanager.organizationAdmin": true,
	"roles/privilegedaccessmanager.admin":     true, // grants roles by its own service agent

	"roles/assuredworkloads.admin":                    true,
	"roles/cloudbuild.builds.builder":                 true,
	"roles/composer.environmentAndStorageObjectAdmin": true,
	"roles/composer.worker":                           true,
	"roles/config.agent":                              true,
	"roles/dataflow.admin":                            true,
	"roles/dataflow.developer":                        true,
	"roles/dataflow.worker":                           true,
	"roles/dataproc.hubAgent":                         true,
	"roles/dataproc.worker":                           true,
	"roles/deploymentmanager.editor":                  true, // deploys as the project's own editor
	"roles/firebase.admin":                            true,
	"roles/firebase.developAdmin":                     true,
	"roles/firebase.sdkAdminServiceAgent":             true,
	"roles/run.builder":                               true,
	"roles/run.sourceDeveloper":                       true,
	"roles/securitycenter.adminEditor":                true,
	"roles/workstations.networkAdmin":                 true,

	"roles/container.admin":        true, // runs pods as any Kubernetes service account of the project's clusters
	"roles/container.clusterAdmin": true,
	"roles/container.developer":    true,
	"roles/gkehub.gatewayAdmin":    true,
	"roles/gkehub.gatewayEditor":   true,
}

// harmless are the roles of IAM itself that do not.
var harmless = map[string]bool{
	"roles/iam.denyReviewer":                  true,
	"roles/iam.organizationRoleViewer":        true,
	"roles/iam.principalAccessBoundaryViewer": true,
	"roles/iam.roleViewer":                    true,
	"roles/iam.securityReviewer":              true,
	"roles/iam.serviceAccountViewer":          true,
	"roles/iam.supportUser":                   true,
	"roles/iam.workforcePoolViewer":           true,
	"roles/iam.workloadIdentityPoolViewer":    true,
}

// ReachesAccounts says whether somebody who has a role in a project may act as its service accounts by that, or let somebody do so.
// A custom role may have any permission, now or later.
func ReachesAccounts(role string) bool {
	switch {
	case !strings.HasPrefix(role, "roles/"), isServiceAgentRole(role), reaching[role]:
		return true
	default:
		return strings.HasPrefix(role, "roles/iam.") && !harmless[role]
	}
}
