package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TopicIngestion imports messages into a topic.
type TopicIngestion struct {
	// source is where messages come from. It is compared and written as a whole: unset fields in it take Google's default. An
	// explicit {} is no source.
	// +optional
	Source *TopicIngestionSource `json:"source,omitempty"`

	// platformLogs says what Pub/Sub logs about the ingestion.
	// +optional
	PlatformLogs *TopicPlatformLogs `json:"platformLogs,omitempty"`
}

// TopicPlatformLogs says what Pub/Sub logs about an ingestion.
type TopicPlatformLogs struct {
	// severity is the lowest severity that is logged. DISABLED, Google's default, logs nothing.
	// +optional
	Severity TopicLogSeverity `json:"severity,omitempty"`
}

// TopicLogSeverity is the severity of a platform log.
// +kubebuilder:validation:Enum=DISABLED;DEBUG;INFO;WARNING;ERROR
type TopicLogSeverity string

// TopicLogSeverityDisabled logs nothing.
const TopicLogSeverityDisabled TopicLogSeverity = "DISABLED"

// TopicIngestionSource is where messages come from: at most one of its fields.
//
// +kubebuilder:validation:XValidation:rule="[has(self.cloudStorage), has(self.awsKinesis), has(self.azureEventHubs), has(self.awsMSK), has(self.confluentCloud)].filter(x, x).size() <= 1",message="ingestion.source takes only one of cloudStorage, awsKinesis, azureEventHubs, awsMSK and confluentCloud: remove the others"
type TopicIngestionSource struct {
	// cloudStorage imports the objects of a bucket.
	// +optional
	CloudStorage *TopicCloudStorageSource `json:"cloudStorage,omitempty"`

	// awsKinesis imports a stream of Amazon Kinesis Data Streams.
	// +optional
	AWSKinesis *TopicAWSKinesisSource `json:"awsKinesis,omitempty"`

	// azureEventHubs imports an event hub of Azure Event Hubs.
	// +optional
	AzureEventHubs *TopicAzureEventHubsSource `json:"azureEventHubs,omitempty"`

	// awsMSK imports a topic of Amazon MSK.
	// +optional
	AWSMSK *TopicAWSMSKSource `json:"awsMSK,omitempty"`

	// confluentCloud imports a topic of Confluent Cloud.
	// +optional
	ConfluentCloud *TopicConfluentCloudSource `json:"confluentCloud,omitempty"`
}

// TopicCloudStorageSource imports the objects of a bucket, as text unless another format is set.
//
// +kubebuilder:validation:XValidation:rule="[has(self.textFormat), has(self.avroFormat), has(self.pubsubAvroFormat)].filter(x, x).size() <= 1",message="cloudStorage takes only one of textFormat, avroFormat and pubsubAvroFormat: remove the others"
type TopicCloudStorageSource struct {
	// bucket is the bucket's name, without gs://. The project's Pub/Sub service agent must be allowed to list and read it.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=222
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9._-]*[a-z0-9]$`
	Bucket string `json:"bucket,omitempty"`

	// textFormat makes a message of each line of text.
	// +optional
	TextFormat *TopicTextFormat `json:"textFormat,omitempty"`

	// avroFormat makes a message of each record of Avro binary data. It has no fields: {}.
	// +optional
	AvroFormat *TopicAvroFormat `json:"avroFormat,omitempty"`

	// pubsubAvroFormat restores the messages that a Cloud Storage subscription wrote as Avro. It has no fields: {}.
	// +optional
	PubsubAvroFormat *TopicPubsubAvroFormat `json:"pubsubAvroFormat,omitempty"`

	// minimumObjectCreateTime is the creation time, in RFC 3339, of the oldest objects to import.
	// +optional
	MinimumObjectCreateTime *metav1.Time `json:"minimumObjectCreateTime,omitempty"`

	// matchGlob is the pattern, such as logs/**.txt, of the names of the objects to import. Google's default: all objects.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	MatchGlob string `json:"matchGlob,omitempty"`
}

// TopicTextFormat makes a message of each line of text.
type TopicTextFormat struct {
	// delimiter ends a line. Google's default: the newline.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Delimiter string `json:"delimiter,omitempty"`
}

// TopicAvroFormat makes a message of each record of Avro binary data.
type TopicAvroFormat struct{}

// TopicPubsubAvroFormat restores the messages that a Cloud Storage subscription wrote as Avro.
type TopicPubsubAvroFormat struct{}

// TopicAWSKinesisSource imports a stream of Amazon Kinesis Data Streams.
type TopicAWSKinesisSource struct {
	// streamARN is the ARN of the stream: arn:aws:kinesis:REGION:ACCOUNT:stream/NAME.
	// +required
	// +kubebuilder:validation:MaxLength=400
	// +kubebuilder:validation:Pattern=`^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[A-Za-z0-9_.-]+$`
	StreamARN string `json:"streamARN,omitempty"`

	// consumerARN is the ARN of the consumer, which must be ready for enhanced fan-out:
	// arn:aws:kinesis:REGION:ACCOUNT:stream/NAME/consumer/NAME:TIME.
	// +required
	// +kubebuilder:validation:MaxLength=400
	// +kubebuilder:validation:Pattern=`^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:[0-9]{12}:stream/[A-Za-z0-9_.-]+/consumer/[A-Za-z0-9_.:-]+$`
	ConsumerARN string `json:"consumerARN,omitempty"`

	// awsRoleARN is the role that Pub/Sub assumes.
	// +required
	AWSRoleARN AWSRoleARN `json:"awsRoleARN,omitempty"`

	// gcpServiceAccount is the service account whose identity the role trusts.
	// +required
	GCPServiceAccount ServiceAccountEmail `json:"gcpServiceAccount,omitempty"`
}

// TopicAzureEventHubsSource imports an event hub of Azure Event Hubs.
type TopicAzureEventHubsSource struct {
	// resourceGroup is the name of the resource group within the Azure subscription.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=90
	ResourceGroup string `json:"resourceGroup,omitempty"`

	// namespace is the name of the Event Hubs namespace.
	// +optional
	// +kubebuilder:validation:MaxLength=50
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9-]*$`
	Namespace string `json:"namespace,omitempty"`

	// eventHub is the name of the event hub.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._-]*$`
	EventHub string `json:"eventHub,omitempty"`

	// clientID is the ID of the Azure application that Pub/Sub authenticates as.
	// +optional
	ClientID AzureID `json:"clientID,omitempty"`

	// tenantID is the ID of the application's tenant.
	// +optional
	TenantID AzureID `json:"tenantID,omitempty"`

	// subscriptionID is the ID of the Azure subscription.
	// +optional
	SubscriptionID AzureID `json:"subscriptionID,omitempty"`

	// gcpServiceAccount is the service account whose identity the application trusts.
	// +optional
	GCPServiceAccount ServiceAccountEmail `json:"gcpServiceAccount,omitempty"`
}

// TopicAWSMSKSource imports a topic of Amazon MSK.
type TopicAWSMSKSource struct {
	// clusterARN is the ARN of the cluster: arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/ID.
	// +required
	// +kubebuilder:validation:MaxLength=400
	// +kubebuilder:validation:Pattern=`^arn:aws[a-z-]*:kafka:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9_.-]+/[A-Za-z0-9-]+$`
	ClusterARN string `json:"clusterARN,omitempty"`

	// topic is the name of the topic in the cluster.
	// +required
	Topic KafkaTopic `json:"topic,omitempty"`

	// awsRoleARN is the role that Pub/Sub assumes.
	// +required
	AWSRoleARN AWSRoleARN `json:"awsRoleARN,omitempty"`

	// gcpServiceAccount is the service account whose identity the role trusts.
	// +required
	GCPServiceAccount ServiceAccountEmail `json:"gcpServiceAccount,omitempty"`
}

// TopicConfluentCloudSource imports a topic of Confluent Cloud.
type TopicConfluentCloudSource struct {
	// bootstrapServer is the address of the bootstrap server: HOST:PORT.
	// +required
	// +kubebuilder:validation:MaxLength=259
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9.-]+:[0-9]{1,5}$`
	BootstrapServer string `json:"bootstrapServer,omitempty"`

	// clusterID is the ID of the cluster, such as lkc-1a2b3c.
	// +required
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	ClusterID string `json:"clusterID,omitempty"`

	// topic is the name of the topic in the cluster.
	// +required
	Topic KafkaTopic `json:"topic,omitempty"`

	// identityPoolID is the ID of the identity pool that trusts the service account, such as pool-1a2b.
	// +required
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	IdentityPoolID string `json:"identityPoolID,omitempty"`

	// gcpServiceAccount is the service account that Pub/Sub authenticates as.
	// +required
	GCPServiceAccount ServiceAccountEmail `json:"gcpServiceAccount,omitempty"`
}

// AWSRoleARN is the ARN of an AWS role: arn:aws:iam::ACCOUNT:role/NAME.
// +kubebuilder:validation:MaxLength=640
// +kubebuilder:validation:Pattern=`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$`
type AWSRoleARN string

// AzureID is an identifier in Azure, such as 01234567-89ab-cdef-0123-456789abcdef.
// +kubebuilder:validation:MaxLength=36
// +kubebuilder:validation:Pattern=`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`
type AzureID string

// KafkaTopic is the name of a topic of Apache Kafka.
// +kubebuilder:validation:MaxLength=249
// +kubebuilder:validation:Pattern=`^[A-Za-z0-9._-]+$`
type KafkaTopic string

// ServiceAccountEmail is the e-mail of a Google Cloud service account.
// +kubebuilder:validation:MaxLength=254
// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9._-]*@[a-z0-9.:-]+$`
type ServiceAccountEmail string
