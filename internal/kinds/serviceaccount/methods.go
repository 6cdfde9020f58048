package serviceaccount

import "github.com/holdfast-dev/holdfast/internal/kind"

// methods are all that the kind calls. IAM counts calls by the project that the credentials belong to.
//
// https://cloud.google.com/iam/docs/permissions-reference
// https://cloud.google.com/iam/quotas
var methods = []kind.Method{
	{
		Service: kind.ServiceIAM, Name: "IAM.GetServiceAccount", Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.get"},
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.CreateServiceAccount", Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.create"}, OnProject: true,
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.PatchServiceAccount", Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.update"},
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.EnableServiceAccount", Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.enable"},
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.DisableServiceAccount", Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.disable"},
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.DeleteServiceAccount", Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.delete"},
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.UndeleteServiceAccount", Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.undelete"},
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.GetIamPolicy", Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.getIamPolicy"}, For: "spec.iam",
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.SetIamPolicy", Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.setIamPolicy"}, For: "spec.iam",
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.ListServiceAccounts", Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.list"}, OnProject: true, For: kind.ForCount,
	},
}
