package transcode

import (
	"context"
	"fmt"
	"reflect"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// RegisterByName adds the routes of a service whose generated code registers
// it with nothing but a gRPC server. It panics as RegisterService does.
func (f *Front) RegisterByName(service string, implementation any) {
	descriptor, err := serviceNamed(service)
	if err != nil {
		panic(fmt.Sprintf("transcode: %v", err))
	}
	desc := &grpc.ServiceDesc{ServiceName: service}
	for i := range descriptor.Methods().Len() {
		m := descriptor.Methods().Get(i)
		if !m.IsStreamingClient() && !m.IsStreamingServer() {
			desc.Methods = append(desc.Methods, describe(service, m))
		}
	}
	f.RegisterService(desc, implementation)
}

// describe makes of a method what generated code would: a handler that reads
// the request and calls the implementation's method of the same name.
func describe(service string, m protoreflect.MethodDescriptor) grpc.MethodDesc {
	name := string(m.Name())
	info := &grpc.UnaryServerInfo{FullMethod: "/" + service + "/" + name}
	return grpc.MethodDesc{
		MethodName: name,
		Handler: func(implementation any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			kind, err := protoregistry.GlobalTypes.FindMessageByName(m.Input().FullName())
			if err != nil {
				return nil, fmt.Errorf("finding the request of %s: %w", info.FullMethod, err)
			}
			request := kind.New().Interface()
			if err := decode(request); err != nil {
				return nil, err
			}
			return interceptor(ctx, request, info, func(ctx context.Context, request any) (any, error) {
				return invoke(ctx, implementation, name, request)
			})
		},
	}
}

func invoke(ctx context.Context, implementation any, method string, request any) (any, error) {
	out := reflect.ValueOf(implementation).MethodByName(method).Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(request)})
	err, _ := reflect.TypeAssert[error](out[1])
	return out[0].Interface(), err
}
