package transcode

import (
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// violation is one thing that is wrong with a request, in Google's words.
type violation struct {
	// field is the path of the field in the spelling of the proto file,
	// empty for the request itself.
	field       string
	description string
}

func (v violation) err() error { return violations{v}.err() }

type violations []violation

// err returns the violations as the 400 that Google's front end answers with,
// nil if there are none.
func (vs violations) err() error {
	if len(vs) == 0 {
		return nil
	}
	descriptions := make([]string, len(vs))
	bad := &errdetails.BadRequest{}
	for i, v := range vs {
		descriptions[i] = v.description
		bad.FieldViolations = append(bad.FieldViolations,
			&errdetails.BadRequest_FieldViolation{Field: v.field, Description: v.description})
	}
	s := status.New(codes.InvalidArgument, strings.Join(descriptions, "\n"))
	detailed, err := s.WithDetails(bad)
	if err != nil {
		return s.Err()
	}
	return detailed.Err()
}

// unknownName says that a JSON object has a member that it should not have.
func unknownName(name, path, why string) violation {
	at := ""
	if path != "" {
		at = fmt.Sprintf(" at '%s'", path)
	}
	return violation{field: path, description: fmt.Sprintf(
		"Invalid JSON payload received. Unknown name %q%s: %s", name, at, why)}
}

// invalidValue says that a field has a value of the wrong type; value is as it
// stood in the request.
func invalidValue(path string, field protoreflect.FieldDescriptor, value string) *violation {
	return &violation{field: path, description: fmt.Sprintf(
		"Invalid value at '%s' (%s), %s", path, typeName(field), value)}
}

// oneofTaken says that an object has two members of which only one may be
// there.
func oneofTaken(oneof protoreflect.OneofDescriptor, name, path string) violation {
	return violation{field: path, description: fmt.Sprintf(
		"Invalid value at '%s' (oneof), oneof field '%s' is already set. Cannot set '%s'", path, oneof.Name(), name)}
}

// typeName spells the type of a field as Google's errors do.
func typeName(field protoreflect.FieldDescriptor) string {
	switch {
	case field.Enum() != nil:
		return "type.googleapis.com/" + string(field.Enum().FullName())
	case field.Message() != nil:
		return "type.googleapis.com/" + string(field.Message().FullName())
	default:
		return "TYPE_" + strings.ToUpper(field.Kind().String())
	}
}
