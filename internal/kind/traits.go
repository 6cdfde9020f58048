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
	// Methods are all of Google's methods that the kind calls. A call to any other is refused.
	Methods []Method
	// FieldTraits say what is special about single fields of the spec.
	FieldTraits diff.Fields
	// NotEmpty follows what is said of a resource that cannot be deleted because it has contents: what counts as such. Empty for nothing.
	NotEmpty string
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
