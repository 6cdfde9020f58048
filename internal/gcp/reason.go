package gcp

import (
	"context"
	"net/http"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// reasonHeader says why a call is made. Google's audit logs show it as protoPayload.requestMetadata.requestAttributes.reason.
// https://cloud.google.com/apis/docs/system-parameters
const reasonHeader = "X-Goog-Request-Reason"

type reasonKey struct{}

// WithReason says why calls are made with the context: for a manifest namespace/name@generation, so that Google's audit logs name it; for many
// at once, what is done. It is ASCII.
func WithReason(ctx context.Context, reason string) context.Context {
	return context.WithValue(ctx, reasonKey{}, reason)
}

func reasonFrom(ctx context.Context) string {
	reason, _ := ctx.Value(reasonKey{}).(string)
	return reason
}

// reasoned sends the reason of a request along.
func reasoned(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if reason := reasonFrom(req.Context()); reason != "" {
			req = req.Clone(req.Context())
			req.Header.Set(reasonHeader, reason)
		}
		return next.RoundTrip(req)
	})
}

// reasonedRPC sends the reason of a gRPC call along.
func reasonedRPC(
	ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	if reason := reasonFrom(ctx); reason != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, strings.ToLower(reasonHeader), reason)
	}
	return invoke(ctx, method, req, reply, conn, opts...)
}
