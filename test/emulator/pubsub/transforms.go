package pubsub

import (
	"regexp"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
)

// The limits of transforms, of a topic and of a script, as
// https://cloud.google.com/pubsub/docs/smts/udfs-overview is understood; no
// recording shows them.
const (
	maxTransforms  = 5
	maxScriptBytes = 20 << 10
)

var (
	functionNamePattern = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)
	vertexPattern       = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/(endpoints/[^/]+|publishers/[^/]+/models/[^/]+)$`)
)

func validateTransforms(transforms []*pb.MessageTransform) error {
	if len(transforms) > maxTransforms {
		return invalidArgument("message_transforms")
	}
	functions := map[string]bool{}
	for _, transform := range transforms {
		if err := validateTransform(transform); err != nil {
			return err
		}
		function := transform.GetJavascriptUdf().GetFunctionName()
		if function == "" {
			continue
		}
		if functions[function] {
			return invalidArgument("MessageTransform::javascript_udf::function_name")
		}
		functions[function] = true
	}
	return nil
}

func validateTransform(transform *pb.MessageTransform) error {
	switch kind := transform.GetTransform().(type) {
	case *pb.MessageTransform_JavascriptUdf:
		return validateScript(kind.JavascriptUdf)
	case *pb.MessageTransform_Compression:
		if kind.Compression.GetCompressionAlgorithm() == pb.Compression_COMPRESSION_ALGORITHM_UNSPECIFIED {
			return invalidArgument("MessageTransform::compression::compression_algorithm")
		}
		if kind.Compression.GetCompressionMode() == pb.Compression_COMPRESSION_MODE_UNSPECIFIED {
			return invalidArgument("MessageTransform::compression::compression_mode")
		}
		return nil
	case *pb.MessageTransform_AiInference:
		if !vertexPattern.MatchString(kind.AiInference.GetEndpoint()) {
			return invalidArgument("MessageTransform::ai_inference::endpoint")
		}
		return nil
	default:
		return invalidArgument("MessageTransform::transform")
	}
}

// validateScript checks that the code defines the function; it is not parsed.
func validateScript(script *pb.JavaScriptUDF) error {
	function := script.GetFunctionName()
	if !functionNamePattern.MatchString(function) {
		return invalidArgument("MessageTransform::javascript_udf::function_name")
	}
	defined := regexp.MustCompile(`function\s+` + regexp.QuoteMeta(function) + `\s*\(`)
	if len(script.GetCode()) > maxScriptBytes || !defined.MatchString(script.GetCode()) {
		return invalidArgument("MessageTransform::javascript_udf::code")
	}
	return nil
}

// clearEnabled drops the deprecated field, which "disabled" has replaced.
func clearEnabled(transform *pb.MessageTransform) {
	message := transform.ProtoReflect()
	message.Clear(message.Descriptor().Fields().ByName("enabled"))
}
