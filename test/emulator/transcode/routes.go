package transcode

import (
	"fmt"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// route is one way of calling a method over HTTP.
type route struct {
	httpMethod string
	template   *template
	// body is the field of the request that the body fills, "*" for the
	// whole request, empty if there is no body.
	body   string
	method *method
}

// ruleOf returns the google.api.http annotation of a method, nil if it has
// none.
func ruleOf(service string, methodName string) (*annotations.HttpRule, error) {
	serviceDescriptor, err := serviceNamed(service)
	if err != nil {
		return nil, err
	}
	m := serviceDescriptor.Methods().ByName(protoreflect.Name(methodName))
	if m == nil {
		return nil, fmt.Errorf("service %s has no method %s", service, methodName)
	}
	rule, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	return rule, nil
}

// serviceNamed finds the descriptor of a service that is linked in.
func serviceNamed(service string) (protoreflect.ServiceDescriptor, error) {
	descriptor, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, fmt.Errorf("finding the descriptor of %s: %w", service, err)
	}
	serviceDescriptor, ok := descriptor.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is not a service", service)
	}
	return serviceDescriptor, nil
}

// routesOf expands a rule and its additional bindings.
func routesOf(rule *annotations.HttpRule, m *method) ([]route, error) {
	var routes []route
	for _, binding := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		httpMethod, path := methodAndPath(binding)
		if path == "" {
			continue
		}
		t, err := parseTemplate(path)
		if err != nil {
			return nil, err
		}
		routes = append(routes, route{httpMethod: httpMethod, template: t, body: binding.GetBody(), method: m})
	}
	return routes, nil
}

func methodAndPath(rule *annotations.HttpRule) (httpMethod, path string) {
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return "GET", pattern.Get
	case *annotations.HttpRule_Put:
		return "PUT", pattern.Put
	case *annotations.HttpRule_Post:
		return "POST", pattern.Post
	case *annotations.HttpRule_Delete:
		return "DELETE", pattern.Delete
	case *annotations.HttpRule_Patch:
		return "PATCH", pattern.Patch
	case *annotations.HttpRule_Custom:
		return pattern.Custom.GetKind(), pattern.Custom.GetPath()
	default:
		return "", ""
	}
}
