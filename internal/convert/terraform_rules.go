package convert

import (
	"strings"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// What is said of fields of Terraform that have no equivalent.
const (
	onlyTerraform = "is Terraform's own"
	onlyOnCreate  = "matters only when Terraform creates it"
)

// computed are attributes that are outputs, or say which resource it is.
func computed(names ...string) []rule {
	var rules []rule
	for _, name := range names {
		rules = append(rules, rule{from: name})
	}
	return rules
}

var terraformCommon = append(computed("id", "effective_labels", "terraform_labels", "etag", "self_link"),
	rule{from: "timeouts", why: onlyTerraform},
	rule{from: "deletion_policy", why: onlyTerraform})

// terraformBucket are the attributes of google_storage_bucket:
// https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/storage_bucket
var terraformBucket = append(append(computed("url", "project_number", "time_created", "updated", "soft_delete_policy.effective_time",
	"encryption.google_managed_encryption_enforcement_config.effective_time",
	"encryption.customer_managed_encryption_enforcement_config.effective_time",
	"encryption.customer_supplied_encryption_enforcement_config.effective_time"), terraformCommon...),
	rule{from: "location", to: "location", value: upper},
	rule{from: "storage_class", to: "storageClass"},
	rule{from: "labels", to: "labels"},
	rule{from: "versioning.enabled", to: "versioning.enabled"},
	rule{from: "uniform_bucket_level_access", to: "uniformBucketLevelAccess.enabled"},
	rule{from: "bucket_policy_only", to: "uniformBucketLevelAccess.enabled"},
	rule{from: "public_access_prevention", to: "publicAccessPrevention"},
	rule{from: "requester_pays", to: "requesterPays"},
	rule{from: "default_event_based_hold", to: "defaultEventBasedHold"},
	rule{from: "rpo", to: "rpo"},
	rule{from: "enable_object_retention", to: "objectRetention.mode", value: ifTrue("Enabled")},
	rule{from: "retention_policy.is_locked", to: "retentionPolicy.locked"},
	rule{from: "retention_policy.retention_period", to: "retentionPolicy.retentionSeconds", value: whole},
	rule{from: "soft_delete_policy.retention_duration_seconds", to: "softDeletePolicy.retentionSeconds", value: whole},
	rule{from: "autoclass.enabled", to: "autoclass.enabled"},
	rule{from: "autoclass.terminal_storage_class", to: "autoclass.terminalStorageClass"},
	rule{from: "hierarchical_namespace.enabled", to: "hierarchicalNamespace.enabled"},
	rule{from: "custom_placement_config.data_locations", to: "customPlacementConfig.dataLocations"},
	rule{from: "logging.log_bucket", to: "logging.logBucket"},
	rule{from: "logging.log_object_prefix", to: "logging.logObjectPrefix"},
	rule{from: "website.main_page_suffix", to: "website.mainPageSuffix"},
	rule{from: "website.not_found_page", to: "website.notFoundPage"},
	rule{from: "encryption.default_kms_key_name", to: "encryption.defaultKMSKeyName"},
	rule{
		from: "encryption.google_managed_encryption_enforcement_config.restriction_mode",
		to:   "encryption.googleManagedEncryptionEnforcementConfig.restrictionMode",
	},
	rule{
		from: "encryption.customer_managed_encryption_enforcement_config.restriction_mode",
		to:   "encryption.customerManagedEncryptionEnforcementConfig.restrictionMode",
	},
	rule{
		from: "encryption.customer_supplied_encryption_enforcement_config.restriction_mode",
		to:   "encryption.customerSuppliedEncryptionEnforcementConfig.restrictionMode",
	},
	rule{from: "ip_filter.mode", to: "ipFilter.mode"},
	rule{from: "ip_filter.allow_cross_org_vpcs", to: "ipFilter.allowCrossOrgVPCs"},
	rule{from: "ip_filter.allow_all_service_agent_access", to: "ipFilter.allowAllServiceAgentAccess"},
	rule{from: "ip_filter.public_network_source.allowed_ip_cidr_ranges", to: "ipFilter.publicNetworkSource.allowedIPCIDRRanges"},
	rule{from: "ip_filter.vpc_network_sources", to: "ipFilter.vpcNetworkSources", items: []rule{
		{from: "network", to: "network"},
		{from: "allowed_ip_cidr_ranges", to: "allowedIPCIDRRanges"},
	}},
	rule{from: "cors", to: "cors", items: []rule{
		{from: "origin", to: "origin"},
		{from: "method", to: "method"},
		{from: "response_header", to: "responseHeader"},
		{from: "max_age_seconds", to: "maxAgeSeconds", value: whole},
	}},
	rule{from: "lifecycle_rule", to: "lifecycle.rules", items: []rule{
		{from: "action.type", to: "action.type"},
		{from: "action.storage_class", to: "action.storageClass"},
		{from: "condition.age", to: "condition.age", value: whole},
		{from: "condition.created_before", to: "condition.createdBefore"},
		{from: "condition.custom_time_before", to: "condition.customTimeBefore"},
		{from: "condition.days_since_custom_time", to: "condition.daysSinceCustomTime", value: whole},
		{from: "condition.days_since_noncurrent_time", to: "condition.daysSinceNoncurrentTime", value: whole},
		{from: "condition.noncurrent_time_before", to: "condition.noncurrentTimeBefore"},
		{from: "condition.num_newer_versions", to: "condition.numNewerVersions", value: whole},
		{from: "condition.with_state", to: "condition.withState", value: unlessAny},
		{from: "condition.matches_prefix", to: "condition.matchesPrefix"},
		{from: "condition.matches_suffix", to: "condition.matchesSuffix"},
		{from: "condition.matches_storage_class", to: "condition.matchesStorageClass"},
	}},
)

// terraformTopic are the attributes of google_pubsub_topic:
// https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/pubsub_topic
var terraformTopic = append(append([]rule(nil), terraformCommon...),
	rule{from: "labels", to: "labels"},
	rule{from: "tags", why: "Google never shows a topic's tags again, so nothing can hold them"},
	rule{from: "kms_key_name", to: "kmsKeyName"},
	rule{from: "message_retention_duration", to: "messageRetentionSeconds", value: seconds},
	rule{from: "message_storage_policy.allowed_persistence_regions", to: "messageStoragePolicy.allowedPersistenceRegions"},
	rule{from: "message_storage_policy.enforce_in_transit", to: "messageStoragePolicy.enforceInTransit"},
	rule{from: "schema_settings.schema", to: "schemaSettings.schema"},
	rule{from: "schema_settings.encoding", to: "schemaSettings.encoding", value: unless("ENCODING_UNSPECIFIED")},
	rule{from: "schema_settings.first_revision_id", to: "schemaSettings.firstRevisionID"},
	rule{from: "schema_settings.last_revision_id", to: "schemaSettings.lastRevisionID"},
	rule{from: "ingestion_data_source_settings.platform_logs_settings.severity", to: "ingestion.platformLogs.severity", value: unless("SEVERITY_UNSPECIFIED")},
	rule{from: "ingestion_data_source_settings.cloud_storage.bucket", to: "ingestion.source.cloudStorage.bucket"},
	rule{from: "ingestion_data_source_settings.cloud_storage.text_format.delimiter", to: "ingestion.source.cloudStorage.textFormat.delimiter"},
	rule{from: "ingestion_data_source_settings.cloud_storage.avro_format", to: "ingestion.source.cloudStorage.avroFormat", value: block},
	rule{from: "ingestion_data_source_settings.cloud_storage.pubsub_avro_format", to: "ingestion.source.cloudStorage.pubsubAvroFormat", value: block},
	rule{
		from: "ingestion_data_source_settings.cloud_storage.minimum_object_create_time",
		to:   "ingestion.source.cloudStorage.minimumObjectCreateTime",
	},
	rule{from: "ingestion_data_source_settings.cloud_storage.match_glob", to: "ingestion.source.cloudStorage.matchGlob"},
	rule{from: "ingestion_data_source_settings.aws_kinesis.stream_arn", to: "ingestion.source.awsKinesis.streamARN"},
	rule{from: "ingestion_data_source_settings.aws_kinesis.consumer_arn", to: "ingestion.source.awsKinesis.consumerARN"},
	rule{from: "ingestion_data_source_settings.aws_kinesis.aws_role_arn", to: "ingestion.source.awsKinesis.awsRoleARN"},
	rule{from: "ingestion_data_source_settings.aws_kinesis.gcp_service_account", to: "ingestion.source.awsKinesis.gcpServiceAccount"},
	rule{from: "ingestion_data_source_settings.azure_event_hubs.resource_group", to: "ingestion.source.azureEventHubs.resourceGroup"},
	rule{from: "ingestion_data_source_settings.azure_event_hubs.namespace", to: "ingestion.source.azureEventHubs.namespace"},
	rule{from: "ingestion_data_source_settings.azure_event_hubs.event_hub", to: "ingestion.source.azureEventHubs.eventHub"},
	rule{from: "ingestion_data_source_settings.azure_event_hubs.client_id", to: "ingestion.source.azureEventHubs.clientID"},
	rule{from: "ingestion_data_source_settings.azure_event_hubs.tenant_id", to: "ingestion.source.azureEventHubs.tenantID"},
	rule{from: "ingestion_data_source_settings.azure_event_hubs.subscription_id", to: "ingestion.source.azureEventHubs.subscriptionID"},
	rule{from: "ingestion_data_source_settings.azure_event_hubs.gcp_service_account", to: "ingestion.source.azureEventHubs.gcpServiceAccount"},
	rule{from: "ingestion_data_source_settings.aws_msk.cluster_arn", to: "ingestion.source.awsMSK.clusterARN"},
	rule{from: "ingestion_data_source_settings.aws_msk.topic", to: "ingestion.source.awsMSK.topic"},
	rule{from: "ingestion_data_source_settings.aws_msk.aws_role_arn", to: "ingestion.source.awsMSK.awsRoleARN"},
	rule{from: "ingestion_data_source_settings.aws_msk.gcp_service_account", to: "ingestion.source.awsMSK.gcpServiceAccount"},
	rule{from: "ingestion_data_source_settings.confluent_cloud.bootstrap_server", to: "ingestion.source.confluentCloud.bootstrapServer"},
	rule{from: "ingestion_data_source_settings.confluent_cloud.cluster_id", to: "ingestion.source.confluentCloud.clusterID"},
	rule{from: "ingestion_data_source_settings.confluent_cloud.topic", to: "ingestion.source.confluentCloud.topic"},
	rule{from: "ingestion_data_source_settings.confluent_cloud.identity_pool_id", to: "ingestion.source.confluentCloud.identityPoolID"},
	rule{from: "ingestion_data_source_settings.confluent_cloud.gcp_service_account", to: "ingestion.source.confluentCloud.gcpServiceAccount"},
	rule{from: "message_transforms", to: "messageTransforms", items: []rule{
		{from: "disabled", to: "disabled", value: ifTrue(true)},
		{from: "javascript_udf.function_name", to: "javaScriptUDF.functionName"},
		{from: "javascript_udf.code", to: "javaScriptUDF.code"},
		{from: "ai_inference.endpoint", to: "aiInference.endpoint"},
		{from: "ai_inference.service_account_email", to: "aiInference.serviceAccountEmail"},
	}},
)

// terraformAccount are the attributes of google_service_account:
// https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_service_account
var terraformAccount = append(append(computed("email", "member", "unique_id", "name"), terraformCommon...),
	rule{from: "display_name", to: "displayName"},
	rule{from: "description", to: "description"},
	rule{from: "disabled", to: "disabled"},
	rule{from: "create_ignore_already_exists", why: onlyOnCreate},
)

// terraformKinds are the resources that become manifests: their kind, their rules, and the attribute that is their name.
var terraformKinds = map[string]struct {
	kind, name string
	rules      []rule
}{
	"google_storage_bucket":  {"Bucket", "name", terraformBucket},
	"google_pubsub_topic":    {"Topic", "name", terraformTopic},
	"google_service_account": {"ServiceAccount", "account_id", terraformAccount},
}

// terraformPolicies are the beginnings of the resources that are pieces of a policy: of which kind, and which attribute says of which one.
var terraformPolicies = map[string]struct{ kind, resource string }{
	"google_storage_bucket_iam_":  {"Bucket", "bucket"},
	"google_pubsub_topic_iam_":    {"Topic", "topic"},
	"google_service_account_iam_": {"ServiceAccount", "service_account_id"},
	"google_project_iam_":         {"ProjectPolicy", "project"},
}

// targetOf reads which resource a piece of a policy is about.
func (c *conversion) targetOf(k kind.Kind, name, project string) target {
	t := target{kind: k, project: project, id: name}
	segments := strings.Split(name, "/")
	switch k.Kind {
	case "Bucket":
		t.id, t.project = segments[len(segments)-1], ""
	case "Topic":
		if len(segments) == 4 {
			t.project, t.id = segments[1], segments[3]
		}
	case "ServiceAccount":
		email := segments[len(segments)-1]
		if len(segments) == 4 {
			t.project = segments[1]
		}
		t.id, _, _ = strings.Cut(email, "@")
		if in := iampolicy.ProjectOfAccount(email); in != "" {
			t.project = in
		}
	case "ProjectPolicy":
		t.id, t.project = "", segments[len(segments)-1]
	}
	return t
}

func upper(value any) (any, error) {
	text, _ := value.(string)
	return strings.ToUpper(text), nil
}

func unlessAny(value any) (any, error) { return unless("ANY")(value) }

// unless sets nothing where the source has a word that says nothing.
func unless(word string) func(any) (any, error) {
	return func(value any) (any, error) {
		if value == word {
			return nil, nil
		}
		return value, nil
	}
}
