package diff

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func TestWantSaysNothingByNil(t *testing.T) {
	live := &v1alpha1.Topic{Spec: v1alpha1.TopicSpec{
		SchemaSettings: &v1alpha1.TopicSchemaSettings{Schema: "projects/p/schemas/s"},
	}}
	desired := &v1alpha1.Topic{Spec: v1alpha1.TopicSpec{SchemaSettings: &v1alpha1.TopicSchemaSettings{}}}
	if got := Compare(desired, live, nil, nil).Want; got.Spec.SchemaSettings != nil {
		t.Errorf("schemaSettings: %+v, want nil", got.Spec.SchemaSettings)
	}
}

func TestAtomicStructKeepsItsEmptyMembers(t *testing.T) {
	source := func() *v1alpha1.TopicIngestion {
		return &v1alpha1.TopicIngestion{Source: &v1alpha1.TopicIngestionSource{
			CloudStorage: &v1alpha1.TopicCloudStorageSource{Bucket: "logs", AvroFormat: &v1alpha1.TopicAvroFormat{}},
		}}
	}
	desired := &v1alpha1.Topic{Spec: v1alpha1.TopicSpec{Ingestion: source()}}
	fields := Fields{"spec.ingestion.source": {Atomic: true}}
	want := Compare(desired, &v1alpha1.Topic{}, nil, fields).Want
	for name, got := range map[string]*v1alpha1.TopicIngestion{
		"want":    want.Spec.Ingestion,
		"desired": desired.Spec.Ingestion, // whose members want shares
	} {
		if diff := cmp.Diff(source(), got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}
