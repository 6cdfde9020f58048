package topic

import (
	"fmt"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Uses are the schema, which takes pubsub.schemas.attach, and the service accounts that import or transform messages, which may take
// iam.serviceAccounts.actAs. Keys, buckets and models are used by Pub/Sub's service agent, or by those accounts.
//
// https://cloud.google.com/pubsub/docs/schemas, https://cloud.google.com/pubsub/docs/create-topic
func (*Kind) Uses(obj *v1alpha1.Topic) []kind.Use {
	var out []kind.Use
	if schema := obj.Spec.SchemaSettings; schema != nil && schema.Schema != "" {
		project, _, _ := strings.Cut(strings.TrimPrefix(schema.Schema, "projects/"), "/")
		out = append(out, kind.Use{Path: "spec.schemaSettings.schema", Value: schema.Schema, Project: project})
	}
	account := func(path string, email v1alpha1.ServiceAccountEmail) {
		if email != "" {
			out = append(out, kind.Use{Path: path, Value: string(email), Project: iampolicy.ProjectOfAccount(string(email))})
		}
	}
	if ingestion := obj.Spec.Ingestion; ingestion != nil && ingestion.Source != nil {
		source, path := ingestion.Source, "spec.ingestion.source."
		if from := source.AWSKinesis; from != nil {
			account(path+"awsKinesis.gcpServiceAccount", from.GCPServiceAccount)
		}
		if from := source.AzureEventHubs; from != nil {
			account(path+"azureEventHubs.gcpServiceAccount", from.GCPServiceAccount)
		}
		if from := source.AWSMSK; from != nil {
			account(path+"awsMSK.gcpServiceAccount", from.GCPServiceAccount)
		}
		if from := source.ConfluentCloud; from != nil {
			account(path+"confluentCloud.gcpServiceAccount", from.GCPServiceAccount)
		}
	}
	for i, transform := range obj.Spec.MessageTransforms {
		if inference := transform.AIInference; inference != nil {
			account(fmt.Sprintf("spec.messageTransforms[%d].aiInference.serviceAccountEmail", i), inference.ServiceAccountEmail)
		}
	}
	return out
}
