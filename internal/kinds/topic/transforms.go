package topic

import (
	"encoding/json"
	"fmt"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/structpb"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func buildTransforms(transforms []v1alpha1.TopicMessageTransform) ([]*pubsubpb.MessageTransform, error) {
	var built []*pubsubpb.MessageTransform
	for i, transform := range transforms {
		b, err := buildTransform(transform)
		if err != nil {
			return nil, fmt.Errorf("spec.messageTransforms[%d].%w", i, err)
		}
		built = append(built, b)
	}
	return built, nil
}

func buildTransform(transform v1alpha1.TopicMessageTransform) (*pubsubpb.MessageTransform, error) {
	built := &pubsubpb.MessageTransform{Disabled: transform.Disabled != nil && *transform.Disabled}
	switch {
	case transform.JavaScriptUDF != nil:
		built.Transform = &pubsubpb.MessageTransform_JavascriptUdf{JavascriptUdf: &pubsubpb.JavaScriptUDF{
			FunctionName: transform.JavaScriptUDF.FunctionName,
			Code:         transform.JavaScriptUDF.Code,
		}}
	case transform.Compression != nil:
		built.Transform = &pubsubpb.MessageTransform_Compression{Compression: &pubsubpb.Compression{
			CompressionAlgorithm: enumValue[pubsubpb.Compression_CompressionAlgorithm](
				pubsubpb.Compression_CompressionAlgorithm_value, transform.Compression.Algorithm),
			CompressionMode: enumValue[pubsubpb.Compression_CompressionMode](
				pubsubpb.Compression_CompressionMode_value, transform.Compression.Mode),
		}}
	case transform.AIInference != nil:
		inference, err := buildInference(transform.AIInference)
		if err != nil {
			return nil, fmt.Errorf("aiInference.%w", err)
		}
		built.Transform = &pubsubpb.MessageTransform_AiInference{AiInference: inference}
	}
	return built, nil
}

func buildInference(inference *v1alpha1.TopicAIInference) (*pubsubpb.AIInference, error) {
	built := &pubsubpb.AIInference{
		Endpoint:            inference.Endpoint,
		ServiceAccountEmail: string(inference.ServiceAccountEmail),
	}
	if inference.UnstructuredInference == nil {
		return built, nil
	}
	parameters, err := buildParameters(inference.UnstructuredInference.Parameters)
	if err != nil {
		return nil, fmt.Errorf("unstructuredInference.parameters: %w", err)
	}
	built.InferenceMode = &pubsubpb.AIInference_UnstructuredInference_{
		UnstructuredInference: &pubsubpb.AIInference_UnstructuredInference{Parameters: parameters},
	}
	return built, nil
}

// buildParameters gives nothing for an empty object, which adds nothing to a request.
func buildParameters(parameters *runtime.RawExtension) (*structpb.Struct, error) {
	if parameters == nil || len(parameters.Raw) == 0 {
		return nil, nil
	}
	built := &structpb.Struct{}
	if err := built.UnmarshalJSON(parameters.Raw); err != nil {
		return nil, err
	}
	if len(built.GetFields()) == 0 {
		return nil, nil
	}
	return built, nil
}

func describeTransforms(live []*pubsubpb.MessageTransform) []v1alpha1.TopicMessageTransform {
	var transforms []v1alpha1.TopicMessageTransform
	for _, transform := range live {
		transforms = append(transforms, describeTransform(transform))
	}
	return transforms
}

func describeTransform(live *pubsubpb.MessageTransform) v1alpha1.TopicMessageTransform {
	transform := v1alpha1.TopicMessageTransform{Disabled: new(live.GetDisabled())}
	switch kind := live.GetTransform().(type) {
	case *pubsubpb.MessageTransform_JavascriptUdf:
		transform.JavaScriptUDF = &v1alpha1.TopicJavaScriptUDF{
			FunctionName: kind.JavascriptUdf.GetFunctionName(),
			Code:         kind.JavascriptUdf.GetCode(),
		}
	case *pubsubpb.MessageTransform_Compression:
		transform.Compression = &v1alpha1.TopicCompression{
			Algorithm: enumName[v1alpha1.TopicCompressionAlgorithm](kind.Compression.GetCompressionAlgorithm()),
			Mode:      enumName[v1alpha1.TopicCompressionMode](kind.Compression.GetCompressionMode()),
		}
	case *pubsubpb.MessageTransform_AiInference:
		transform.AIInference = describeInference(kind.AiInference)
	}
	return transform
}

func describeInference(live *pubsubpb.AIInference) *v1alpha1.TopicAIInference {
	inference := &v1alpha1.TopicAIInference{
		Endpoint:            live.GetEndpoint(),
		ServiceAccountEmail: v1alpha1.ServiceAccountEmail(live.GetServiceAccountEmail()),
	}
	if mode, ok := live.GetInferenceMode().(*pubsubpb.AIInference_UnstructuredInference_); ok {
		inference.UnstructuredInference = &v1alpha1.TopicUnstructuredInference{
			Parameters: describeParameters(mode.UnstructuredInference.GetParameters()),
		}
	}
	return inference
}

func describeParameters(live *structpb.Struct) *runtime.RawExtension {
	if len(live.GetFields()) == 0 {
		return nil
	}
	raw, err := json.Marshal(live.AsMap())
	if err != nil {
		return nil // a number that is none in JSON; no manifest can say it, so any manifest differs
	}
	return &runtime.RawExtension{Raw: raw}
}
