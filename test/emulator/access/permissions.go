package access

import (
	"net/http"
	"strings"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// permissions are what calls need, by the name of the service and the method;
// empty where a caller needs none. Those of Cloud Storage follow from its
// methods, see [traffic.StoragePermission].
//
// https://cloud.google.com/pubsub/docs/access-control
// https://cloud.google.com/iam/docs/permissions-reference
// https://cloud.google.com/resource-manager/docs/access-control-proj
// https://cloud.google.com/asset-inventory/docs/roles-permissions
var permissions = map[string]string{
	"pubsub Publisher.CreateTopic":                "pubsub.topics.create",
	"pubsub Publisher.GetTopic":                   "pubsub.topics.get",
	"pubsub Publisher.UpdateTopic":                "pubsub.topics.update",
	"pubsub Publisher.DeleteTopic":                "pubsub.topics.delete",
	"pubsub Publisher.ListTopics":                 "pubsub.topics.list",
	"pubsub Publisher.Publish":                    "pubsub.topics.publish",
	"pubsub Publisher.DetachSubscription":         "pubsub.topics.detachSubscription",
	"pubsub IAMPolicy.GetIamPolicy":               "pubsub.topics.getIamPolicy",
	"pubsub IAMPolicy.SetIamPolicy":               "pubsub.topics.setIamPolicy",
	"pubsub IAMPolicy.TestIamPermissions":         "",
	"pubsub SchemaService.CreateSchema":           "pubsub.schemas.create",
	"pubsub SchemaService.GetSchema":              "pubsub.schemas.get",
	"pubsub SchemaService.DeleteSchema":           "pubsub.schemas.delete",
	"pubsub SchemaService.ListSchemas":            "pubsub.schemas.list",
	"pubsub SchemaService.ValidateSchema":         "pubsub.schemas.validate",
	"pubsub Subscriber.CreateSubscription":        "pubsub.subscriptions.create",
	"pubsub Subscriber.GetSubscription":           "pubsub.subscriptions.get",
	"pubsub Subscriber.DeleteSubscription":        "pubsub.subscriptions.delete",
	"iam IAM.ListServiceAccounts":                 "iam.serviceAccounts.list",
	"iam IAM.GetServiceAccount":                   "iam.serviceAccounts.get",
	"iam IAM.CreateServiceAccount":                "iam.serviceAccounts.create",
	"iam IAM.UpdateServiceAccount":                "iam.serviceAccounts.update",
	"iam IAM.PatchServiceAccount":                 "iam.serviceAccounts.update",
	"iam IAM.DeleteServiceAccount":                "iam.serviceAccounts.delete",
	"iam IAM.UndeleteServiceAccount":              "iam.serviceAccounts.undelete",
	"iam IAM.EnableServiceAccount":                "iam.serviceAccounts.enable",
	"iam IAM.DisableServiceAccount":               "iam.serviceAccounts.disable",
	"iam IAM.GetIamPolicy":                        "iam.serviceAccounts.getIamPolicy",
	"iam IAM.SetIamPolicy":                        "iam.serviceAccounts.setIamPolicy",
	"iam IAM.TestIamPermissions":                  "",
	"iamcredentials GenerateAccessToken":          "iam.serviceAccounts.getAccessToken",
	"resourcemanager Projects.GetProject":         "resourcemanager.projects.get",
	"resourcemanager Projects.DeleteProject":      "resourcemanager.projects.delete",
	"resourcemanager Projects.UndeleteProject":    "resourcemanager.projects.undelete",
	"resourcemanager Projects.UpdateProject":      "resourcemanager.projects.update",
	"resourcemanager Projects.GetIamPolicy":       "resourcemanager.projects.getIamPolicy",
	"resourcemanager Projects.SetIamPolicy":       "resourcemanager.projects.setIamPolicy",
	"resourcemanager Projects.TestIamPermissions": "",
	"asset AssetService.ListAssets":               "", // it depends on what is listed
}

// permissionOf is the permission that a call needs whatever it says, empty if
// none; what its content needs besides the service looks at. It is unknown
// for calls that the tables lack.
func permissionOf(call traffic.Call) (permission string, known bool) {
	if call.Service == "storage" {
		return traffic.StoragePermission(call.Method), true
	}
	permission, known = permissions[call.String()]
	return permission, known
}

// onProject says that no resource can have the permission: it is there before
// the resource is, or is about all of them.
func onProject(permission string) bool {
	service, rest, _ := strings.Cut(permission, ".")
	collection, verb, _ := strings.Cut(rest, ".")
	switch service {
	case "resourcemanager", "cloudasset":
		return true
	case "storage":
		if collection != "buckets" {
			return false
		}
	}
	return verb == "create" || verb == "list"
}

// useProject is the permission to have a project's quota used.
const useProject = "serviceusage.services.use"

// notBilled is how Google says that the caller may not have a project's quota
// used.
func notBilled(call traffic.Call, project string) *traffic.Refusal {
	return &traffic.Refusal{
		Call: call, Status: http.StatusForbidden,
		Message: "Caller does not have required permission to use project " + project + ". Grant the caller the " +
			"roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission, by visiting " +
			"https://console.developers.google.com/iam-admin/iam/project?project=" + project + " and then retry. " +
			"Propagation of the new permission may take a few minutes.",
		Details: &traffic.Details{Info: "USER_PROJECT_DENIED", Metadata: map[string]string{"consumer": "projects/" + project}},
	}
}

// denied is how a service says that a permission is missing.
func denied(call traffic.Call, email, permission string) *traffic.Refusal {
	refusal := &traffic.Refusal{Call: call, Status: http.StatusForbidden}
	switch call.Service {
	case "storage":
		refusal.Message = traffic.StorageDeniedTo(email, call.Method)
	case "iam", "iamcredentials":
		refusal.Message = "Permission '" + permission + "' denied on resource (or it may not exist)."
		refusal.Details = info(permission, accountName(call))
	case "resourcemanager":
		refusal.Details = info(permission, "projects/"+call.Project)
	}
	return refusal
}

func info(permission, resource string) *traffic.Details {
	return &traffic.Details{Info: "IAM_PERMISSION_DENIED", Metadata: map[string]string{"permission": permission, "resource": resource}}
}

func accountName(call traffic.Call) string {
	if call.Resource == "" {
		return "projects/" + call.Project
	}
	return "projects/" + call.Project + "/serviceAccounts/" + call.Resource + "@" + call.Project + ".iam.gserviceaccount.com"
}
