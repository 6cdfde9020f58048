package kind

import (
	"net/url"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
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
	// Principal says what is special to resources that can be acted as, each by its Referent, an e-mail; nil for a kind that has none such.
	Principal *Principal
	// AssetType is the type of the resource in Cloud Asset Inventory, such as storage.googleapis.com/Bucket; empty for a kind that it does not
	// list.
	AssetType string
	// ConsolePath is the page of a resource in the Cloud Console, after https://console.cloud.google.com/. {project} stands for its project, {id}
	// for its name there, and {uid} for its Identity.UID.
	ConsolePath string
	// Labels says whether the resource has labels, and so can carry those that mark its owner.
	Labels bool
	// Numbered says that a resource names its project by number (Identity.ProjectNumber), which has to be known to say whose it is.
	Numbered bool
	// Settles is how long after its creation Google may still answer that a resource does not exist. 0: it is found at once.
	Settles time.Duration
	// StaleReads is how long Google may go on answering that a resource does not exist which has been there for long, and StaleLooks how many
	// looks on end may be answered so. 0: reads are strongly consistent, and one such answer is enough.
	StaleReads time.Duration
	StaleLooks int
	// Known is how long after its creation other Google services may not know the resource yet, so that they refuse what names
	// it. 0: it is known at once.
	Known time.Duration
}

// Principal says what is special to a resource that can be acted as.
type Principal struct {
	// Disabled is the path of the field that is true where nobody can act as it.
	Disabled string
}

// Argument is what a person types after kubectl for the kind: bucket.gcp.holdfast.dev.
func (t Traits) Argument() string { return strings.ToLower(t.Kind) + "." + v1alpha1.GroupVersion.Group }

// ConsoleURL is the page of a resource in the Cloud Console; empty as long as something is unknown that it takes.
func (t Traits) ConsoleURL(project, id, uid string) string {
	path := t.ConsolePath
	for name, value := range map[string]string{"{project}": project, "{id}": id, "{uid}": uid} {
		if value == "" && strings.Contains(path, name) {
			return ""
		}
		path = strings.ReplaceAll(path, name, url.QueryEscape(value))
	}
	return "https://console.cloud.google.com/" + path
}

// Label is the kind's name in one word, as metrics and controllers have it: serviceaccount.
func (t Traits) Label() string { return strings.ReplaceAll(t.Name, " ", "") }
