package serviceaccount

import "github.com/holdfast-dev/holdfast/internal/kind"

// methods are all that the kind calls. IAM counts calls by the project that the credentials belong to.
//
// https://cloud.google.com/iam/docs/permissions-reference
// https://cloud.google.com/iam/quotas
var methods = []kind.Method{
	{
		Service: kind.ServiceIAM, Name: "IAM.GetServiceAccount", Step: kind.StepObserve, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.get"},
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.CreateServiceAccount", Step: kind.StepCreate, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.create"}, OnProject: true,
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.PatchServiceAccount", Step: kind.StepUpdate, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.update"},
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.EnableServiceAccount", Step: kind.StepUpdate, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.enable"}, For: "spec.disabled",
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.DisableServiceAccount", Step: kind.StepUpdate, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.disable"}, For: "spec.disabled",
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.DeleteServiceAccount", Step: kind.StepDelete, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.delete"},
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.UndeleteServiceAccount", Step: kind.StepUndelete, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.undelete"}, For: kind.ForUndelete,
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.GetIamPolicy", Step: kind.StepGetPolicy, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.getIamPolicy"}, For: "spec.iam",
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.SetIamPolicy", Step: kind.StepSetPolicy, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.setIamPolicy"}, For: "spec.iam",
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.ListServiceAccounts", Step: kind.StepList, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.list"}, OnProject: true, For: kind.ForSweep,
	},
}
