package projectpolicy

import "github.com/holdfast-dev/holdfast/internal/kind"

// methods are all that the kind calls. Resource Manager counts calls by the project that the credentials belong to.
//
// https://cloud.google.com/resource-manager/docs/access-control-proj
var methods = []kind.Method{
	{
		Service: kind.ServiceResourceManager, Name: "Projects.GetIamPolicy", Step: kind.StepGetPolicy, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"resourcemanager.projects.getIamPolicy"},
	},
	{
		Service: kind.ServiceResourceManager, Name: "Projects.SetIamPolicy", Step: kind.StepSetPolicy, Scope: kind.ScopeQuotaProject,
		// To change the policy is all that there is to manage.
		Permissions: []string{"resourcemanager.projects.setIamPolicy"}, Access: kind.AccessManage,
	},
}
