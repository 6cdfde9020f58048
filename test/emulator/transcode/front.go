// Package transcode serves gRPC services of the same process as REST, as
// Google's own front ends do: the routes come from the google.api.http
// annotations of the linked descriptors, the JSON is protobuf's, and a call
// passes the same interceptor as one over gRPC.
package transcode

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Front answers HTTP requests by calling the unary methods of gRPC services.
// It is a [grpc.ServiceRegistrar]: what registers services with a gRPC
// server registers them with a Front.
type Front struct {
	interceptor grpc.UnaryServerInterceptor
	rules       map[string]*annotations.HttpRule
	fail        func(http.ResponseWriter, error)
	routes      []route
}

// Option changes how a Front works.
type Option func(*Front)

// WithRules replaces the annotations of methods, given by their names as in
// "google.iam.v1.IAMPolicy.GetIamPolicy". A Google API does so in its service
// configuration for the interfaces that it shares with others.
func WithRules(rules map[string]*annotations.HttpRule) Option {
	return func(f *Front) { f.rules = rules }
}

// WithErrors sets how errors are written, which is [traffic.WriteRPCError]
// unless an API has another form for them.
func WithErrors(fail func(http.ResponseWriter, error)) Option {
	return func(f *Front) { f.fail = fail }
}

// New returns a Front without services. All calls go through interceptor.
func New(interceptor grpc.UnaryServerInterceptor, options ...Option) *Front {
	f := &Front{interceptor: interceptor, fail: traffic.WriteRPCError}
	for _, option := range options {
		option(f)
	}
	return f
}

// method is a unary method of a registered service.
type method struct {
	grpc.MethodDesc
	implementation any
}

// RegisterService adds the routes of a service's unary methods. It panics if
// the descriptor of the service is not linked in or a path template cannot be
// read, which no request could ever change.
func (f *Front) RegisterService(service *grpc.ServiceDesc, implementation any) {
	for _, desc := range service.Methods {
		rule, overridden := f.rules[service.ServiceName+"."+desc.MethodName]
		if !overridden {
			annotated, err := ruleOf(service.ServiceName, desc.MethodName)
			if err != nil {
				panic(fmt.Sprintf("transcode: %v", err))
			}
			rule = annotated
		}
		routes, err := routesOf(rule, &method{MethodDesc: desc, implementation: implementation})
		if err != nil {
			panic(fmt.Sprintf("transcode: %s.%s: %v", service.ServiceName, desc.MethodName, err))
		}
		f.routes = append(f.routes, routes...)
	}
	// A wildcard would match what a verb is for.
	slices.SortStableFunc(f.routes, func(a, b route) int {
		return cmp.Compare(b.template.verb, a.template.verb)
	})
}

// Mount registers the front with a mux under every path that it answers.
func (f *Front) Mount(mux *http.ServeMux) {
	mounted := map[string]bool{}
	for _, r := range f.routes {
		pattern := r.template.muxPattern()
		if !mounted[pattern] {
			mounted[pattern] = true
			mux.Handle(pattern, f)
		}
	}
}

// ServeHTTP answers one request.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	matched, variables, ok := f.find(r)
	if !ok {
		writeNotFound(w, r)
		return
	}
	format, err := formatOf(r.URL.Query())
	if err != nil {
		f.writeError(w, err)
		return
	}
	reply, err := f.call(matched, variables, r)
	if err != nil {
		f.writeError(w, err)
		return
	}
	format.write(w, reply)
}

func (f *Front) find(r *http.Request) (route, map[string]string, bool) {
	for _, candidate := range f.routes {
		if candidate.httpMethod != r.Method {
			continue
		}
		if variables, ok := candidate.template.match(r.URL.EscapedPath()); ok {
			return candidate, variables, true
		}
	}
	return route{}, nil, false
}

func (f *Front) call(matched route, variables map[string]string, r *http.Request) (proto.Message, error) {
	decode := func(in any) error {
		request, ok := in.(proto.Message)
		if !ok {
			return fmt.Errorf("request type %T is no protobuf message", in)
		}
		return bind(request, matched.body, variables, r)
	}
	ctx := metadata.NewIncomingContext(r.Context(), MetadataOf(r.Header))
	out, err := matched.method.Handler(matched.method.implementation, ctx, decode, f.intercept)
	if err != nil {
		return nil, err
	}
	reply, ok := out.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("reply type %T is no protobuf message", out)
	}
	return reply, nil
}

func (f *Front) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if f.interceptor == nil {
		return handler(ctx, req)
	}
	return f.interceptor(ctx, req, info, handler)
}

// MetadataOf makes gRPC metadata of HTTP headers.
func MetadataOf(header http.Header) metadata.MD {
	md := metadata.MD{}
	for name, values := range header {
		md[strings.ToLower(name)] = values
	}
	return md
}
