package topic

import (
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

var ref = kind.Ref{Project: "demo-project", ID: "orders", Ownership: map[string]string{
	v1alpha1.OwnerLabel: "cluster-1", v1alpha1.OwnerNamespaceLabel: "shop", v1alpha1.OwnerNameLabel: "orders",
}}

const (
	keyA    = "projects/demo-project/locations/global/keyRings/r/cryptoKeys/a"
	keyB    = "projects/demo-project/locations/global/keyRings/r/cryptoKeys/b"
	schemaA = "projects/demo-project/schemas/a-schema"
	schemaB = "projects/demo-project/schemas/b-schema"
	account = "importer@demo-project.iam.gserviceaccount.com"
	roleARN = "arn:aws:iam::123456789012:role/pubsub"
)

// The same topic, as a manifest and as Pub/Sub has it.
func fullSpec() v1alpha1.TopicSpec {
	return v1alpha1.TopicSpec{
		Labels:     v1alpha1.Labels{"team": "shop"},
		KMSKeyName: keyA,
		MessageStoragePolicy: &v1alpha1.TopicMessageStoragePolicy{
			AllowedPersistenceRegions: []string{"europe-west1", "europe-west4"},
			EnforceInTransit:          new(true),
		},
		MessageRetentionSeconds: new(int64(3600)),
		SchemaSettings: &v1alpha1.TopicSchemaSettings{
			Schema: schemaA, Encoding: v1alpha1.TopicSchemaEncodingJSON, FirstRevisionID: "0000000a", LastRevisionID: "0000000b",
		},
		Ingestion: &v1alpha1.TopicIngestion{
			Source: &v1alpha1.TopicIngestionSource{CloudStorage: &v1alpha1.TopicCloudStorageSource{
				Bucket:                  "imports",
				TextFormat:              &v1alpha1.TopicTextFormat{Delimiter: ";"},
				MinimumObjectCreateTime: &metav1.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
				MatchGlob:               "in/**",
			}},
			PlatformLogs: &v1alpha1.TopicPlatformLogs{Severity: "WARNING"},
		},
		MessageTransforms: []v1alpha1.TopicMessageTransform{
			{
				JavaScriptUDF: &v1alpha1.TopicJavaScriptUDF{FunctionName: "f", Code: "function f(m) { return m; }"},
				Disabled:      new(false),
			},
			{
				Compression: &v1alpha1.TopicCompression{Algorithm: "ZLIB", Mode: "COMPRESS"},
				Disabled:    new(true),
			},
			{
				AIInference: &v1alpha1.TopicAIInference{
					Endpoint: "projects/demo-project/locations/us-central1/endpoints/e",
					UnstructuredInference: &v1alpha1.TopicUnstructuredInference{
						Parameters: &runtime.RawExtension{Raw: []byte(`{"stop":["a",null],"temperature":0.2}`)},
					},
					ServiceAccountEmail: account,
				},
				Disabled: new(false),
			},
		},
	}
}

func fullTopic() *pubsubpb.Topic {
	return &pubsubpb.Topic{
		KmsKeyName: keyA,
		MessageStoragePolicy: &pubsubpb.MessageStoragePolicy{
			AllowedPersistenceRegions: []string{"europe-west1", "europe-west4"}, EnforceInTransit: true,
		},
		MessageRetentionDuration: durationpb.New(time.Hour),
		SchemaSettings: &pubsubpb.SchemaSettings{
			Schema: schemaA, Encoding: pubsubpb.Encoding_JSON, FirstRevisionId: "0000000a", LastRevisionId: "0000000b",
		},
		IngestionDataSourceSettings: &pubsubpb.IngestionDataSourceSettings{
			Source: &pubsubpb.IngestionDataSourceSettings_CloudStorage_{
				CloudStorage: &pubsubpb.IngestionDataSourceSettings_CloudStorage{
					Bucket: "imports",
					InputFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_TextFormat_{
						TextFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_TextFormat{Delimiter: new(";")},
					},
					MinimumObjectCreateTime: timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)),
					MatchGlob:               "in/**",
				},
			},
			PlatformLogsSettings: &pubsubpb.PlatformLogsSettings{Severity: pubsubpb.PlatformLogsSettings_WARNING},
		},
		MessageTransforms: []*pubsubpb.MessageTransform{
			{Transform: &pubsubpb.MessageTransform_JavascriptUdf{
				JavascriptUdf: &pubsubpb.JavaScriptUDF{FunctionName: "f", Code: "function f(m) { return m; }"},
			}},
			{Transform: &pubsubpb.MessageTransform_Compression{Compression: &pubsubpb.Compression{
				CompressionAlgorithm: pubsubpb.Compression_ZLIB, CompressionMode: pubsubpb.Compression_COMPRESS,
			}}, Disabled: true},
			{Transform: &pubsubpb.MessageTransform_AiInference{AiInference: &pubsubpb.AIInference{
				Endpoint: "projects/demo-project/locations/us-central1/endpoints/e",
				InferenceMode: &pubsubpb.AIInference_UnstructuredInference_{
					UnstructuredInference: &pubsubpb.AIInference_UnstructuredInference{Parameters: &structpb.Struct{
						Fields: map[string]*structpb.Value{
							"temperature": structpb.NewNumberValue(0.2),
							"stop": structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{
								structpb.NewStringValue("a"), structpb.NewNullValue(),
							}}),
						},
					}},
				},
				ServiceAccountEmail: account,
			}}},
		},
	}
}

// fromSource wraps a source as the spec that has nothing else.
func fromSource(source v1alpha1.TopicIngestionSource) v1alpha1.TopicSpec {
	return v1alpha1.TopicSpec{Ingestion: &v1alpha1.TopicIngestion{Source: &source}}
}
