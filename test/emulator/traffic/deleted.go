package traffic

import (
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ProjectDeleted is what the services behind Google's common front say of a
// project that is shut down, as reports show.
func ProjectDeleted(service string, number int64) error {
	s := status.New(codes.PermissionDenied, fmt.Sprintf("Project #%d has been deleted.", number))
	detailed, err := s.WithDetails(&errdetails.ErrorInfo{
		Reason: "CONSUMER_INVALID", Domain: "googleapis.com",
		Metadata: map[string]string{"service": apiHost(service), "consumer": fmt.Sprintf("projects/%d", number)},
	})
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}
