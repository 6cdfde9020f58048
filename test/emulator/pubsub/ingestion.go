package pubsub

import (
	"slices"
	"strings"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// optionalSourceFields are the texts of an ingestion source that may be empty.
var optionalSourceFields = []protoreflect.Name{"match_glob"}

// validateIngestion checks that there is a source and that its texts are
// there and look right. That there is at most one is protobuf's business.
func validateIngestion(settings *pb.IngestionDataSourceSettings) error {
	if settings == nil {
		return nil
	}
	source, field := sourceOf(settings)
	if source == nil {
		return invalidArgument("Topic::ingestion_data_source_settings")
	}
	fields := source.Descriptor().Fields()
	for i := range fields.Len() {
		text := fields.Get(i)
		if text.Kind() != protoreflect.StringKind || slices.Contains(optionalSourceFields, text.Name()) {
			continue
		}
		if !plausible(text.Name(), source.Get(text).String()) {
			return invalidArgument("IngestionDataSourceSettings::" + string(field.Name()) + "::" + string(text.Name()))
		}
	}
	return nil
}

// plausible checks the form of one text of a source by its name.
func plausible(field protoreflect.Name, value string) bool {
	switch {
	case strings.HasSuffix(string(field), "_arn"):
		return strings.HasPrefix(value, "arn:")
	case field == "gcp_service_account":
		return strings.Contains(value, "@")
	case field == "bootstrap_server":
		return strings.Contains(value, ":")
	case field == "bucket":
		return value != "" && !strings.Contains(value, "/")
	default:
		return value != ""
	}
}

// active is ACTIVE in the enumeration of states of each source.
const active protoreflect.EnumNumber = 1

// ingestionState returns the state of a topic by that of its source, which
// becomes active if it has none yet. A topic without a source has no state.
func ingestionState(settings *pb.IngestionDataSourceSettings) pb.Topic_State {
	source, _ := sourceOf(settings)
	if source == nil {
		return pb.Topic_STATE_UNSPECIFIED
	}
	switch source.Get(stateField(source)).Enum() {
	case 0:
		setSourceState(settings, active)
		return pb.Topic_ACTIVE
	case active:
		return pb.Topic_ACTIVE
	default:
		return pb.Topic_INGESTION_RESOURCE_ERROR
	}
}

func setSourceState(settings *pb.IngestionDataSourceSettings, state protoreflect.EnumNumber) {
	if source, _ := sourceOf(settings); source != nil {
		source.Set(stateField(source), protoreflect.ValueOfEnum(state))
	}
}

func stateField(source protoreflect.Message) protoreflect.FieldDescriptor {
	return source.Descriptor().Fields().ByName("state")
}

// sourceOf returns the source that is set and its field, nil if none is.
func sourceOf(settings *pb.IngestionDataSourceSettings) (protoreflect.Message, protoreflect.FieldDescriptor) {
	if settings == nil {
		return nil, nil
	}
	message := settings.ProtoReflect()
	field := message.WhichOneof(message.Descriptor().Oneofs().ByName("source"))
	if field == nil {
		return nil, nil
	}
	return message.Get(field).Message(), field
}
