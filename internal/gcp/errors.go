package gcp

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"regexp"
	"strings"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Error is a failed call to Google Cloud.
type Error = kind.Error

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
		return &Error{Class: kind.NotFound, Message: tidy(err.Error()), Err: err}
	}
	if cut := interruption(err); cut != "" {
		return &Error{Class: kind.Unavailable, Message: cut, Err: err}
	}
	// Not status.FromError, which adds everything that was wrapped around the message.
	var rpcErr interface{ GRPCStatus() *status.Status }
	if errors.As(err, &rpcErr) && rpcErr.GRPCStatus().Code() != codes.OK {
		return rpcAnswer(rpcErr.GRPCStatus()).classify(err)
	}
	return &Error{Class: kind.Unavailable, Message: cmp.Or(tidy(err.Error()), "an error without an explanation"), Err: err}
}

// IsNotFound says that the resource does not exist.
func IsNotFound(err error) bool { return is(err, kind.NotFound) }

// IsAlreadyExists says that something has that name.
func IsAlreadyExists(err error) bool { return is(err, kind.AlreadyExists) }

// IsConflict says that the resource changed between reading and writing.
func IsConflict(err error) bool { return is(err, kind.Conflict) }

// IsNotEmpty says that the resource to be deleted has contents.
func IsNotEmpty(err error) bool { return is(err, kind.NotEmpty) }

// IsRetained says that a hold or a retention keeps something from being deleted.
func IsRetained(err error) bool { return is(err, kind.Retained) }

// IsThrottled says that there were too many calls.
func IsThrottled(err error) bool { return is(err, kind.Throttled) }

// IsLimited says that Holdfast itself refused the call, to keep within its own limits: nothing was sent.
func IsLimited(err error) bool { return err != nil && Classify(err).Ours }

// IsQuotaExceeded says that there are as many of the resource as there may be.
func IsQuotaExceeded(err error) bool { return is(err, kind.QuotaExceeded) }

// IsDenied says that a permission is missing.
func IsDenied(err error) bool { return is(err, kind.Denied) }

// IsInvalid says that Google refuses what was asked for.
func IsInvalid(err error) bool { return is(err, kind.Invalid) }

// IsUnavailable says that there was no answer to rely on.
func IsUnavailable(err error) bool { return is(err, kind.Unavailable) }

func is(err error, class kind.Class) bool { return err != nil && Classify(err).Class == class }

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
	return text.Cut(message, maxMessage)
}
