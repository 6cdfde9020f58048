package kind

import "strings"

// Asset is a resource, or the IAM policy of one, as Cloud Asset Inventory lists it.
type Asset struct {
	// Type is the type of the resource, such as ProjectAsset.
	Type string
	// Name is what the inventory calls it, such as //storage.googleapis.com/logs. Accounts go by their unique ID there, and projects by
	// their number.
	Name string
	// OwnName is the same with the name that the resource has in its own API, if it shows one: accounts go by their e-mail there.
	OwnName string
	// ProjectNumber is the number of the project that it is in, or is, in decimal; empty if it is in none.
	ProjectNumber string
	// ProjectID is the ID of a project; empty for anything else, and among policies.
	ProjectID string
	// Print is the same as long as its content is. It is never 0, and not to be compared with those of other processes.
	Print uint64
}

// AssetContent is what Cloud Asset Inventory lists of resources.
type AssetContent string

// The contents.
const (
	AssetResources AssetContent = "resources"
	AssetPolicies  AssetContent = "IAM policies"
)

// ProjectAsset is the type of projects.
const ProjectAsset = "cloudresourcemanager.googleapis.com/Project"

// placeholder stands for an ID in a name; no ID has it.
const placeholder = "{}"

// IDOf is the Ref.ID of an asset of the kind's type, in a project. It is false for what no manifest can mean, such as the accounts that Google
// creates by itself.
func (k Kind) IDOf(a Asset, project string) (id string, ok bool) {
	if k.Shared() {
		return "", true
	}
	before, after, _ := strings.Cut(k.ExternalName(Ref{Project: project, ID: placeholder}), placeholder)
	for _, name := range []string{a.OwnName, a.Name} {
		if rest, fits := strings.CutPrefix(name, before); fits {
			if id, fits := strings.CutSuffix(rest, after); fits && id != "" && !strings.Contains(id, "/") {
				return id, true
			}
		}
	}
	return "", false
}
