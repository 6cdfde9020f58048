package topic

import (
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// mustBuild builds a spec that is known to be buildable.
func mustBuild(t interface{ Fatalf(string, ...any) }, spec v1alpha1.TopicSpec) *pubsubpb.Topic {
	topic, err := build(spec)
	if err != nil {
		t.Fatalf("building: %v", err)
	}
	return topic
}

// TestMapping holds the two mappings together, one row for each thing that a topic can have.
func TestMapping(t *testing.T) {
	source := func(settings *pubsubpb.IngestionDataSourceSettings) *pubsubpb.Topic {
		return &pubsubpb.Topic{IngestionDataSourceSettings: settings}
	}
	for name, tc := range map[string]struct {
		spec  v1alpha1.TopicSpec
		topic *pubsubpb.Topic
	}{
		"nothing":    {topic: &pubsubpb.Topic{}},
		"everything": {spec: fullSpec(), topic: fullTopic()},
		"binary messages": {
			spec:  v1alpha1.TopicSpec{SchemaSettings: &v1alpha1.TopicSchemaSettings{Schema: schemaA, Encoding: "BINARY"}},
			topic: &pubsubpb.Topic{SchemaSettings: &pubsubpb.SchemaSettings{Schema: schemaA, Encoding: pubsubpb.Encoding_BINARY}},
		},
		"Avro": {
			spec: fromSource(v1alpha1.TopicIngestionSource{CloudStorage: &v1alpha1.TopicCloudStorageSource{
				Bucket: "b", AvroFormat: &v1alpha1.TopicAvroFormat{},
			}}),
			topic: source(&pubsubpb.IngestionDataSourceSettings{Source: &pubsubpb.IngestionDataSourceSettings_CloudStorage_{
				CloudStorage: &pubsubpb.IngestionDataSourceSettings_CloudStorage{
					Bucket: "b",
					InputFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_AvroFormat_{
						AvroFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_AvroFormat{},
					},
				},
			}}),
		},
		"what a subscription wrote": {
			spec: fromSource(v1alpha1.TopicIngestionSource{CloudStorage: &v1alpha1.TopicCloudStorageSource{
				Bucket: "b", PubsubAvroFormat: &v1alpha1.TopicPubsubAvroFormat{},
			}}),
			topic: source(&pubsubpb.IngestionDataSourceSettings{Source: &pubsubpb.IngestionDataSourceSettings_CloudStorage_{
				CloudStorage: &pubsubpb.IngestionDataSourceSettings_CloudStorage{
					Bucket: "b",
					InputFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_PubsubAvroFormat{
						PubsubAvroFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_PubSubAvroFormat{},
					},
				},
			}}),
		},
		"Kinesis": {
			spec: fromSource(v1alpha1.TopicIngestionSource{AWSKinesis: &v1alpha1.TopicAWSKinesisSource{
				StreamARN: "stream", ConsumerARN: "consumer", AWSRoleARN: roleARN, GCPServiceAccount: account,
			}}),
			topic: source(&pubsubpb.IngestionDataSourceSettings{Source: &pubsubpb.IngestionDataSourceSettings_AwsKinesis_{
				AwsKinesis: &pubsubpb.IngestionDataSourceSettings_AwsKinesis{
					StreamArn: "stream", ConsumerArn: "consumer", AwsRoleArn: roleARN, GcpServiceAccount: account,
				},
			}}),
		},
		"Event Hubs": {
			spec: fromSource(v1alpha1.TopicIngestionSource{AzureEventHubs: &v1alpha1.TopicAzureEventHubsSource{
				ResourceGroup: "group", Namespace: "namespace", EventHub: "hub",
				ClientID: "client", TenantID: "tenant", SubscriptionID: "subscription", GCPServiceAccount: account,
			}}),
			topic: source(&pubsubpb.IngestionDataSourceSettings{Source: &pubsubpb.IngestionDataSourceSettings_AzureEventHubs_{
				AzureEventHubs: &pubsubpb.IngestionDataSourceSettings_AzureEventHubs{
					ResourceGroup: "group", Namespace: "namespace", EventHub: "hub",
					ClientId: "client", TenantId: "tenant", SubscriptionId: "subscription", GcpServiceAccount: account,
				},
			}}),
		},
		"MSK": {
			spec: fromSource(v1alpha1.TopicIngestionSource{AWSMSK: &v1alpha1.TopicAWSMSKSource{
				ClusterARN: "cluster", Topic: "topic", AWSRoleARN: roleARN, GCPServiceAccount: account,
			}}),
			topic: source(&pubsubpb.IngestionDataSourceSettings{Source: &pubsubpb.IngestionDataSourceSettings_AwsMsk_{
				AwsMsk: &pubsubpb.IngestionDataSourceSettings_AwsMsk{
					ClusterArn: "cluster", Topic: "topic", AwsRoleArn: roleARN, GcpServiceAccount: account,
				},
			}}),
		},
		"Confluent Cloud": {
			spec: fromSource(v1alpha1.TopicIngestionSource{ConfluentCloud: &v1alpha1.TopicConfluentCloudSource{
				BootstrapServer: "host:9092", ClusterID: "lkc-1", Topic: "topic", IdentityPoolID: "pool-1", GCPServiceAccount: account,
			}}),
			topic: source(&pubsubpb.IngestionDataSourceSettings{Source: &pubsubpb.IngestionDataSourceSettings_ConfluentCloud_{
				ConfluentCloud: &pubsubpb.IngestionDataSourceSettings_ConfluentCloud{
					BootstrapServer: "host:9092", ClusterId: "lkc-1", Topic: "topic", IdentityPoolId: "pool-1", GcpServiceAccount: account,
				},
			}}),
		},
		"logs alone": {
			spec: v1alpha1.TopicSpec{Ingestion: &v1alpha1.TopicIngestion{PlatformLogs: &v1alpha1.TopicPlatformLogs{Severity: "DEBUG"}}},
			topic: source(&pubsubpb.IngestionDataSourceSettings{
				PlatformLogsSettings: &pubsubpb.PlatformLogsSettings{Severity: pubsubpb.PlatformLogsSettings_DEBUG},
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			built := mustBuild(t, tc.spec)
			if diff := cmp.Diff(tc.topic, built, protocmp.Transform()); diff != "" {
				t.Errorf("build: -want +got\n%s", diff)
			}
			tc.topic.Labels = ref.Labels(tc.spec.Labels, nil)
			if tc.spec.Labels == nil {
				tc.spec.Labels = v1alpha1.Labels{}
			}
			described := (&Kind{}).Describe(tc.topic).Spec
			if diff := cmp.Diff(tc.spec, described); diff != "" {
				t.Errorf("Describe: -want +got\n%s", diff)
			}
		})
	}
}

// TestDescribe has what leads one way only.
func TestDescribe(t *testing.T) {
	for name, tc := range map[string]struct {
		live *pubsubpb.Topic
		want v1alpha1.TopicSpec
	}{
		"labels of Google's and ours are left out": {
			live: &pubsubpb.Topic{Labels: map[string]string{"team": "shop", "goog-x": "y", "holdfast-owner": "o"}},
			want: v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop"}},
		},
		"a schema that was deleted": {
			live: &pubsubpb.Topic{SchemaSettings: &pubsubpb.SchemaSettings{Schema: deletedSchema}},
			want: v1alpha1.TopicSpec{SchemaSettings: &v1alpha1.TopicSchemaSettings{Schema: deletedSchema}},
		},
		"a policy's default is explicit": {
			live: &pubsubpb.Topic{MessageStoragePolicy: &pubsubpb.MessageStoragePolicy{AllowedPersistenceRegions: []string{"us-east1"}}},
			want: v1alpha1.TopicSpec{MessageStoragePolicy: &v1alpha1.TopicMessageStoragePolicy{
				AllowedPersistenceRegions: []string{"us-east1"}, EnforceInTransit: new(false),
			}},
		},
		"a format's default is explicit": {
			live: &pubsubpb.Topic{IngestionDataSourceSettings: &pubsubpb.IngestionDataSourceSettings{
				Source: &pubsubpb.IngestionDataSourceSettings_CloudStorage_{
					CloudStorage: &pubsubpb.IngestionDataSourceSettings_CloudStorage{Bucket: "b"},
				},
			}},
			want: fromSource(v1alpha1.TopicIngestionSource{CloudStorage: &v1alpha1.TopicCloudStorageSource{
				Bucket: "b", TextFormat: &v1alpha1.TopicTextFormat{Delimiter: "\n"},
			}}),
		},
		"a value that this version does not know is its number": {
			live: &pubsubpb.Topic{SchemaSettings: &pubsubpb.SchemaSettings{Schema: schemaA, Encoding: 77}},
			want: v1alpha1.TopicSpec{SchemaSettings: &v1alpha1.TopicSchemaSettings{Schema: schemaA, Encoding: "77"}},
		},
		"settings that say nothing": {
			live: &pubsubpb.Topic{IngestionDataSourceSettings: &pubsubpb.IngestionDataSourceSettings{
				PlatformLogsSettings: &pubsubpb.PlatformLogsSettings{},
			}},
		},
		"parameters that JSON cannot say": {
			live: &pubsubpb.Topic{MessageTransforms: []*pubsubpb.MessageTransform{{Transform: &pubsubpb.MessageTransform_AiInference{
				AiInference: &pubsubpb.AIInference{InferenceMode: &pubsubpb.AIInference_UnstructuredInference_{
					UnstructuredInference: &pubsubpb.AIInference_UnstructuredInference{Parameters: &structpb.Struct{
						Fields: map[string]*structpb.Value{"x": {}},
					}},
				}},
			}}}},
			want: v1alpha1.TopicSpec{MessageTransforms: []v1alpha1.TopicMessageTransform{{
				AIInference: &v1alpha1.TopicAIInference{UnstructuredInference: &v1alpha1.TopicUnstructuredInference{
					Parameters: &runtime.RawExtension{Raw: []byte(`{"x":null}`)},
				}},
				Disabled: new(false),
			}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.want.Labels == nil {
				tc.want.Labels = v1alpha1.Labels{}
			}
			if diff := cmp.Diff(tc.want, (&Kind{}).Describe(tc.live).Spec); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestDifferences shows what counts as a difference and what does not.
func TestDifferences(t *testing.T) {
	storage := func(change func(*v1alpha1.TopicCloudStorageSource)) v1alpha1.TopicSpec {
		source := v1alpha1.TopicCloudStorageSource{Bucket: "b"}
		change(&source)
		return fromSource(v1alpha1.TopicIngestionSource{CloudStorage: &source})
	}
	transforms := func(transforms ...v1alpha1.TopicMessageTransform) v1alpha1.TopicSpec {
		return v1alpha1.TopicSpec{MessageTransforms: transforms}
	}
	udf := &v1alpha1.TopicJavaScriptUDF{FunctionName: "f", Code: "function f() {}"}
	parameters := func(json string) v1alpha1.TopicMessageTransform {
		return v1alpha1.TopicMessageTransform{AIInference: &v1alpha1.TopicAIInference{
			UnstructuredInference: &v1alpha1.TopicUnstructuredInference{Parameters: &runtime.RawExtension{Raw: []byte(json)}},
		}}
	}
	for name, tc := range map[string]struct {
		desired v1alpha1.TopicSpec
		live    *pubsubpb.Topic
		want    []string
	}{
		"the order of regions": {
			desired: v1alpha1.TopicSpec{MessageStoragePolicy: &v1alpha1.TopicMessageStoragePolicy{
				AllowedPersistenceRegions: []string{"us-east1", "europe-west1"},
			}},
			live: &pubsubpb.Topic{MessageStoragePolicy: &pubsubpb.MessageStoragePolicy{
				AllowedPersistenceRegions: []string{"europe-west1", "us-east1"}, EnforceInTransit: true,
			}},
		},
		"another region": {
			desired: v1alpha1.TopicSpec{MessageStoragePolicy: &v1alpha1.TopicMessageStoragePolicy{
				AllowedPersistenceRegions: []string{"us-east1"}, EnforceInTransit: new(false),
			}},
			live: &pubsubpb.Topic{},
			want: []string{"spec.messageStoragePolicy.allowedPersistenceRegions"},
		},
		"a schema that was deleted": {
			desired: v1alpha1.TopicSpec{SchemaSettings: &v1alpha1.TopicSchemaSettings{Schema: schemaA}},
			live:    &pubsubpb.Topic{SchemaSettings: &pubsubpb.SchemaSettings{Schema: deletedSchema}},
			want:    []string{"spec.schemaSettings.schema"},
		},
		"logs that are disabled, as by default": {
			desired: v1alpha1.TopicSpec{Ingestion: &v1alpha1.TopicIngestion{PlatformLogs: &v1alpha1.TopicPlatformLogs{Severity: "DISABLED"}}},
			live:    &pubsubpb.Topic{},
		},
		"an explicit newline": {
			desired: storage(func(*v1alpha1.TopicCloudStorageSource) {}),
			live: mustBuild(t, storage(func(s *v1alpha1.TopicCloudStorageSource) {
				s.TextFormat = &v1alpha1.TopicTextFormat{Delimiter: "\n"}
			})),
		},
		"another format": {
			desired: storage(func(s *v1alpha1.TopicCloudStorageSource) { s.AvroFormat = &v1alpha1.TopicAvroFormat{} }),
			live:    mustBuild(t, storage(func(s *v1alpha1.TopicCloudStorageSource) { s.TextFormat = &v1alpha1.TopicTextFormat{} })),
			want:    []string{"spec.ingestion.source"},
		},
		"another source": {
			desired: fromSource(v1alpha1.TopicIngestionSource{AzureEventHubs: &v1alpha1.TopicAzureEventHubsSource{EventHub: "h"}}),
			live:    mustBuild(t, storage(func(*v1alpha1.TopicCloudStorageSource) {})),
			want:    []string{"spec.ingestion.source"},
		},
		"no source, and there is none": {
			desired: fromSource(v1alpha1.TopicIngestionSource{}),
			live:    &pubsubpb.Topic{},
		},
		"no ingestion, and there is": {
			desired: v1alpha1.TopicSpec{Ingestion: &v1alpha1.TopicIngestion{}},
			live:    fullTopic(),
			want:    []string{"spec.ingestion"},
		},
		"a transform that is explicitly not disabled": {
			desired: transforms(v1alpha1.TopicMessageTransform{JavaScriptUDF: udf, Disabled: new(false)}),
			live:    mustBuild(t, transforms(v1alpha1.TopicMessageTransform{JavaScriptUDF: udf})),
		},
		"a transform that somebody disabled": {
			desired: transforms(v1alpha1.TopicMessageTransform{JavaScriptUDF: udf}),
			live:    mustBuild(t, transforms(v1alpha1.TopicMessageTransform{JavaScriptUDF: udf, Disabled: new(true)})),
			want:    []string{"spec.messageTransforms"},
		},
		"one transform more": {
			desired: transforms(v1alpha1.TopicMessageTransform{JavaScriptUDF: udf}),
			live:    mustBuild(t, transforms(v1alpha1.TopicMessageTransform{JavaScriptUDF: udf}, parameters(`{}`))),
			want:    []string{"spec.messageTransforms"},
		},
		"no transforms, and there are": {
			desired: v1alpha1.TopicSpec{MessageTransforms: []v1alpha1.TopicMessageTransform{}},
			live:    fullTopic(),
			want:    []string{"spec.messageTransforms"},
		},
		"no transforms, and there are none": {
			desired: v1alpha1.TopicSpec{MessageTransforms: []v1alpha1.TopicMessageTransform{}},
			live:    &pubsubpb.Topic{},
		},
		"parameters written otherwise": {
			desired: transforms(parameters(`{"b": 1.0, "a": [ ]}`)),
			live:    mustBuild(t, transforms(parameters(`{"a":[],"b":1}`))),
		},
		"no parameters": {
			desired: transforms(parameters(`{}`)),
			live:    mustBuild(t, transforms(parameters(``))),
		},
		"other parameters": {
			desired: transforms(parameters(`{"a":1}`)),
			live:    mustBuild(t, transforms(parameters(`{"a":2}`))),
			want:    []string{"spec.messageTransforms"},
		},
		"parameters that nobody can send": {
			desired: transforms(parameters(`{"a":1e999}`)),
			live:    mustBuild(t, transforms(parameters(`{}`))),
			want:    []string{"spec.messageTransforms"},
		},
		"what the manifest does not say": {
			desired: v1alpha1.TopicSpec{Labels: v1alpha1.Labels{"team": "shop"}},
			live: func() *pubsubpb.Topic {
				topic := fullTopic()
				topic.Labels = map[string]string{"team": "shop", "env": "prod", "goog-x": "y"}
				return topic
			}(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := diff.Compare(&v1alpha1.Topic{Spec: tc.desired}, (&Kind{}).Describe(tc.live), nil, fields).Changes
			if diff := cmp.Diff(tc.want, append([]string(nil), got.Paths()...)); diff != "" {
				t.Errorf("paths: -want +got\n%s", diff)
			}
		})
	}
}

func TestBuildSaysWhatIsWrong(t *testing.T) {
	spec := fullSpec()
	spec.MessageTransforms[2].AIInference.UnstructuredInference.Parameters.Raw = []byte(`{"a":1e999}`)
	_, err := build(spec)
	const want = "spec.messageTransforms[2].aiInference.unstructuredInference.parameters: "
	if !gcp.IsInvalid(err) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %q, want an invalid one that begins with %q", err, want)
	}
}

func TestReport(t *testing.T) {
	for name, tc := range map[string]struct {
		live *pubsubpb.Topic
		want v1alpha1.TopicStatus
	}{
		"a plain topic": {
			live: &pubsubpb.Topic{Name: "projects/p/topics/t", State: pubsubpb.Topic_ACTIVE},
			want: v1alpha1.TopicStatus{Name: "projects/p/topics/t", State: "ACTIVE"},
		},
		"ingestion that failed": {
			live: &pubsubpb.Topic{
				Name: "projects/p/topics/t", State: pubsubpb.Topic_INGESTION_RESOURCE_ERROR,
				IngestionDataSourceSettings: &pubsubpb.IngestionDataSourceSettings{
					Source: &pubsubpb.IngestionDataSourceSettings_CloudStorage_{
						CloudStorage: &pubsubpb.IngestionDataSourceSettings_CloudStorage{
							State: pubsubpb.IngestionDataSourceSettings_CloudStorage_BUCKET_NOT_FOUND,
						},
					},
				},
			},
			want: v1alpha1.TopicStatus{
				Name: "projects/p/topics/t", State: "INGESTION_RESOURCE_ERROR", IngestionState: "BUCKET_NOT_FOUND",
			},
		},
		"a schema that was deleted": {
			live: &pubsubpb.Topic{Name: "projects/p/topics/t", SchemaSettings: &pubsubpb.SchemaSettings{Schema: deletedSchema}},
			want: v1alpha1.TopicStatus{Name: "projects/p/topics/t", SchemaDeleted: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			obj := &v1alpha1.Topic{Status: v1alpha1.TopicStatus{
				State: "ACTIVE", IngestionState: "ACTIVE", SchemaDeleted: true, // as it was before
			}}
			(&Kind{}).Report(obj, tc.live)
			if diff := cmp.Diff(tc.want, obj.Status); diff != "" {
				t.Errorf("status: -want +got\n%s", diff)
			}
		})
	}
}

func TestDurationOfFractions(t *testing.T) {
	got := (&Kind{}).Describe(&pubsubpb.Topic{MessageRetentionDuration: &durationpb.Duration{Seconds: 600, Nanos: 1}})
	if *got.Spec.MessageRetentionSeconds != 600 {
		t.Errorf("retention is %d", *got.Spec.MessageRetentionSeconds)
	}
}
