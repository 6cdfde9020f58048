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

// What the operator may do to manifests, and to the definitions of their kinds. A new kind adds its plural to each line.
// +kubebuilder:rbac:groups=gcp.holdfast.dev,resources=buckets;topics;serviceaccounts;projectpolicies,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=gcp.holdfast.dev,resources=buckets/status;topics/status;serviceaccounts/status;projectpolicies/status,verbs=get;patch
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,resourceNames=buckets.gcp.holdfast.dev;topics.gcp.holdfast.dev;serviceaccounts.gcp.holdfast.dev;projectpolicies.gcp.holdfast.dev,verbs=get

// All are all kinds, reaching Google Cloud through clients. With nil clients they say what is known of them without calling anybody.
func All(clients *gcp.Clients) []kind.Kind {
	return []kind.Kind{
		kind.Of(bucket.New(clients)),
		kind.Of(topic.New(clients.Topics)),
		kind.Of(serviceaccount.New(clients.ServiceAccounts)),
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
