package topic

import (
	"encoding/json"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/proto"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// maybe draws a value half of the time, and leaves it unset otherwise.
func maybe[V any](t *rapid.T, name string, of *rapid.Generator[V]) (v V) {
	if rapid.Bool().Draw(t, "has "+name) {
		return of.Draw(t, name)
	}
	return v
}

func pointer[V any](of *rapid.Generator[V]) *rapid.Generator[*V] {
	return rapid.Map(of, func(v V) *V { return &v })
}

func text[S ~string](pattern string) *rapid.Generator[S] {
	return rapid.Map(rapid.StringMatching(pattern), func(s string) S { return S(s) })
}

// aSpec draws any spec that the schema allows.
var aSpec = rapid.Custom(func(t *rapid.T) v1alpha1.TopicSpec {
	return v1alpha1.TopicSpec{
		Labels:                  maybe(t, "labels", rapid.Map(aMap, func(m map[string]v1alpha1.LabelValue) v1alpha1.Labels { return m })),
		KMSKeyName:              maybe(t, "kmsKeyName", rapid.SampledFrom([]string{keyA, keyB})),
		MessageStoragePolicy:    maybe(t, "messageStoragePolicy", pointer(aPolicy)),
		MessageRetentionSeconds: maybe(t, "messageRetentionSeconds", pointer(rapid.Int64Range(600, 2678400))),
		SchemaSettings:          maybe(t, "schemaSettings", pointer(aSchema)),
		Ingestion:               maybe(t, "ingestion", pointer(anIngestion)),
		MessageTransforms:       maybe(t, "messageTransforms", rapid.SliceOfN(aTransform, 0, 5)),
	}
})

var aMap = rapid.MapOfN(rapid.StringMatching(`[a-f][a-z0-9_-]{0,8}`), text[v1alpha1.LabelValue](`[a-z0-9_-]{0,8}`), 0, 4)

var aPolicy = rapid.Custom(func(t *rapid.T) v1alpha1.TopicMessageStoragePolicy {
	return v1alpha1.TopicMessageStoragePolicy{
		AllowedPersistenceRegions: rapid.SliceOfNDistinct(
			rapid.StringMatching(`[a-z]{2}-[a-z]{4}[0-9]`), 1, 4, rapid.ID[string]).Draw(t, "regions"),
		EnforceInTransit: maybe(t, "enforceInTransit", pointer(rapid.Bool())),
	}
})

var aSchema = rapid.Custom(func(t *rapid.T) v1alpha1.TopicSchemaSettings {
	settings := v1alpha1.TopicSchemaSettings{Schema: maybe(t, "schema", rapid.SampledFrom([]string{schemaA, schemaB}))}
	if settings.Schema != "" {
		settings.Encoding = maybe(t, "encoding", rapid.SampledFrom([]v1alpha1.TopicSchemaEncoding{"JSON", "BINARY"}))
		settings.FirstRevisionID = maybe(t, "firstRevisionID", text[v1alpha1.SchemaRevisionID](`[0-9a-f]{8}`))
		settings.LastRevisionID = maybe(t, "lastRevisionID", text[v1alpha1.SchemaRevisionID](`[0-9a-f]{8}`))
	}
	return settings
})

var anIngestion = rapid.Custom(func(t *rapid.T) v1alpha1.TopicIngestion {
	severities := []v1alpha1.TopicLogSeverity{"", "DISABLED", "DEBUG", "INFO", "WARNING", "ERROR"}
	return v1alpha1.TopicIngestion{
		Source: maybe(t, "source", pointer(aSource)),
		PlatformLogs: maybe(t, "platformLogs", pointer(rapid.Map(rapid.SampledFrom(severities),
			func(s v1alpha1.TopicLogSeverity) v1alpha1.TopicPlatformLogs {
				return v1alpha1.TopicPlatformLogs{Severity: s}
			}))),
	}
})

var aSource = rapid.Custom(func(t *rapid.T) v1alpha1.TopicIngestionSource {
	name := rapid.StringMatching(`[a-z]{3,6}`)
	role, email := v1alpha1.AWSRoleARN(roleARN), v1alpha1.ServiceAccountEmail(account)
	kafka := text[v1alpha1.KafkaTopic](`[a-z]{3,6}`)
	switch rapid.SampledFrom([]string{"none", "storage", "kinesis", "azure", "msk", "confluent"}).Draw(t, "kind of source") {
	case "storage":
		return v1alpha1.TopicIngestionSource{CloudStorage: pointer(aStorage).Draw(t, "cloudStorage")}
	case "kinesis":
		return v1alpha1.TopicIngestionSource{AWSKinesis: &v1alpha1.TopicAWSKinesisSource{
			StreamARN: name.Draw(t, "stream"), ConsumerARN: name.Draw(t, "consumer"), AWSRoleARN: role, GCPServiceAccount: email,
		}}
	case "azure":
		return v1alpha1.TopicIngestionSource{AzureEventHubs: &v1alpha1.TopicAzureEventHubsSource{
			ResourceGroup: maybe(t, "group", name), Namespace: maybe(t, "namespace", name), EventHub: name.Draw(t, "hub"),
			ClientID: maybe(t, "client", text[v1alpha1.AzureID](`[0-9a-f]{4}`)), GCPServiceAccount: email,
		}}
	case "msk":
		return v1alpha1.TopicIngestionSource{AWSMSK: &v1alpha1.TopicAWSMSKSource{
			ClusterARN: name.Draw(t, "cluster"), Topic: kafka.Draw(t, "topic"), AWSRoleARN: role, GCPServiceAccount: email,
		}}
	case "confluent":
		return v1alpha1.TopicIngestionSource{ConfluentCloud: &v1alpha1.TopicConfluentCloudSource{
			BootstrapServer: "h:1", ClusterID: name.Draw(t, "cluster"), Topic: kafka.Draw(t, "topic"),
			IdentityPoolID: name.Draw(t, "pool"), GCPServiceAccount: email,
		}}
	default:
		return v1alpha1.TopicIngestionSource{}
	}
})

var aStorage = rapid.Custom(func(t *rapid.T) v1alpha1.TopicCloudStorageSource {
	source := v1alpha1.TopicCloudStorageSource{
		Bucket:    rapid.StringMatching(`[a-z]{3,6}`).Draw(t, "bucket"),
		MatchGlob: maybe(t, "matchGlob", rapid.StringMatching(`[a-z*/]{1,6}`)),
		MinimumObjectCreateTime: maybe(t, "minimumObjectCreateTime", rapid.Map(rapid.Int64Range(0, 4e9), func(s int64) *metav1.Time {
			return &metav1.Time{Time: time.Unix(s, 0)}
		})),
	}
	switch rapid.SampledFrom([]string{"none", "text", "avro", "pubsub"}).Draw(t, "format") {
	case "text":
		source.TextFormat = &v1alpha1.TopicTextFormat{Delimiter: maybe(t, "delimiter", rapid.SampledFrom([]string{"\n", ";"}))}
	case "avro":
		source.AvroFormat = &v1alpha1.TopicAvroFormat{}
	case "pubsub":
		source.PubsubAvroFormat = &v1alpha1.TopicPubsubAvroFormat{}
	}
	return source
})

var aTransform = rapid.Custom(func(t *rapid.T) v1alpha1.TopicMessageTransform {
	transform := v1alpha1.TopicMessageTransform{Disabled: maybe(t, "disabled", pointer(rapid.Bool()))}
	switch rapid.SampledFrom([]string{"udf", "compression", "inference"}).Draw(t, "kind of transform") {
	case "udf":
		name := rapid.StringMatching(`[a-z]{1,6}`).Draw(t, "function")
		transform.JavaScriptUDF = &v1alpha1.TopicJavaScriptUDF{FunctionName: name, Code: "function " + name + "() {}"}
	case "compression":
		transform.Compression = &v1alpha1.TopicCompression{
			Algorithm: "ZLIB",
			Mode:      rapid.SampledFrom([]v1alpha1.TopicCompressionMode{"COMPRESS", "DECOMPRESS"}).Draw(t, "mode"),
		}
	case "inference":
		transform.AIInference = &v1alpha1.TopicAIInference{
			Endpoint:              "projects/p/locations/l/endpoints/e",
			UnstructuredInference: maybe(t, "unstructuredInference", pointer(anInference)),
			ServiceAccountEmail:   maybe(t, "serviceAccountEmail", rapid.Just(v1alpha1.ServiceAccountEmail(account))),
		}
	}
	return transform
})

var anInference = rapid.Custom(func(t *rapid.T) v1alpha1.TopicUnstructuredInference {
	values := rapid.OneOf(rapid.Bool().AsAny(), rapid.Float64().AsAny(), rapid.Int64().AsAny(), rapid.String().AsAny(),
		rapid.SliceOf(rapid.Int8()).AsAny(), rapid.Just[any](nil))
	raw, err := json.Marshal(rapid.MapOfN(rapid.String(), values, 0, 4).Draw(t, "parameters"))
	if err != nil {
		t.Fatal(err)
	}
	return v1alpha1.TopicUnstructuredInference{Parameters: &runtime.RawExtension{Raw: raw}}
})

// roundTrip checks that a topic which was made as asked for shows no difference, neither at once nor once it is known to
// have been applied, and that nobody touched the manifest.
func roundTrip(t *rapid.T) {
	spec := aSpec.Draw(t, "spec")
	desired := &v1alpha1.Topic{Spec: spec}
	before := desired.DeepCopy()
	created := diff.Compare(desired, &v1alpha1.Topic{}, nil, fields)
	live := mustBuild(t, created.Want.Spec)
	live.Labels = ref.Labels(created.Want.Spec.Labels, nil)
	described := (&Kind{}).Describe(live)
	again := diff.Compare(desired, described, created.Managed, fields)
	if len(again.Changes) > 0 {
		t.Errorf("created as asked for, yet different: %+v", again.Changes)
	}
	if !proto.Equal(live, withLabels(mustBuild(t, described.Spec), live.GetLabels())) {
		t.Errorf("what was described builds something else:\n%v\n%v", live, mustBuild(t, described.Spec))
	}
	if a, b := jsonOf(t, before), jsonOf(t, desired); a != b {
		t.Errorf("the manifest was changed from\n%s\nto\n%s", a, b)
	}
}

// resetting checks that a topic whose manifest became another one is, after one update, as the new one says, and that
// what only the old one had is gone.
func resetting(t *rapid.T) {
	old, desired := &v1alpha1.Topic{Spec: aSpec.Draw(t, "old")}, &v1alpha1.Topic{Spec: aSpec.Draw(t, "new")}
	created := diff.Compare(old, &v1alpha1.Topic{}, nil, fields)
	live := mustBuild(t, created.Want.Spec)
	live.Labels = ref.Labels(created.Want.Spec.Labels, nil)
	update := diff.Compare(desired, (&Kind{}).Describe(live), created.Managed, fields)
	request, err := updateRequest(ref, update.Want, update.Changes, live)
	if err != nil {
		t.Fatal(err)
	}
	updated := applied(live, request)
	again := diff.Compare(desired, (&Kind{}).Describe(updated), created.Managed, fields)
	if len(again.Changes) > 0 {
		t.Errorf("updated by %v, yet different: %+v", request.GetUpdateMask().GetPaths(), again.Changes)
	}
}

// applied does what Pub/Sub does with an update: it copies the fields in the mask, whole.
func applied(live *pubsubpb.Topic, request *pubsubpb.UpdateTopicRequest) *pubsubpb.Topic {
	updated := proto.CloneOf(live)
	to, from := updated.ProtoReflect(), request.GetTopic().ProtoReflect()
	for _, path := range request.GetUpdateMask().GetPaths() {
		field := to.Descriptor().Fields().ByTextName(path)
		to.Clear(field)
		if from.Has(field) {
			to.Set(field, from.Get(field))
		}
	}
	return updated
}

func withLabels(topic *pubsubpb.Topic, labels map[string]string) *pubsubpb.Topic {
	topic.Labels = labels
	return topic
}

func jsonOf(t *rapid.T, obj *v1alpha1.Topic) string {
	b, err := json.Marshal(obj)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRoundTrip(t *testing.T) { rapid.Check(t, roundTrip) }
func TestResetting(t *testing.T) { rapid.Check(t, resetting) }

func FuzzRoundTrip(f *testing.F) { f.Fuzz(rapid.MakeFuzz(roundTrip)) }
func FuzzResetting(f *testing.F) { f.Fuzz(rapid.MakeFuzz(resetting)) }

// FuzzDescribe feeds topics as no service would send them: describing them does not panic, and says the same of what is
// built from it.
func FuzzDescribe(f *testing.F) {
	seed, err := proto.Marshal(fullTopic())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, wire []byte) {
		live := &pubsubpb.Topic{}
		if proto.Unmarshal(wire, live) != nil {
			t.Skip("no topic")
		}
		described := (&Kind{}).Describe(live)
		(&Kind{}).Report(described.DeepCopy(), live)
		if _, err := build(described.Spec); err != nil {
			t.Errorf("what was described cannot be built: %v", err)
		}
	})
}
