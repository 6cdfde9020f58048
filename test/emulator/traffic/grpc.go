package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// UnaryInterceptor puts a gRPC server under the control. Classify names the
// call from the full method name ("/google.pubsub.v1.Publisher/GetTopic") and
// the request; a call that it cannot name (an empty Service) passes without
// being counted or faulted.
func (c *Control) UnaryInterceptor(classify func(fullMethod string, req any) Call) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		call := classify(info.FullMethod, req)
		if call.Service == "" {
			return handler(ctx, req)
		}
		return c.unary(ctx, req, call, info.FullMethod, handler)
	}
}

func (c *Control) unary(ctx context.Context, req any, call Call, fullMethod string, handler grpc.UnaryHandler) (any, error) {
	v := c.arrive(arrival{
		Call: call, userProject: sent(ctx, userProjectHeader), path: fullMethod,
		token: bearer(sent(ctx, "authorization")), userAgent: sent(ctx, "user-agent"), reason: sent(ctx, "x-goog-request-reason"),
	})
	delay(ctx, v.latency)
	if v.outage {
		return nil, cut("connection error: desc = \"transport: Error while dialing: connect: connection refused\"")
	}
	// The body is kept from before the service gets hold of the message.
	o := outcome{request: c.text(req), executed: v.refusal == nil, lost: v.loseReply}
	var resp any
	var err error
	if v.refusal != nil {
		err = v.refusal.Err()
	} else {
		v.breakpoint.wait(call)
		// A client that has gone away does not stop what it asked for.
		resp, err = handler(v.context(context.WithoutCancel(ctx)), req)
	}
	o.status = HTTPStatus(status.Code(err))
	o.response = c.text(resp)
	if err != nil {
		o.response = c.text(status.Convert(err).Proto())
	}
	c.finish(v, o)
	if v.loseReply {
		return nil, cut("error reading from server: EOF")
	}
	return resp, err
}

// sent returns what a gRPC call carries under a key; empty for nothing.
func sent(ctx context.Context, key string) string {
	if values := metadata.ValueFromIncomingContext(ctx, key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// text returns a message as JSON while the journal is recording.
func (c *Control) text(message any) string {
	m, ok := message.(proto.Message)
	if !ok || !c.recording() {
		return ""
	}
	encoded, err := protojson.Marshal(m)
	if err != nil {
		return err.Error()
	}
	// protojson varies its white space on purpose; golden files want none.
	var compact bytes.Buffer
	if err := json.Compact(&compact, encoded); err != nil {
		return err.Error()
	}
	return compact.String()
}

// cutError is a connection that broke. As a gRPC error it is what the client
// library makes of that; whoever serves the call over HTTP cuts the
// connection instead, see [IsCut].
type cutError struct{ *status.Status }

func cut(message string) error { return cutError{status.New(codes.Unavailable, message)} }

func (e cutError) Error() string { return e.Err().Error() }

// GRPCStatus makes the error a gRPC status.
func (e cutError) GRPCStatus() *status.Status { return e.Status }

// IsCut reports whether an error of the interceptor stands for a broken
// connection: a lost reply or an outage. A handler that transcodes HTTP to
// gRPC calls [CutConnection] then.
func IsCut(err error) bool {
	var broken cutError
	return errors.As(err, &broken)
}
