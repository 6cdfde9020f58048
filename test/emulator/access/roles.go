package access

// role is what a predefined role is for, as far as the emulator has methods.
type role struct {
	includes, excludes []string
}

// predefined are the roles that tests use, by the permissions that Google
// documents for them. A role that is not here gives nothing.
//
// https://cloud.google.com/iam/docs/roles-permissions
// https://cloud.google.com/storage/docs/access-control/iam-roles
var predefined = map[string]role{
	// Nobody gets tokens or keys' signatures by a basic role, but an owner can grant them to himself.
	"roles/owner": {includes: []string{"*"}, excludes: asAnAccount},
	"roles/editor": {includes: []string{"*"}, excludes: append([]string{
		"resourcemanager.projects.setIamPolicy", "resourcemanager.projects.delete", "resourcemanager.projects.undelete",
		"iam.serviceAccounts.setIamPolicy", "pubsub.topics.setIamPolicy", "storage.buckets.setIamPolicy", "storage.buckets.getIamPolicy",
		"storage.buckets.get", "storage.buckets.update", "storage.objects.*",
	}, asAnAccount...)},
	"roles/viewer": {includes: []string{
		"resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "iam.serviceAccounts.get", "iam.serviceAccounts.list",
		"iam.serviceAccounts.getIamPolicy", "pubsub.topics.get", "pubsub.topics.list", "pubsub.schemas.get", "pubsub.schemas.list",
		"storage.buckets.list",
	}},
	"roles/resourcemanager.projectIamAdmin": {includes: []string{
		"resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy",
	}},
	"roles/iam.serviceAccountAdmin": {includes: []string{"resourcemanager.projects.get", "iam.serviceAccounts.*"}, excludes: asAnAccount},
	"roles/iam.serviceAccountUser": {includes: []string{
		"resourcemanager.projects.get", "iam.serviceAccounts.get", "iam.serviceAccounts.list", "iam.serviceAccounts.actAs",
	}},
	"roles/iam.serviceAccountTokenCreator": {includes: append([]string{"iam.serviceAccounts.get", "iam.serviceAccounts.list"}, asAnAccount...)},
	"roles/iam.workloadIdentityUser": {includes: []string{
		"iam.serviceAccounts.get", "iam.serviceAccounts.list", "iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken",
	}},
	"roles/cloudasset.viewer": {includes: []string{"cloudasset.assets.*"}},
	"roles/pubsub.admin":      {includes: []string{"resourcemanager.projects.get", "pubsub.*"}},
	"roles/pubsub.publisher":  {includes: []string{"pubsub.topics.publish"}},
	"roles/storage.admin":     {includes: []string{"resourcemanager.projects.get", "storage.*"}},
	"roles/storage.objectAdmin": {includes: []string{
		"resourcemanager.projects.get", "storage.objects.*", "storage.folders.*", "storage.managedFolders.*",
	}},
	"roles/storage.objectViewer":  {includes: []string{"resourcemanager.projects.get", "storage.objects.get", "storage.objects.list"}},
	"roles/storage.objectCreator": {includes: []string{"resourcemanager.projects.get", "storage.objects.create"}},
	"roles/storage.legacyBucketOwner": {includes: []string{
		"storage.buckets.get", "storage.buckets.getIamPolicy", "storage.buckets.setIamPolicy", "storage.buckets.update", "storage.objects.create",
		"storage.objects.delete", "storage.objects.list",
	}},
	"roles/storage.legacyBucketReader": {includes: []string{
		"storage.buckets.get", "storage.objects.list",
	}},
}

// asAnAccount are the permissions by which one becomes a service account.
var asAnAccount = []string{
	"iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken", "iam.serviceAccounts.signBlob",
	"iam.serviceAccounts.signJwt", "iam.serviceAccounts.implicitDelegation",
}
