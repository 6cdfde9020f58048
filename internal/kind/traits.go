package kind

import (
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

// Traits are the facts about a kind that others decide by. All of it is data.
type Traits struct {
	// Kind is the kind of its manifests, as in "ServiceAccount".
	Kind string
	// Plural is the resource of its manifests in the Kubernetes API, as in "serviceaccounts".
	Plural string
	// Name is what people call the resource in a sentence, lower case: "service account".
	Name string
	// Methods are all of Google's methods that the kind calls.
	Methods []Method
	// Fields says what is special about the fields of the spec.
	Fields diff.Fields
	// Labels says whether the resource has labels, and so can carry those that mark its owner.
	Labels bool
	// Settles is how long after its creation a resource may still be invisible to reads. 0: it is visible at once.
	Settles time.Duration
	// Known is how long after its creation other Google services may not know the resource yet, so that they refuse what names
	// it. 0: it is known at once.
	Known time.Duration
}

// Label is the kind's name in one word, as metrics and controllers have it: serviceaccount.
func (t Traits) Label() string { return strings.ReplaceAll(t.Name, " ", "") }

// Method is one of Google's methods that a kind calls.
type Method struct {
	// Service is the Google service, such as ServiceStorage.
	Service Service
	// Name is the method's name as metrics have it: buckets.get in a JSON API, Publisher.GetTopic in a gRPC API.
	Name string
	// Scope is what a call counts against.
	Scope Scope
	// Permissions are what a call needs, all of them, such as storage.buckets.get.
	Permissions []string
	// For says in which case the method is called, if not for every resource: "spec.iam", "deletionPolicy: DeleteWithContents".
	For string
}

// Service is a Google service, as metrics and limits name it.
type Service string

// The services.
const (
	ServiceStorage         Service = "storage"
	ServicePubSub          Service = "pubsub"
	ServiceIAM             Service = "iam"
	ServiceResourceManager Service = "resourcemanager"
)

// Scope is what a call counts against in Google's quotas. The zero value is none, and a call without a scope is refused.
type Scope string

// The scopes.
const (
	// ScopeProject is the project of the resource.
	ScopeProject Scope = "project"
	// ScopeQuotaProject is the quota project of the credentials that the call is made with.
	ScopeQuotaProject Scope = "quota project"
	// ScopeBucket is the project of the bucket, and the bucket itself, whose metadata may be updated about once a second.
	ScopeBucket Scope = "bucket"
)
