package pubsub

import (
	"encoding/json"
	"regexp"
	"strings"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
)

// maxDefinitionBytes is how long a definition can be. Google's pages have said
// 50 KB (https://cloud.google.com/pubsub/docs/schemas) and 300 KB; this is the
// larger one.
const maxDefinitionBytes = 300 << 10

// validateSchema checks the type and, as far as that goes without a compiler,
// the definition of a schema.
func validateSchema(schema *pb.Schema) error {
	if len(schema.GetDefinition()) > maxDefinitionBytes {
		return invalidArgument("Schema::definition")
	}
	switch schema.GetType() {
	case pb.Schema_AVRO:
		if !looksLikeAvro(schema.GetDefinition()) {
			return invalidArgument("Schema::definition")
		}
	case pb.Schema_PROTOCOL_BUFFER:
		if schema.GetCompiledProtoSchema() == nil && !looksLikeProto(schema.GetDefinition()) {
			return invalidArgument("Schema::definition")
		}
	default:
		return invalidArgument("Schema::type")
	}
	return nil
}

// looksLikeAvro reports whether a definition is a JSON object that names a
// record and its fields. Single quotes are taken too, since Google's own
// examples for gcloud have them.
func looksLikeAvro(definition string) bool {
	var record struct {
		Type   string `json:"type"`
		Name   string `json:"name"`
		Fields []struct {
			Name string `json:"name"`
			Type any    `json:"type"`
		} `json:"fields"`
	}
	if json.Unmarshal([]byte(definition), &record) != nil &&
		json.Unmarshal([]byte(strings.ReplaceAll(definition, "'", `"`)), &record) != nil {
		return false
	}
	for _, field := range record.Fields {
		if field.Name == "" || field.Type == nil {
			return false
		}
	}
	return record.Type == "record" && record.Name != ""
}

var protoMessage = regexp.MustCompile(`(^|[\s;}])message\s+[A-Za-z_][A-Za-z0-9_]*\s*\{`)

// looksLikeProto reports whether a definition has a message and its braces
// are balanced.
func looksLikeProto(definition string) bool {
	return protoMessage.MatchString(definition) &&
		strings.Count(definition, "{") == strings.Count(definition, "}")
}
