package serviceaccount

import "github.com/holdfast-dev/holdfast/internal/diff"

// fields says what is special about the fields of a service account.
var fields = diff.Fields{
	"spec.displayName": {Default: `""`},
	"spec.description": {Default: `""`},
	"spec.disabled":    {Default: "false", FollowsCreate: true, Stops: stopsAll},
	"spec.iam":         {Apart: true},
}

// stopsAll says so of an account that is disabled: whoever acts as it is denied everything from then on.
func stopsAll(c diff.Change) string {
	if c.To != "true" {
		return ""
	}
	return "nobody can act as the service account any more"
}
