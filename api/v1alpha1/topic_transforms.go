package v1alpha1

import "k8s.io/apimachinery/pkg/runtime"

// TopicMessageTransform changes or drops messages: exactly one of javaScriptUDF, compression and aiInference.
//
// +kubebuilder:validation:XValidation:rule="[has(self.javaScriptUDF), has(self.compression), has(self.aiInference)].filter(x, x).size() == 1",message="messageTransforms: each item takes exactly one of javaScriptUDF, compression and aiInference"
type TopicMessageTransform struct {
	// javaScriptUDF applies a JavaScript function.
	// +optional
	JavaScriptUDF *TopicJavaScriptUDF `json:"javaScriptUDF,omitempty"`

	// compression compresses or decompresses the data.
	// +optional
	Compression *TopicCompression `json:"compression,omitempty"`

	// aiInference sends messages to a Vertex AI model.
	// +optional
	AIInference *TopicAIInference `json:"aiInference,omitempty"`

	// disabled keeps the transform without applying it. Google's default: false.
	// +optional
	Disabled *bool `json:"disabled,omitempty"`
}

// TopicJavaScriptUDF applies a JavaScript function (message, metadata) that returns a message, or null to drop it.
//
// +kubebuilder:validation:XValidation:rule="self.code.contains(self.functionName)",message="javaScriptUDF.code does not define the function that functionName names: add it there"
type TopicJavaScriptUDF struct {
	// functionName is the name of the function in code to apply.
	// +required
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[A-Za-z_$][A-Za-z0-9_$]*$`
	FunctionName string `json:"functionName,omitempty"`

	// code is the JavaScript that defines the function, at most 20 KiB.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=20480
	Code string `json:"code,omitempty"`
}

// TopicCompression compresses or decompresses the data of messages.
type TopicCompression struct {
	// algorithm is the compression algorithm.
	// +required
	Algorithm TopicCompressionAlgorithm `json:"algorithm,omitempty"`

	// mode says whether to compress or to decompress.
	// +required
	Mode TopicCompressionMode `json:"mode,omitempty"`
}

// TopicCompressionAlgorithm is a compression algorithm.
// +kubebuilder:validation:Enum=ZLIB
type TopicCompressionAlgorithm string

// TopicCompressionMode says whether to compress or to decompress.
// +kubebuilder:validation:Enum=COMPRESS;DECOMPRESS
type TopicCompressionMode string

// TopicAIInference sends each message to a Vertex AI model.
type TopicAIInference struct {
	// endpoint is the model's endpoint: projects/P/locations/L/endpoints/E or
	// projects/P/locations/L/publishers/PUBLISHER/models/M.
	// +required
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^projects/[^/\s]+/locations/[a-z0-9-]+/(endpoints/[^/\s]+|publishers/[^/\s]+/models/[^/\s]+)$`
	Endpoint string `json:"endpoint,omitempty"`

	// unstructuredInference sends the message's data as arbitrary JSON.
	// +optional
	UnstructuredInference *TopicUnstructuredInference `json:"unstructuredInference,omitempty"`

	// serviceAccountEmail is the service account that calls the model. Google's default: the project's Pub/Sub service agent.
	// +optional
	ServiceAccountEmail ServiceAccountEmail `json:"serviceAccountEmail,omitempty"`
}

// TopicUnstructuredInference sends the message's data as arbitrary JSON.
type TopicUnstructuredInference struct {
	// parameters are added to each request, as an arbitrary JSON object. Numbers have the precision of a float64.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=64
	Parameters *runtime.RawExtension `json:"parameters,omitempty"`
}
