package transcode

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxBody bounds a request's body, in bytes; Pub/Sub's own bound for publish
// requests is the largest of any service here.
const maxBody = 10 << 20

// bind fills a request from the body, the query and the path, in this order:
// what the path says stands.
func bind(request proto.Message, body string, variables map[string]string, r *http.Request) error {
	message := request.ProtoReflect()
	if body != "" {
		if err := bindBody(message, body, r.Body); err != nil {
			return err
		}
	}
	if err := bindQuery(message, r.URL.Query()); err != nil {
		return err
	}
	for path, value := range variables {
		if violation := setField(message, path, []string{value}); violation != nil {
			return violation.err()
		}
	}
	return nil
}

func bindBody(message protoreflect.Message, body string, reader io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(reader, maxBody+1))
	if err != nil {
		return status.Errorf(codes.InvalidArgument, "Failed to read the request body: %v", err)
	}
	if len(raw) > maxBody {
		return status.Errorf(codes.InvalidArgument, "Request payload size exceeds the limit: %d bytes.", maxBody)
	}
	if strings.TrimSpace(string(raw)) == "" {
		return nil
	}
	if body == "*" {
		return decodeJSON(raw, message, "")
	}
	field := message.Descriptor().Fields().ByName(protoreflect.Name(body))
	if field == nil || field.Message() == nil || field.IsList() || field.IsMap() {
		return status.Errorf(codes.Internal, "The body cannot fill the field %q.", body)
	}
	return decodeJSON(raw, message.Mutable(field).Message(), body)
}

// systemParameters are those that any Google API takes, see
// https://cloud.google.com/apis/docs/system-parameters. They are no fields of
// the request.
var systemParameters = map[string]bool{
	"alt": true, "fields": true, "prettyPrint": true, "key": true, "access_token": true,
	"oauth_token": true, "quotaUser": true, "userIp": true, "uploadType": true,
	"upload_protocol": true, "callback": true,
}

func isSystemParameter(name string) bool {
	return strings.HasPrefix(name, "$") || systemParameters[name]
}

func bindQuery(message protoreflect.Message, query url.Values) error {
	names := make([]string, 0, len(query))
	for name := range query {
		if !isSystemParameter(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var found violations
	for _, name := range names {
		if violation := setField(message, name, query[name]); violation != nil {
			found = append(found, *violation)
		}
	}
	return found.err()
}
