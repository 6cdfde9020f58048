package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Topic is a Pub/Sub topic.
//
// The rules here are those that look beyond the spec: at the name, the status or what was there before.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=pstopic,categories=gcp;holdfast
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Drifted",type=string,JSONPath=`.status.conditions[?(@.type=="Drifted")].status`
// +kubebuilder:printcolumn:name="Glass",type=string,JSONPath=`.status.conditions[?(@.type=="BreakGlass")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Project",type=string,JSONPath=`.status.project`,priority=1
// +kubebuilder:printcolumn:name="External-Name",type=string,JSONPath=`.status.externalName`,priority=1
// +kubebuilder:printcolumn:name="Broken-By",type=string,JSONPath=`.status.breakGlass.by`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,priority=1
//
// The same for every kind:
// +kubebuilder:validation:XValidation:rule="(has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name) == (has(oldSelf.spec.resourceID) ? oldSelf.spec.resourceID : oldSelf.metadata.name)",message="spec.resourceID is immutable: create a new object for another resource"
// +kubebuilder:validation:XValidation:rule="has(self.spec.projectID) || !has(oldSelf.spec.projectID)",message="spec.projectID cannot be removed: create a new object for another project"
// +kubebuilder:validation:XValidation:rule="!has(self.spec.projectID) || has(oldSelf.spec.projectID) || has(self.status.project) && self.status.project == self.spec.projectID",message="spec.projectID can be added only if it is the project that the object is bound to already (status.project): create a new object for another project"
//
// The name, by https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names:
// +kubebuilder:validation:XValidation:rule="(has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name).matches('^[A-Za-z][A-Za-z0-9._~+%-]{2,254}$')",message="the topic's name (spec.resourceID, or else metadata.name) must begin with a letter and have 3 to 255 letters, digits, -, _, ., ~, + and %: give spec.resourceID another value"
// +kubebuilder:validation:XValidation:rule="!(has(self.spec.resourceID) ? self.spec.resourceID : self.metadata.name).startsWith('goog')",message="the topic's name (spec.resourceID, or else metadata.name) must not begin with goog, which Google reserves: give spec.resourceID another value"
type Topic struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the desired state of the topic. Unset fields are left unmanaged.
	// +optional
	// +kubebuilder:default={}
	Spec TopicSpec `json:"spec,omitzero"`

	// status is the observed state of the topic. Only Holdfast writes it.
	// +optional
	// +kubebuilder:default={"observedGeneration":-1}
	Status TopicStatus `json:"status,omitzero"`
}

// TopicSpec is the desired state of the topic. Google can change all of it on an existing topic.
//
// +kubebuilder:validation:XValidation:rule="!has(self.deletionPolicy) || self.deletionPolicy != 'DeleteWithContents'",message="spec.deletionPolicy DeleteWithContents is for buckets only: use Delete or Orphan for a topic"
type TopicSpec struct {
	CommonSpec `json:",inline"`

	// labels are the topic's labels. Only the keys listed here are managed.
	// +optional
	Labels Labels `json:"labels,omitzero"`

	// kmsKeyName is the Cloud KMS key that encrypts messages: projects/P/locations/L/keyRings/R/cryptoKeys/K. Messages that
	// were published before a change stay encrypted with the earlier key. The project's Pub/Sub service agent needs
	// roles/cloudkms.cryptoKeyEncrypterDecrypter on the key.
	// +optional
	// +kubebuilder:validation:MaxLength=400
	// +kubebuilder:validation:Pattern=`^projects/[^/\s]+/locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63}$`
	KMSKeyName string `json:"kmsKeyName,omitempty"`

	// messageStoragePolicy says in which regions messages may be stored. Once removed, the organization's policy decides.
	// +optional
	MessageStoragePolicy *TopicMessageStoragePolicy `json:"messageStoragePolicy,omitempty"`

	// messageRetentionSeconds is how long the topic keeps messages after they were published, so that any subscription can
	// seek back: 600 (10 minutes) to 2678400 (31 days). Google's default: only as long as subscriptions need them.
	// +optional
	// +kubebuilder:validation:Minimum=600
	// +kubebuilder:validation:Maximum=2678400
	MessageRetentionSeconds *int64 `json:"messageRetentionSeconds,omitempty"`

	// schemaSettings name the schema that messages are validated against. An explicit {} is no schema.
	// +optional
	SchemaSettings *TopicSchemaSettings `json:"schemaSettings,omitempty"`

	// ingestion imports messages from another system into the topic. An explicit {} imports nothing.
	// +optional
	Ingestion *TopicIngestion `json:"ingestion,omitempty"`

	// messageTransforms change or drop messages as they are published, in this order. An explicit [] is none.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=5
	// +kubebuilder:validation:XValidation:rule="self.all(t, !has(t.javaScriptUDF) || self.exists_one(u, has(u.javaScriptUDF) && u.javaScriptUDF.functionName == t.javaScriptUDF.functionName))",message="messageTransforms: two items have the same javaScriptUDF.functionName: rename one"
	MessageTransforms []TopicMessageTransform `json:"messageTransforms,omitzero"`

	// iam says who may publish to the topic, attach subscriptions to it, or manage it. Google allows no conditions on topics.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.bindings) || self.bindings.all(b, !has(b.condition))",message="iam.bindings: Google allows no conditions in a topic's policy: remove condition, or grant on the project"
	IAM *IAMPolicy `json:"iam,omitempty"`
}

// TopicMessageStoragePolicy says in which regions messages may be stored.
type TopicMessageStoragePolicy struct {
	// allowedPersistenceRegions are the Google Cloud regions, such as europe-west1, in which messages may be stored.
	// +required
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:Pattern=`^[a-z]+-[a-z]+[0-9]+$`
	AllowedPersistenceRegions []string `json:"allowedPersistenceRegions,omitzero"`

	// enforceInTransit also rejects publishing in, and delivering to, any other region. Google's default: false.
	// +optional
	EnforceInTransit *bool `json:"enforceInTransit,omitempty"`
}

// TopicSchemaSettings name the schema that messages are validated against.
//
// +kubebuilder:validation:XValidation:rule="has(self.schema) || !(has(self.encoding) || has(self.firstRevisionID) || has(self.lastRevisionID))",message="schemaSettings.schema is missing: set the schema that encoding, firstRevisionID and lastRevisionID belong to"
// +kubebuilder:validation:XValidation:rule="has(self.encoding) || !has(self.schema)",message="schemaSettings.encoding is missing: set it to JSON or BINARY, since Google accepts no schema without it"
type TopicSchemaSettings struct {
	// schema is the full name of the schema: projects/P/schemas/S.
	// +optional
	// +kubebuilder:validation:MaxLength=400
	// +kubebuilder:validation:Pattern=`^projects/[^/\s]+/schemas/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`
	Schema string `json:"schema,omitempty"`

	// encoding is how messages are encoded. Required with schema.
	// +optional
	Encoding TopicSchemaEncoding `json:"encoding,omitempty"`

	// firstRevisionID is the oldest revision of the schema that a message may have; unset: any before lastRevisionID.
	// +optional
	FirstRevisionID SchemaRevisionID `json:"firstRevisionID,omitempty"`

	// lastRevisionID is the newest revision of the schema that a message may have; unset: any after firstRevisionID.
	// +optional
	LastRevisionID SchemaRevisionID `json:"lastRevisionID,omitempty"`
}

// TopicSchemaEncoding is how messages are encoded.
// +kubebuilder:validation:Enum=JSON;BINARY
type TopicSchemaEncoding string

// The values of TopicSchemaEncoding.
const (
	TopicSchemaEncodingJSON   TopicSchemaEncoding = "JSON"
	TopicSchemaEncodingBinary TopicSchemaEncoding = "BINARY"
)

// SchemaRevisionID is Google's ID of a revision of a schema.
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
type SchemaRevisionID string

// TopicStatus is the observed state of the topic.
type TopicStatus struct {
	CommonStatus `json:",inline"`

	// name is the topic's full name: projects/P/topics/T.
	// +optional
	Name string `json:"name,omitempty"`

	// state is the topic's state: ACTIVE, or INGESTION_RESOURCE_ERROR if ingestion has failed permanently.
	// +optional
	State string `json:"state,omitempty"`

	// ingestionState is the state of the ingestion source, such as ACTIVE or BUCKET_NOT_FOUND.
	// +optional
	IngestionState string `json:"ingestionState,omitempty"`

	// schemaDeleted says that the schema was deleted while the topic referred to it: publishing fails until another is set.
	// +optional
	SchemaDeleted bool `json:"schemaDeleted,omitempty"`
}

// TopicList is a list of topics.
//
// +kubebuilder:object:root=true
type TopicList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Topic `json:"items"`
}

// GetCommonSpec returns the topic's own common spec.
func (t *Topic) GetCommonSpec() *CommonSpec { return &t.Spec.CommonSpec }

// GetCommonStatus returns the topic's own common status.
func (t *Topic) GetCommonStatus() *CommonStatus { return &t.Status.CommonStatus }
