package gcp

import (
	"context"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Class says what can be done about a failed call.
type Class string

// The classes. A failure that fits none of the others is Unavailable.
const (
	// NotFound: the resource does not exist. A missing project, or one that may not be seen, is Denied instead, because
	// it says nothing about the resource.
	NotFound Class = "NotFound"
	// AlreadyExists: something has that name.
	AlreadyExists Class = "AlreadyExists"
	// Conflict: the resource changed between reading and writing (etag, metageneration). Read again and plan again.
	Conflict Class = "Conflict"
	// NotEmpty: the resource that should be deleted has contents.
	NotEmpty Class = "NotEmpty"
	// Throttled: too many calls. Retry after RetryAfter.
	Throttled Class = "Throttled"
	// QuotaExceeded: Google allows no more of the resource. Waiting does not help.
	QuotaExceeded Class = "QuotaExceeded"
	// Denied: a permission is missing, an organization policy forbids it, an API or an account is disabled.
	Denied Class = "Denied"
	// Invalid: Google rejected the request, and would reject it again.
	Invalid Class = "Invalid"
	// Unavailable: no answer, or none to rely on. A write may or may not have happened.
	Unavailable Class = "Unavailable"
)

// Error is a failed call to Google Cloud.
type Error struct {
	// Class says what can be done about it.
	Class Class
	// Permission is the missing permission, such as storage.buckets.get. Empty if Google does not name it, or nothing is
	// Denied.
	Permission string
	// Resource is what the permission is missing on, such as projects/p/topics/t. Empty if Google does not name it.
	Resource string
	// RetryAfter is how long to wait before a retry, at most an hour. 0 if Google does not say.
	RetryAfter time.Duration
	// Message is Google's own message, without what the layers in between have wrapped around it. The same failure has the same
	// message. At most maxMessage bytes of UTF-8 on one line.
	Message string
	// Err is the error as it was returned.
	Err error
}

// Error returns the text of the error as it was returned, with all that was wrapped around it.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Err.Error()
}

// Unwrap returns the error as it was returned.
func (e *Error) Unwrap() error { return e.Err }

// Classify classifies a failed call to Google Cloud. It returns nil for nil, and only then. An *Error that err
// wraps is returned as it is.
func Classify(err error) *Error {
	if err == nil {
		return nil
	}
	if classified, ok := errors.AsType[*Error](err); ok {
		return classified
	}
	if httpErr, ok := errors.AsType[*googleapi.Error](err); ok {
		return httpAnswer(httpErr).classify(err)
	}
	if errors.Is(err, storage.ErrBucketNotExist) || errors.Is(err, storage.ErrObjectNotExist) {
		return &Error{Class: NotFound, Message: tidy(err.Error()), Err: err}
	}
	if cut := interruption(err); cut != "" {
		return &Error{Class: Unavailable, Message: cut, Err: err}
	}
	// Not status.FromError, which adds everything that was wrapped around the message.
	var rpcErr interface{ GRPCStatus() *status.Status }
	if errors.As(err, &rpcErr) && rpcErr.GRPCStatus().Code() != codes.OK {
		return rpcAnswer(rpcErr.GRPCStatus()).classify(err)
	}
	return &Error{Class: Unavailable, Message: tidy(err.Error()), Err: err}
}

// IsNotFound says that the resource does not exist.
func IsNotFound(err error) bool { return is(err, NotFound) }

// IsAlreadyExists says that something has that name.
func IsAlreadyExists(err error) bool { return is(err, AlreadyExists) }

// IsConflict says that the resource changed between reading and writing.
func IsConflict(err error) bool { return is(err, Conflict) }

// IsNotEmpty says that the resource to be deleted has contents.
func IsNotEmpty(err error) bool { return is(err, NotEmpty) }

// IsThrottled says that there were too many calls.
func IsThrottled(err error) bool { return is(err, Throttled) }

// IsQuotaExceeded says that there are as many of the resource as there may be.
func IsQuotaExceeded(err error) bool { return is(err, QuotaExceeded) }

// IsDenied says that a permission is missing.
func IsDenied(err error) bool { return is(err, Denied) }

// IsInvalid says that Google refuses what was asked for.
func IsInvalid(err error) bool { return is(err, Invalid) }

// IsUnavailable says that there was no answer to rely on.
func IsUnavailable(err error) bool { return is(err, Unavailable) }

func is(err error, class Class) bool { return err != nil && Classify(err).Class == class }

const tooLate = "Google Cloud did not answer in time"

// interruption describes a call that ended without an answer, or returns "" if err is not about that.
func interruption(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return tooLate
	}
	if errors.Is(err, context.Canceled) {
		return "the call was cancelled"
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		return tidy(op.Op + " " + op.Addr.String() + ": " + op.Err.Error())
	}
	if request, ok := errors.AsType[*url.Error](err); ok {
		return tidy(request.Err.Error())
	}
	return ""
}

// maxMessage bounds messages, in bytes, so that they fit into a condition together with others.
const maxMessage = 1000

// localAddress is the end of a connection that differs each time: "read tcp 10.0.0.7:52410->142.250.1.95:443".
var localAddress = regexp.MustCompile(`\S+:\d+->`)

// tidy normalizes a message: one line of valid UTF-8, bounded, and the same each time.
func tidy(message string) string {
	message = strings.ToValidUTF8(message, "�")
	message = localAddress.ReplaceAllString(message, "")
	message = strings.Join(strings.Fields(message), " ")
	if len(message) <= maxMessage {
		return message
	}
	cut := maxMessage - len("…")
	for !utf8.RuneStart(message[cut]) {
		cut--
	}
	return message[:cut] + "…"
}
