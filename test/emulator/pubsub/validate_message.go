package pubsub

import (
	"context"
	"encoding/json"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ValidateMessage checks that the schema exists and that a message in JSON is
// JSON; it does not compare the two.
func (ss schemaService) ValidateMessage(_ context.Context, request *pb.ValidateMessageRequest) (*pb.ValidateMessageResponse, error) {
	if _, err := ss.parent(request.GetParent()); err != nil {
		return nil, err
	}
	if err := ss.checkSpec(request); err != nil {
		return nil, err
	}
	if request.GetEncoding() == pb.Encoding_JSON && !json.Valid(request.GetMessage()) {
		return nil, status.Error(codes.InvalidArgument, "Invalid data in message: Message failed schema validation.")
	}
	return &pb.ValidateMessageResponse{}, nil
}

// checkSpec checks the schema that a message is to be compared with.
func (s *Service) checkSpec(request *pb.ValidateMessageRequest) error {
	if schema := request.GetSchema(); schema != nil {
		return validateSchema(schema)
	}
	n, revision, err := s.resolveRevision(request.GetName())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.revision(n, revision)
	return err
}
