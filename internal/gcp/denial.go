package gcp

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// permission is what a call needs.
type permission struct {
	name string
	// onProject says that it is needed on the project of the resource in the call, which does not exist yet.
	onProject bool
}

// permissions are those that our calls to the gRPC APIs need. Cloud Storage names the permission itself.
//
// https://cloud.google.com/pubsub/docs/access-control
// https://cloud.google.com/iam/docs/permissions-reference
var permissions = map[string]permission{
	"/google.pubsub.v1.Publisher/GetTopic":                   {name: "pubsub.topics.get"},
	"/google.pubsub.v1.Publisher/ListTopics":                 {name: "pubsub.topics.list"},
	"/google.pubsub.v1.Publisher/CreateTopic":                {name: "pubsub.topics.create", onProject: true},
	"/google.pubsub.v1.Publisher/UpdateTopic":                {name: "pubsub.topics.update"},
	"/google.pubsub.v1.Publisher/DeleteTopic":                {name: "pubsub.topics.delete"},
	"/google.iam.v1.IAMPolicy/GetIamPolicy":                  {name: "pubsub.topics.getIamPolicy"}, // the others have methods of their own for it
	"/google.iam.v1.IAMPolicy/SetIamPolicy":                  {name: "pubsub.topics.setIamPolicy"},
	"/google.iam.admin.v1.IAM/GetIamPolicy":                  {name: "iam.serviceAccounts.getIamPolicy"},
	"/google.iam.admin.v1.IAM/SetIamPolicy":                  {name: "iam.serviceAccounts.setIamPolicy"},
	"/google.iam.admin.v1.IAM/GetServiceAccount":             {name: "iam.serviceAccounts.get"},
	"/google.iam.admin.v1.IAM/ListServiceAccounts":           {name: "iam.serviceAccounts.list"},
	"/google.iam.admin.v1.IAM/CreateServiceAccount":          {name: "iam.serviceAccounts.create"},
	"/google.iam.admin.v1.IAM/PatchServiceAccount":           {name: "iam.serviceAccounts.update"},
	"/google.iam.admin.v1.IAM/EnableServiceAccount":          {name: "iam.serviceAccounts.enable"},
	"/google.iam.admin.v1.IAM/DisableServiceAccount":         {name: "iam.serviceAccounts.disable"},
	"/google.iam.admin.v1.IAM/DeleteServiceAccount":          {name: "iam.serviceAccounts.delete"},
	"/google.iam.admin.v1.IAM/UndeleteServiceAccount":        {name: "iam.serviceAccounts.undelete"},
	"/google.cloud.resourcemanager.v3.Projects/GetProject":   {name: "resourcemanager.projects.get"},
	"/google.cloud.resourcemanager.v3.Projects/GetIamPolicy": {name: "resourcemanager.projects.getIamPolicy"},
	"/google.cloud.resourcemanager.v3.Projects/SetIamPolicy": {name: "resourcemanager.projects.setIamPolicy"},
}

// wordless are denials that name neither a permission nor a resource.
var wordless = regexp.MustCompile(`(?i)^(user not authorized to perform this action|(the )?caller does not have permission|permission denied)\.?$`)

// nameDenial is a grpc.UnaryClientInterceptor that adds to a denial which permission is missing on what, where Google leaves
// that out.
func nameDenial(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	err := invoke(ctx, method, req, reply, conn, opts...)
	st, ok := status.FromError(err)
	if !ok || st.Code() != codes.PermissionDenied {
		return err
	}
	a := rpcAnswer(st)
	refusal, wanted := a.classify(err), permissions[method]
	if !a.denies(wanted.name, refusal) {
		return err
	}
	refusal.Permission, refusal.Resource = wanted.name, cmp.Or(refusal.Resource, wanted.on(routedTo(ctx)))
	return &denial{refusal, st}
}

// denies says whether a refusal is because the permission is missing, and not for another reason, such as a disabled API or another
// permission.
func (a answer) denies(permission string, refusal *Error) bool {
	if refusal.Class != kind.Denied || permission == "" {
		return false
	}
	unnamed := wordless.MatchString(a.message) || slices.Contains(a.reasons, "IAM_PERMISSION_DENIED")
	return refusal.Permission == permission || refusal.Permission == "" && unnamed
}

// on is the resource on which a call about a resource needs the permission.
func (p permission) on(resource string) string {
	parts := strings.Split(resource, "/")
	if p.onProject && len(parts) > 2 {
		parts = parts[:2]
	}
	return strings.Join(parts, "/")
}

// denial carries an Error through gRPC, with Google's answer.
type denial struct {
	err    *Error
	answer *status.Status
}

func (d *denial) Error() string { return d.err.Error() }

// Unwrap returns the *Error.
func (d *denial) Unwrap() error { return d.err }

// GRPCStatus implements the interface that gRPC asks errors for.
func (d *denial) GRPCStatus() *status.Status { return d.answer }
