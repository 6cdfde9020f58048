package iam

import (
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The errors of IAM, in its own words where these are recorded or documented.

func withDetail(code codes.Code, message string, detail protoadapt.MessageV1) error {
	s := status.New(code, message)
	detailed, err := s.WithDetails(detail)
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

func unknown() error { return status.Error(codes.NotFound, "Unknown service account") }

// unseen is what a call is told that does not find an account which exists.
func unseen(a account) error {
	return status.Errorf(codes.NotFound, "Service account %s does not exist.", resourceName(a))
}

func alreadyExists(a account) error {
	return withDetail(codes.AlreadyExists,
		fmt.Sprintf("Service account %s already exists within project projects/%s.", a.ID, a.Project),
		&errdetails.ResourceInfo{ResourceName: resourceName(a)})
}

// tooMany is the refusal of an account over the quota. The time to wait is
// Google's: it does not think that one comes back sooner.
func tooMany() error {
	return withDetail(codes.ResourceExhausted, "Maximum number of service accounts on project reached.",
		&errdetails.RetryInfo{RetryDelay: durationpb.New(86401 * time.Second)})
}

func notDeleted(a account) error {
	return status.Errorf(codes.FailedPrecondition, "Service account %s is not deleted.", a.UniqueID)
}

func replaced(a account) error {
	return status.Errorf(codes.FailedPrecondition,
		"Service account %s cannot be undeleted, since another one with the e-mail address %s exists.", a.UniqueID, a.Email())
}

// denied is the refusal of IAM, which does not say whether the resource
// exists.
func denied(permission, resource string) error {
	return withDetail(codes.PermissionDenied,
		fmt.Sprintf("Permission '%s' denied on resource (or it may not exist).", permission),
		&errdetails.ErrorInfo{
			Reason: "IAM_PERMISSION_DENIED", Domain: "iam.googleapis.com",
			Metadata: map[string]string{"permission": permission, "resource": resource},
		})
}
