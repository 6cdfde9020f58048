// Package traffic decides what happens to calls before and after a service
// of the emulator sees them: they are counted, recorded, delayed, refused,
// paused at a breakpoint, executed without an answer, or simply passed on.
//
// A Control is shared by all services. HTTP services wrap their handlers with
// [Control.Middleware], gRPC servers use [Control.UnaryInterceptor].
package traffic

import "strings"

// Call names one call of a Google Cloud API. As a pattern (in [Fault.Match]
// and [Control.Pause]) an empty field matches anything.
type Call struct {
	// Service is the short name of the API: "storage", "pubsub", "iam",
	// "resourcemanager".
	Service string `json:"service,omitempty"`
	// Method is the method as Google documents it: "buckets.get" for JSON
	// APIs, "Publisher.GetTopic" for gRPC services.
	Method string `json:"method,omitempty"`
	// Project is the ID of the project that the call is about. It is the one
	// whose quota the call uses, but for IAM and Resource Manager, see
	// [Control.SetQuota].
	Project string `json:"project,omitempty"`
	// Resource is what the call is about: a bucket's name, a topic's ID.
	Resource string `json:"resource,omitempty"`
}

// String returns the name under which the call is counted, such as
// "storage buckets.get".
func (c Call) String() string { return c.Service + " " + c.Method }

// Matches reports whether c falls under pattern.
func (c Call) Matches(pattern Call) bool {
	return fits(c.Service, pattern.Service) && fits(c.Method, pattern.Method) &&
		fits(c.Project, pattern.Project) && fits(c.Resource, pattern.Resource)
}

func fits(value, pattern string) bool { return pattern == "" || pattern == value }

// readVerbs begin the names of methods that change nothing, whatever HTTP
// method carries them (testing permissions is a POST in most services).
var readVerbs = []string{"get", "list", "test", "validate", "search", "query"}

// IsWrite reports whether the call's method changes something.
func (c Call) IsWrite() bool {
	verb := strings.ToLower(c.Method[strings.LastIndex(c.Method, ".")+1:])
	for _, read := range readVerbs {
		if strings.HasPrefix(verb, read) {
			return false
		}
	}
	return true
}
