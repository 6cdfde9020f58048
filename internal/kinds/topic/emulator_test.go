package topic

import (
	"os"
	"path/filepath"
	"testing"

	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
)

// emulated is a topic in the emulated Google Cloud, and what was applied to it.
type emulated struct {
	impl    *Kind
	ref     kind.Ref
	cloud   *emulator.Emulator
	applied []string
}

func emulate(t *testing.T) *emulated {
	t.Helper()
	cloud := emulator.StartTest(t)
	endpoint := gcp.Endpoint{Address: cloud.GRPCAddr(), Insecure: true}
	clients, err := gcp.NewClients(gcp.Options{
		PubSub: endpoint, Storage: endpoint, IAM: endpoint, ResourceManager: endpoint, Methods: methods,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clients.Close(); err != nil {
			t.Error(err)
		}
	})
	schemas, err := pubsub.NewSchemaClient(t.Context(), option.WithEndpoint(cloud.GRPCAddr()), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		t.Fatal(err)
	}
	defer schemas.Close()
	for _, id := range []string{"order", "b-schema"} {
		if _, err := schemas.CreateSchema(t.Context(), &pubsubpb.CreateSchemaRequest{
			Parent: "projects/demo-project", SchemaId: id,
			Schema: &pubsubpb.Schema{Type: pubsubpb.Schema_PROTOCOL_BUFFER, Definition: `syntax = "proto3"; message M { string id = 1; }`},
		}); err != nil {
			t.Fatal(err)
		}
	}
	return &emulated{impl: New(clients.Topics), ref: ref, cloud: cloud}
}

// compare looks at the topic and says how it differs.
func (e *emulated) compare(t *testing.T, desired *v1alpha1.Topic) (diff.Result[*v1alpha1.Topic], *pubsubpb.Topic) {
	t.Helper()
	live, err := e.impl.Observe(t.Context(), e.ref)
	if err != nil {
		t.Fatal(err)
	}
	return diff.Compare(desired, e.impl.Describe(live), e.applied, fields), live
}

// expectNoDifference checks that the topic is as the manifest says, and takes note of what was applied.
func (e *emulated) expectNoDifference(t *testing.T, desired *v1alpha1.Topic) {
	t.Helper()
	compared, _ := e.compare(t, desired)
	if len(compared.Changes) > 0 {
		t.Fatalf("still different: %+v", compared.Changes)
	}
	e.applied = compared.Managed
}

// reconcile does to an existing topic what the engine would.
func (e *emulated) reconcile(t *testing.T, desired *v1alpha1.Topic) {
	t.Helper()
	compared, live := e.compare(t, desired)
	if len(compared.Changes) == 0 {
		t.Fatal("nothing to update")
	}
	for _, call := range e.impl.Update(e.ref, compared.Want, compared.Changes) {
		var err error
		if live, err = call.Do(t.Context(), live); err != nil {
			t.Fatal(err)
		}
	}
	if left := diff.Compare(desired, e.impl.Describe(live), e.applied, fields).Changes; len(left) > 0 {
		t.Errorf("the answer to the update shows a difference: %+v", left)
	}
	e.expectNoDifference(t, desired)
}

func sample(t *testing.T, file string) *v1alpha1.Topic {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "config", "samples", file))
	if err != nil {
		t.Fatal(err)
	}
	topic := &v1alpha1.Topic{}
	if err := yaml.UnmarshalStrict(text, topic); err != nil {
		t.Fatal(err)
	}
	return topic
}

// TestLifecycle takes one topic through everything that can happen to it, in the emulated Google Cloud.
func TestLifecycle(t *testing.T) {
	e := emulate(t)
	if _, err := e.impl.Observe(t.Context(), e.ref); !gcp.IsNotFound(err) {
		t.Fatalf("before it is made: %v", err)
	}
	desired := sample(t, "topic-full.yaml")
	created, err := e.impl.Create(t.Context(), e.ref, desired)
	if err != nil {
		t.Fatal(err)
	}
	if left := diff.Compare(desired, e.impl.Describe(created), nil, fields).Changes; len(left) > 0 {
		t.Errorf("the answer to the creation shows a difference: %+v", left)
	}
	e.expectNoDifference(t, desired)

	full := desired.Spec
	for _, step := range []struct {
		name string
		edit func(*v1alpha1.TopicSpec)
	}{
		{"a label", func(s *v1alpha1.TopicSpec) { s.Labels = v1alpha1.Labels{"team": "ops", "new": ""} }},
		{"no labels", func(s *v1alpha1.TopicSpec) { s.Labels = nil }},
		{"another key", func(s *v1alpha1.TopicSpec) { s.KMSKeyName = keyB }},
		{"no key", func(s *v1alpha1.TopicSpec) { s.KMSKeyName = "" }},
		{"another region", func(s *v1alpha1.TopicSpec) {
			s.MessageStoragePolicy = &v1alpha1.TopicMessageStoragePolicy{AllowedPersistenceRegions: []string{"us-east1"}}
		}},
		{"no storage policy", func(s *v1alpha1.TopicSpec) { s.MessageStoragePolicy = nil }},
		{"another retention", func(s *v1alpha1.TopicSpec) { s.MessageRetentionSeconds = new(int64(600)) }},
		{"no retention", func(s *v1alpha1.TopicSpec) { s.MessageRetentionSeconds = nil }},
		{"another encoding", func(s *v1alpha1.TopicSpec) {
			s.SchemaSettings = &v1alpha1.TopicSchemaSettings{Schema: s.SchemaSettings.Schema, Encoding: "BINARY"}
		}},
		{"another schema", func(s *v1alpha1.TopicSpec) {
			s.SchemaSettings = &v1alpha1.TopicSchemaSettings{Schema: schemaB, Encoding: "JSON"}
		}},
		{"explicitly no schema", func(s *v1alpha1.TopicSpec) { s.SchemaSettings = &v1alpha1.TopicSchemaSettings{} }},
		{"Avro", func(s *v1alpha1.TopicSpec) {
			s.Ingestion = &v1alpha1.TopicIngestion{
				Source: &v1alpha1.TopicIngestionSource{CloudStorage: &v1alpha1.TopicCloudStorageSource{
					Bucket: "demo-project-order-imports", AvroFormat: &v1alpha1.TopicAvroFormat{},
				}},
				PlatformLogs: &v1alpha1.TopicPlatformLogs{Severity: "ERROR"},
			}
		}},
		{"another source, no logs", func(s *v1alpha1.TopicSpec) {
			s.Ingestion = &v1alpha1.TopicIngestion{Source: &v1alpha1.TopicIngestionSource{AWSMSK: &v1alpha1.TopicAWSMSKSource{
				ClusterARN: "arn:aws:kafka:us-east-1:123456789012:cluster/c/0", Topic: "t", AWSRoleARN: roleARN, GCPServiceAccount: account,
			}}}
		}},
		{"no ingestion", func(s *v1alpha1.TopicSpec) { s.Ingestion = nil }},
		{"other transforms", func(s *v1alpha1.TopicSpec) { s.MessageTransforms = s.MessageTransforms[:1] }},
		{"explicitly no transforms", func(s *v1alpha1.TopicSpec) { s.MessageTransforms = []v1alpha1.TopicMessageTransform{} }},
		{"everything again", func(s *v1alpha1.TopicSpec) { *s = *full.DeepCopy() }},
		{"nothing", func(s *v1alpha1.TopicSpec) { *s = v1alpha1.TopicSpec{} }},
	} {
		t.Run(step.name, func(t *testing.T) {
			desired = desired.DeepCopy()
			step.edit(&desired.Spec)
			e.reconcile(t, desired)
		})
	}

	if err := e.impl.Delete(t.Context(), e.ref, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.impl.Delete(t.Context(), e.ref, nil); err != nil {
		t.Errorf("deleting it again: %v", err)
	}
	if _, err := e.impl.Observe(t.Context(), e.ref); !gcp.IsNotFound(err) {
		t.Errorf("after it is deleted: %v", err)
	}
}

func TestMinimalSampleTakesWhatGoogleGives(t *testing.T) {
	e := emulate(t)
	desired := sample(t, "topic-minimal.yaml")
	e.cloud.PubSub.RestrictRegions(e.ref.Project, "europe-west1")
	if _, err := e.impl.Create(t.Context(), e.ref, desired); err != nil {
		t.Fatal(err)
	}
	e.expectNoDifference(t, desired)
	_, live := e.compare(t, desired)
	want := []string{"europe-west1"}
	if diff := cmp.Diff(want, e.impl.Describe(live).Spec.MessageStoragePolicy.AllowedPersistenceRegions); diff != "" {
		t.Errorf("regions: -want +got\n%s", diff)
	}
}

func TestDriftIsSeen(t *testing.T) {
	e := emulate(t)
	desired := sample(t, "topic-full.yaml")
	if _, err := e.impl.Create(t.Context(), e.ref, desired); err != nil {
		t.Fatal(err)
	}
	e.expectNoDifference(t, desired)
	if err := e.cloud.PubSub.EditTopic(fullName(e.ref), func(topic *pubsubpb.Topic) {
		topic.Labels["team"] = "intruder"
		topic.Labels["unmanaged"] = "stays"
		topic.MessageRetentionDuration = nil
		topic.MessageTransforms = nil
	}); err != nil {
		t.Fatal(err)
	}
	compared, _ := e.compare(t, desired)
	want := []string{"spec.labels[team]", "spec.messageRetentionSeconds", "spec.messageTransforms"}
	if diff := cmp.Diff(want, compared.Changes.Paths()); diff != "" {
		t.Errorf("drift: -want +got\n%s", diff)
	}
	e.reconcile(t, desired)
	live, _ := e.cloud.PubSub.Topic(fullName(e.ref))
	if live.GetLabels()["unmanaged"] != "stays" {
		t.Errorf("labels: %v", live.GetLabels())
	}
}
