package topic

import (
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// newline ends a line of text where nothing else is said.
const newline = "\n"

// buildIngestion gives no settings at all where nothing is imported and nothing logged.
func buildIngestion(ingestion *v1alpha1.TopicIngestion) *pubsubpb.IngestionDataSourceSettings {
	if ingestion == nil {
		return nil
	}
	settings := buildSource(ingestion.Source)
	severity := v1alpha1.TopicLogSeverity("")
	if ingestion.PlatformLogs != nil {
		severity = ingestion.PlatformLogs.Severity
	}
	if settings.GetSource() == nil && (severity == "" || severity == v1alpha1.TopicLogSeverityDisabled) {
		return nil
	}
	if severity != "" {
		settings.PlatformLogsSettings = &pubsubpb.PlatformLogsSettings{
			Severity: enumValue[pubsubpb.PlatformLogsSettings_Severity](pubsubpb.PlatformLogsSettings_Severity_value, severity),
		}
	}
	return settings
}

// buildSource writes a source with Google's defaults explicit, so that two sources that mean the same are built the same.
func buildSource(source *v1alpha1.TopicIngestionSource) *pubsubpb.IngestionDataSourceSettings {
	settings := &pubsubpb.IngestionDataSourceSettings{}
	switch {
	case source == nil:
	case source.CloudStorage != nil:
		settings.Source = &pubsubpb.IngestionDataSourceSettings_CloudStorage_{CloudStorage: buildCloudStorage(source.CloudStorage)}
	case source.AWSKinesis != nil:
		settings.Source = &pubsubpb.IngestionDataSourceSettings_AwsKinesis_{
			AwsKinesis: &pubsubpb.IngestionDataSourceSettings_AwsKinesis{
				StreamArn:         source.AWSKinesis.StreamARN,
				ConsumerArn:       source.AWSKinesis.ConsumerARN,
				AwsRoleArn:        string(source.AWSKinesis.AWSRoleARN),
				GcpServiceAccount: string(source.AWSKinesis.GCPServiceAccount),
			}}
	case source.AzureEventHubs != nil:
		settings.Source = &pubsubpb.IngestionDataSourceSettings_AzureEventHubs_{
			AzureEventHubs: &pubsubpb.IngestionDataSourceSettings_AzureEventHubs{
				ResourceGroup:     source.AzureEventHubs.ResourceGroup,
				Namespace:         source.AzureEventHubs.Namespace,
				EventHub:          source.AzureEventHubs.EventHub,
				ClientId:          string(source.AzureEventHubs.ClientID),
				TenantId:          string(source.AzureEventHubs.TenantID),
				SubscriptionId:    string(source.AzureEventHubs.SubscriptionID),
				GcpServiceAccount: string(source.AzureEventHubs.GCPServiceAccount),
			}}
	case source.AWSMSK != nil:
		settings.Source = &pubsubpb.IngestionDataSourceSettings_AwsMsk_{
			AwsMsk: &pubsubpb.IngestionDataSourceSettings_AwsMsk{
				ClusterArn:        source.AWSMSK.ClusterARN,
				Topic:             string(source.AWSMSK.Topic),
				AwsRoleArn:        string(source.AWSMSK.AWSRoleARN),
				GcpServiceAccount: string(source.AWSMSK.GCPServiceAccount),
			}}
	case source.ConfluentCloud != nil:
		settings.Source = &pubsubpb.IngestionDataSourceSettings_ConfluentCloud_{
			ConfluentCloud: &pubsubpb.IngestionDataSourceSettings_ConfluentCloud{
				BootstrapServer:   source.ConfluentCloud.BootstrapServer,
				ClusterId:         source.ConfluentCloud.ClusterID,
				Topic:             string(source.ConfluentCloud.Topic),
				IdentityPoolId:    source.ConfluentCloud.IdentityPoolID,
				GcpServiceAccount: string(source.ConfluentCloud.GCPServiceAccount),
			}}
	}
	return settings
}

func buildCloudStorage(source *v1alpha1.TopicCloudStorageSource) *pubsubpb.IngestionDataSourceSettings_CloudStorage {
	storage := &pubsubpb.IngestionDataSourceSettings_CloudStorage{Bucket: source.Bucket, MatchGlob: source.MatchGlob}
	switch {
	case source.AvroFormat != nil:
		storage.InputFormat = &pubsubpb.IngestionDataSourceSettings_CloudStorage_AvroFormat_{
			AvroFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_AvroFormat{}}
	case source.PubsubAvroFormat != nil:
		storage.InputFormat = &pubsubpb.IngestionDataSourceSettings_CloudStorage_PubsubAvroFormat{
			PubsubAvroFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_PubSubAvroFormat{}}
	default:
		delimiter := newline
		if source.TextFormat != nil && source.TextFormat.Delimiter != "" {
			delimiter = source.TextFormat.Delimiter
		}
		storage.InputFormat = &pubsubpb.IngestionDataSourceSettings_CloudStorage_TextFormat_{
			TextFormat: &pubsubpb.IngestionDataSourceSettings_CloudStorage_TextFormat{Delimiter: &delimiter}}
	}
	if source.MinimumObjectCreateTime != nil {
		storage.MinimumObjectCreateTime = timestamppb.New(source.MinimumObjectCreateTime.Time)
	}
	return storage
}

func describeIngestion(settings *pubsubpb.IngestionDataSourceSettings) *v1alpha1.TopicIngestion {
	ingestion := v1alpha1.TopicIngestion{Source: describeSource(settings)}
	severity := settings.GetPlatformLogsSettings().GetSeverity()
	if severity != pubsubpb.PlatformLogsSettings_SEVERITY_UNSPECIFIED {
		ingestion.PlatformLogs = &v1alpha1.TopicPlatformLogs{Severity: enumName[v1alpha1.TopicLogSeverity](severity)}
	}
	if ingestion == (v1alpha1.TopicIngestion{}) {
		return nil
	}
	return &ingestion
}

func describeSource(settings *pubsubpb.IngestionDataSourceSettings) *v1alpha1.TopicIngestionSource {
	switch source := settings.GetSource().(type) {
	case *pubsubpb.IngestionDataSourceSettings_CloudStorage_:
		return &v1alpha1.TopicIngestionSource{CloudStorage: describeCloudStorage(source.CloudStorage)}
	case *pubsubpb.IngestionDataSourceSettings_AwsKinesis_:
		return &v1alpha1.TopicIngestionSource{AWSKinesis: &v1alpha1.TopicAWSKinesisSource{
			StreamARN:         source.AwsKinesis.GetStreamArn(),
			ConsumerARN:       source.AwsKinesis.GetConsumerArn(),
			AWSRoleARN:        v1alpha1.AWSRoleARN(source.AwsKinesis.GetAwsRoleArn()),
			GCPServiceAccount: v1alpha1.ServiceAccountEmail(source.AwsKinesis.GetGcpServiceAccount()),
		}}
	case *pubsubpb.IngestionDataSourceSettings_AzureEventHubs_:
		return &v1alpha1.TopicIngestionSource{AzureEventHubs: &v1alpha1.TopicAzureEventHubsSource{
			ResourceGroup:     source.AzureEventHubs.GetResourceGroup(),
			Namespace:         source.AzureEventHubs.GetNamespace(),
			EventHub:          source.AzureEventHubs.GetEventHub(),
			ClientID:          v1alpha1.AzureID(source.AzureEventHubs.GetClientId()),
			TenantID:          v1alpha1.AzureID(source.AzureEventHubs.GetTenantId()),
			SubscriptionID:    v1alpha1.AzureID(source.AzureEventHubs.GetSubscriptionId()),
			GCPServiceAccount: v1alpha1.ServiceAccountEmail(source.AzureEventHubs.GetGcpServiceAccount()),
		}}
	case *pubsubpb.IngestionDataSourceSettings_AwsMsk_:
		return &v1alpha1.TopicIngestionSource{AWSMSK: &v1alpha1.TopicAWSMSKSource{
			ClusterARN:        source.AwsMsk.GetClusterArn(),
			Topic:             v1alpha1.KafkaTopic(source.AwsMsk.GetTopic()),
			AWSRoleARN:        v1alpha1.AWSRoleARN(source.AwsMsk.GetAwsRoleArn()),
			GCPServiceAccount: v1alpha1.ServiceAccountEmail(source.AwsMsk.GetGcpServiceAccount()),
		}}
	case *pubsubpb.IngestionDataSourceSettings_ConfluentCloud_:
		return &v1alpha1.TopicIngestionSource{ConfluentCloud: &v1alpha1.TopicConfluentCloudSource{
			BootstrapServer:   source.ConfluentCloud.GetBootstrapServer(),
			ClusterID:         source.ConfluentCloud.GetClusterId(),
			Topic:             v1alpha1.KafkaTopic(source.ConfluentCloud.GetTopic()),
			IdentityPoolID:    source.ConfluentCloud.GetIdentityPoolId(),
			GCPServiceAccount: v1alpha1.ServiceAccountEmail(source.ConfluentCloud.GetGcpServiceAccount()),
		}}
	default:
		return nil
	}
}

func describeCloudStorage(storage *pubsubpb.IngestionDataSourceSettings_CloudStorage) *v1alpha1.TopicCloudStorageSource {
	source := &v1alpha1.TopicCloudStorageSource{Bucket: storage.GetBucket(), MatchGlob: storage.GetMatchGlob()}
	switch format := storage.GetInputFormat().(type) {
	case *pubsubpb.IngestionDataSourceSettings_CloudStorage_AvroFormat_:
		source.AvroFormat = &v1alpha1.TopicAvroFormat{}
	case *pubsubpb.IngestionDataSourceSettings_CloudStorage_PubsubAvroFormat:
		source.PubsubAvroFormat = &v1alpha1.TopicPubsubAvroFormat{}
	case *pubsubpb.IngestionDataSourceSettings_CloudStorage_TextFormat_:
		source.TextFormat = &v1alpha1.TopicTextFormat{Delimiter: newline}
		if format.TextFormat.GetDelimiter() != "" {
			source.TextFormat.Delimiter = format.TextFormat.GetDelimiter()
		}
	default:
		source.TextFormat = &v1alpha1.TopicTextFormat{Delimiter: newline}
	}
	if storage.GetMinimumObjectCreateTime() != nil {
		source.MinimumObjectCreateTime = &metav1.Time{Time: storage.GetMinimumObjectCreateTime().AsTime()}
	}
	return source
}

// ingestionState is Google's word on a source, whichever it is; empty if there is none.
func ingestionState(settings *pubsubpb.IngestionDataSourceSettings) string {
	switch source := settings.GetSource().(type) {
	case *pubsubpb.IngestionDataSourceSettings_CloudStorage_:
		return enumName[string](source.CloudStorage.GetState())
	case *pubsubpb.IngestionDataSourceSettings_AwsKinesis_:
		return enumName[string](source.AwsKinesis.GetState())
	case *pubsubpb.IngestionDataSourceSettings_AzureEventHubs_:
		return enumName[string](source.AzureEventHubs.GetState())
	case *pubsubpb.IngestionDataSourceSettings_AwsMsk_:
		return enumName[string](source.AwsMsk.GetState())
	case *pubsubpb.IngestionDataSourceSettings_ConfluentCloud_:
		return enumName[string](source.ConfluentCloud.GetState())
	default:
		return ""
	}
}
