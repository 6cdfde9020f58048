// Package kinds has the list of all kinds. What is special to a kind is in the package of that kind.
package kinds

import (
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds/bucket"
	"github.com/holdfast-dev/holdfast/internal/kinds/projectpolicy"
	"github.com/holdfast-dev/holdfast/internal/kinds/serviceaccount"
	"github.com/holdfast-dev/holdfast/internal/kinds/topic"
)

// All are all kinds, reaching Google Cloud through clients. With nil clients they say what is known of them without calling anybody.
func All(clients *gcp.Clients) []kind.Kind {
	return []kind.Kind{
		kind.Of(bucket.New(clients)),
		kind.Of(topic.New(clients.Topics)),
		kind.Of(serviceaccount.New(clients.ServiceAccounts, clients.Identity)),
		kind.PolicyOf(projectpolicy.New(clients.Projects)),
	}
}

// Methods are all of Google's methods that the kinds call.
func Methods() []kind.Method {
	var methods []kind.Method
	for _, k := range All(nil) {
		methods = append(methods, k.Methods...)
	}
	return methods
}
