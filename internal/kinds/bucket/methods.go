package bucket

import "github.com/holdfast-dev/holdfast/internal/kind"

// forContents is the case in which what is in a bucket is listed and deleted.
const forContents = "deletionPolicy: DeleteWithContents"

// methods are all of Google's methods that are called. One that needs further permissions for some fields is there once more for each.
//
// https://cloud.google.com/storage/docs/access-control/iam-json
var methods = []kind.Method{
	{
		Service: kind.ServiceStorage, Name: "buckets.get", Step: kind.StepObserve, Scope: kind.ScopeProject,
		Permissions: []string{"storage.buckets.get"},
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.insert", Step: kind.StepCreate, Scope: kind.ScopeProject, OnProject: true,
		Permissions: []string{"storage.buckets.create"},
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.patch", Step: kind.StepUpdate, Scope: kind.ScopeBucket,
		Permissions: []string{"storage.buckets.update"},
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.lockRetentionPolicy", Step: kind.StepUpdate, Scope: kind.ScopeBucket,
		Permissions: []string{"storage.buckets.update"},
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.delete", Step: kind.StepDelete, Scope: kind.ScopeProject,
		Permissions: []string{"storage.buckets.delete"},
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.patch", Step: kind.StepUpdate, Scope: kind.ScopeBucket, For: "spec.publicAccessPrevention",
		Permissions: []string{"storage.buckets.setIamPolicy"}, Access: kind.AccessGrant,
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.get", Step: kind.StepObserve, Scope: kind.ScopeProject, For: "spec.ipFilter",
		Permissions: []string{"storage.buckets.getIpFilter"},
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.insert", Step: kind.StepCreate, Scope: kind.ScopeProject, For: "spec.ipFilter",
		Permissions: []string{"storage.buckets.setIpFilter"},
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.patch", Step: kind.StepUpdate, Scope: kind.ScopeBucket, For: "spec.ipFilter",
		Permissions: []string{"storage.buckets.setIpFilter"},
	},
	{
		// Of all methods that name the bucket, on its project, unless it is resourcemanager.projects.createBillingAssignment.
		Service: kind.ServiceStorage, Name: "buckets.get", Step: kind.StepObserve, Scope: kind.ScopeProject,
		For: "spec.requesterPays", OnProject: true,
		Permissions: []string{"serviceusage.services.use"}, Access: kind.AccessQuota,
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.insert", Step: kind.StepCreate, Scope: kind.ScopeProject, For: "spec.objectRetention",
		Permissions: []string{"storage.buckets.enableObjectRetention"},
	},
	{
		Service: kind.ServiceStorage, Name: "objects.list", Step: kind.StepEmpty, Scope: kind.ScopeContents, For: forContents,
		Permissions: []string{"storage.objects.list"},
	},
	{
		Service: kind.ServiceStorage, Name: "objects.delete", Step: kind.StepEmpty, Scope: kind.ScopeContents, For: forContents,
		Permissions: []string{"storage.objects.delete"},
	},
	{
		Service: kind.ServiceStorage, Name: "folders.list", Step: kind.StepEmpty, Scope: kind.ScopeContents, For: forContents,
		Permissions: []string{"storage.folders.list"},
	},
	{
		Service: kind.ServiceStorage, Name: "folders.delete", Step: kind.StepEmpty, Scope: kind.ScopeContents, For: forContents,
		Permissions: []string{"storage.folders.delete"},
	},
	{
		Service: kind.ServiceStorage, Name: "managedFolders.list", Step: kind.StepEmpty, Scope: kind.ScopeContents, For: forContents,
		Permissions: []string{"storage.managedFolders.list"},
	},
	{
		Service: kind.ServiceStorage, Name: "managedFolders.delete", Step: kind.StepEmpty, Scope: kind.ScopeContents, For: forContents,
		Permissions: []string{"storage.managedFolders.delete"},
	},
	{
		Service: kind.ServiceStorage, Name: "anywhereCaches.list", Step: kind.StepEmpty, Scope: kind.ScopeContents, For: forContents,
		Permissions: []string{"storage.anywhereCaches.list"},
	},
	{
		Service: kind.ServiceStorage, Name: "anywhereCaches.disable", Step: kind.StepEmpty, Scope: kind.ScopeContents, For: forContents,
		Permissions: []string{"storage.anywhereCaches.disable"},
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.getIamPolicy", Step: kind.StepGetPolicy, Scope: kind.ScopeProject, For: "spec.iam",
		Permissions: []string{"storage.buckets.getIamPolicy"},
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.setIamPolicy", Step: kind.StepSetPolicy, Scope: kind.ScopeBucket, For: "spec.iam",
		Permissions: []string{"storage.buckets.setIamPolicy"},
	},
	{
		Service: kind.ServiceStorage, Name: "buckets.list", Step: kind.StepList, Scope: kind.ScopeProject, For: kind.ForLists, OnProject: true,
		Permissions: []string{"storage.buckets.list"},
	},
}
