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

// wordless are denials of the caller that say neither what for nor on what.
var wordless = regexp.MustCompile(`(?i)^(user not authorized to perform this action|(the )?caller does not have permission|permission denied)\.?$`)

// nameDenial adds to a denial by a gRPC API which permission is missing on what, where Google leaves that out.
func (m methods) nameDenial(service kind.Service) grpc.UnaryClientInterceptor {
	return func(
		ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
	) error {
		err := invoke(ctx, method, req, reply, conn, opts...)
		st, ok := status.FromError(err)
		if !ok || st.Code() != codes.PermissionDenied {
			return err
		}
		declared := m[methodName{service, rpcMethod(method)}]
		a := rpcAnswer(st)
		refusal := a.classify(err)
		if len(declared.Permissions) == 0 || !a.denies(declared.Permissions[0], refusal) {
			return err
		}
		resource := routedTo(ctx)
		if declared.OnProject {
			resource = projectOf(resource)
		}
		refusal.Permission, refusal.Resource = declared.Permissions[0], cmp.Or(refusal.Resource, resource)
		return &denial{refusal, st}
	}
}

// projectOf cuts projects/p/topics/t down to projects/p.
func projectOf(resource string) string {
	segments := strings.SplitN(resource, "/", 3)
	return strings.Join(segments[:min(2, len(segments))], "/")
}

// denies says whether a refusal is because the permission is missing, and not for another reason, such as a disabled API or another
// permission.
func (a answer) denies(permission string, refusal *Error) bool {
	if refusal.Class != kind.Denied || refusal.Denial != (kind.Denial{}) {
		return false
	}
	unnamed := wordless.MatchString(a.message) || slices.Contains(a.reasons, "IAM_PERMISSION_DENIED")
	return refusal.Permission == permission || refusal.Permission == "" && unnamed
}

// denial carries an Error through gRPC, with what Google said.
type denial struct {
	err    *Error
	answer *status.Status
}

func (d *denial) Error() string { return d.err.Error() }

// Unwrap returns the *Error.
func (d *denial) Unwrap() error { return d.err }

// GRPCStatus implements the interface that gRPC asks errors for.
func (d *denial) GRPCStatus() *status.Status { return d.answer }
