package emulator

import (
	"cloud.google.com/go/iam/apiv1/iampb"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// policies finds the policies that decide about calls.
type policies struct{ *Emulator }

// ResourcePolicy is the policy of the bucket, topic, subscription, schema or
// service account that a call is about.
func (e policies) ResourcePolicy(call traffic.Call) *iampb.Policy {
	switch call.Service {
	case e.Storage.Name():
		if found, err := e.Storage.Policy(call.Resource); err == nil {
			return found
		}
	case e.PubSub.Name():
		for _, collection := range []string{"topics", "subscriptions", "schemas"} {
			if found, err := e.PubSub.Policy("projects/" + call.Project + "/" + collection + "/" + call.Resource); err == nil {
				return found
			}
		}
	default:
		found, _ := e.IAM.Policy(call.Resource + "@" + call.Project + ".iam.gserviceaccount.com")
		return found
	}
	return nil
}

// ProjectPolicy is the policy of a project.
func (e policies) ProjectPolicy(projectID string) *iampb.Policy {
	return e.ResourceManager.Policy(projectID)
}
