package topic

import (
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// deletedSchema is what Google shows in place of the name of a schema that was deleted.
const deletedSchema = "_deleted-schema_"

// Report fills the topic's outputs in the object's status.
func (*Kind) Report(obj *v1alpha1.Topic, live *pubsubpb.Topic) {
	obj.Status.Name = live.GetName()
	obj.Status.State = enumName[string](live.GetState())
	obj.Status.IngestionState = ingestionState(live.GetIngestionDataSourceSettings())
	obj.Status.SchemaDeleted = live.GetSchemaSettings().GetSchema() == deletedSchema
}
