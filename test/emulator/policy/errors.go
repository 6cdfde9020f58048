package policy

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// invalid is a refusal of what a policy says.
func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

// stale is the refusal of a write that was based on an older policy.
func stale() error {
	return status.Error(codes.Aborted, traffic.ConcurrentPolicyChanges)
}
