package pubsub

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The errors of Pub/Sub, in its own words where these are recorded or
// documented.

func invalidName(full string) error {
	return status.Errorf(codes.InvalidArgument,
		"Invalid resource name given (name=%s). Refer to https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information.", full)
}

// invalidArgument refuses a value; argument says which, as in
// "Topic::kms_key_name". Google uses this sentence for whatever has none of
// its own; which part of a topic it names when is not always known.
func invalidArgument(argument string) error {
	return status.Errorf(codes.InvalidArgument,
		"You have passed an invalid argument to the service (argument=%s).", argument)
}

// notFound names the resource as Pub/Sub does: topics and subscriptions by
// their ID, schemas by their full name.
func notFound(resource string) error {
	return status.Errorf(codes.NotFound, "Resource not found (resource=%s).", resource)
}

// noEncoding refuses a schema without the encoding of messages. Reports show
// the beginning of the sentence.
func noEncoding(topic name) error {
	return status.Errorf(codes.InvalidArgument, "Schema settings for the topic %s must specify an encoding.", topic)
}

func alreadyExists(resource string) error {
	return status.Errorf(codes.AlreadyExists, "Resource already exists in the project (resource=%s).", resource)
}

func projectNotFound(id string) error {
	return status.Errorf(codes.NotFound,
		"Requested project not found or user does not have access to it (project=%s). Make sure to specify the unique project identifier and not the Google Cloud Console display name.", id)
}

func notAuthorized() error {
	return status.Error(codes.PermissionDenied, "User not authorized to perform this action.")
}

// outOfBounds refuses a duration that is not between two others.
func outOfBounds(what string, value, least, most time.Duration) error {
	return status.Errorf(codes.InvalidArgument,
		"The value for %s is out of bounds. You passed %s in the request, but the value must be between %s and %s.",
		what, humanDuration(value), humanDuration(least), humanDuration(most))
}

// humanDuration writes durations as Pub/Sub's errors do: 9m59s, 10m, 744h.
func humanDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func failedPrecondition(format string, args ...any) error {
	return status.Error(codes.FailedPrecondition, fmt.Sprintf(format, args...))
}
