package topic

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestUses(t *testing.T) {
	const teller = "teller@bank.iam.gserviceaccount.com"
	from := func(source v1alpha1.TopicIngestionSource) v1alpha1.TopicSpec {
		return v1alpha1.TopicSpec{Ingestion: &v1alpha1.TopicIngestion{Source: &source}}
	}
	account := func(path string) []kind.Use { return []kind.Use{{Path: path, Value: teller, Project: "bank"}} }
	cases := map[string]struct {
		spec v1alpha1.TopicSpec
		want []kind.Use
	}{
		"nothing":   {v1alpha1.TopicSpec{}, nil},
		"no schema": {v1alpha1.TopicSpec{SchemaSettings: &v1alpha1.TopicSchemaSettings{}}, nil},
		"a schema": {
			v1alpha1.TopicSpec{SchemaSettings: &v1alpha1.TopicSchemaSettings{Schema: "projects/bank/schemas/payment"}},
			[]kind.Use{{Path: "spec.schemaSettings.schema", Value: "projects/bank/schemas/payment", Project: "bank"}},
		},
		"a key, which the service agent uses": {v1alpha1.TopicSpec{KMSKeyName: "projects/bank/locations/eu/keyRings/r/cryptoKeys/k"}, nil},
		"Kinesis": {
			from(v1alpha1.TopicIngestionSource{AWSKinesis: &v1alpha1.TopicAWSKinesisSource{GCPServiceAccount: teller}}),
			account("spec.ingestion.source.awsKinesis.gcpServiceAccount"),
		},
		"Event Hubs": {
			from(v1alpha1.TopicIngestionSource{AzureEventHubs: &v1alpha1.TopicAzureEventHubsSource{GCPServiceAccount: teller}}),
			account("spec.ingestion.source.azureEventHubs.gcpServiceAccount"),
		},
		"MSK": {
			from(v1alpha1.TopicIngestionSource{AWSMSK: &v1alpha1.TopicAWSMSKSource{GCPServiceAccount: teller}}),
			account("spec.ingestion.source.awsMSK.gcpServiceAccount"),
		},
		"Confluent": {
			from(v1alpha1.TopicIngestionSource{ConfluentCloud: &v1alpha1.TopicConfluentCloudSource{GCPServiceAccount: teller}}),
			account("spec.ingestion.source.confluentCloud.gcpServiceAccount"),
		},
		"a bucket, which the service agent reads": {
			from(v1alpha1.TopicIngestionSource{CloudStorage: &v1alpha1.TopicCloudStorageSource{Bucket: "bank-imports"}}), nil,
		},
		"a model": {
			v1alpha1.TopicSpec{MessageTransforms: []v1alpha1.TopicMessageTransform{{}, {AIInference: &v1alpha1.TopicAIInference{ServiceAccountEmail: teller}}}},
			account("spec.messageTransforms[1].aiInference.serviceAccountEmail"),
		},
		"an account of nobody knows which project": {
			from(v1alpha1.TopicIngestionSource{AWSKinesis: &v1alpha1.TopicAWSKinesisSource{GCPServiceAccount: "4711-compute@developer.gserviceaccount.com"}}),
			[]kind.Use{{Path: "spec.ingestion.source.awsKinesis.gcpServiceAccount", Value: "4711-compute@developer.gserviceaccount.com"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, new(Kind).Uses(&v1alpha1.Topic{Spec: tc.spec})); diff != "" {
				t.Errorf("uses (-want +got):\n%s", diff)
			}
		})
	}
}
