package serviceaccount

import "github.com/holdfast-dev/holdfast/internal/diff"

// fields says what is special about the fields of a service account.
var fields = diff.Fields{
	"spec.displayName": {Default: `""`},
	"spec.description": {Default: `""`},
	"spec.disabled":    {Default: "false", FollowsCreate: true},
	"spec.iam":         {Apart: true},
}
