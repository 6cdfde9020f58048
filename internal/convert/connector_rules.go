package convert

// connectorBucket are the fields of the spec of a StorageBucket:
// https://cloud.google.com/config-connector/docs/reference/resource-docs/storage/storagebucket
var connectorBucket = []rule{
	{from: "location", to: "location"},
	{from: "storageClass", to: "storageClass"},
	{from: "versioning.enabled", to: "versioning.enabled"},
	{from: "uniformBucketLevelAccess", to: "uniformBucketLevelAccess.enabled"},
	{from: "bucketPolicyOnly", to: "uniformBucketLevelAccess.enabled"},
	{from: "publicAccessPrevention", to: "publicAccessPrevention"},
	{from: "requesterPays", to: "requesterPays"},
	{from: "defaultEventBasedHold", to: "defaultEventBasedHold"},
	{from: "rpo", to: "rpo"},
	{from: "enableObjectRetention", to: "objectRetention.mode", value: ifTrue("Enabled")},
	{from: "retentionPolicy.isLocked", to: "retentionPolicy.locked"},
	{from: "retentionPolicy.retentionPeriod", to: "retentionPolicy.retentionSeconds", value: whole},
	{from: "softDeletePolicy.retentionDurationSeconds", to: "softDeletePolicy.retentionSeconds", value: whole},
	{from: "softDeletePolicy.effectiveTime"},
	{from: "autoclass.enabled", to: "autoclass.enabled"},
	{from: "autoclass.terminalStorageClass", to: "autoclass.terminalStorageClass"},
	{from: "hierarchicalNamespace.enabled", to: "hierarchicalNamespace.enabled"},
	{from: "customPlacementConfig.dataLocations", to: "customPlacementConfig.dataLocations"},
	{from: "logging.logBucket", to: "logging.logBucket"},
	{from: "logging.logObjectPrefix", to: "logging.logObjectPrefix"},
	{from: "website.mainPageSuffix", to: "website.mainPageSuffix"},
	{from: "website.notFoundPage", to: "website.notFoundPage"},
	{from: "encryption.kmsKeyRef.external", to: "encryption.defaultKMSKeyName"},
	{from: "cors", to: "cors", items: []rule{
		{from: "origin", to: "origin"},
		{from: "method", to: "method"},
		{from: "responseHeader", to: "responseHeader"},
		{from: "maxAgeSeconds", to: "maxAgeSeconds", value: whole},
	}},
	{from: "lifecycleRule", to: "lifecycle.rules", items: []rule{
		{from: "action.type", to: "action.type"},
		{from: "action.storageClass", to: "action.storageClass"},
		{from: "condition.age", to: "condition.age", value: whole},
		{from: "condition.createdBefore", to: "condition.createdBefore"},
		{from: "condition.customTimeBefore", to: "condition.customTimeBefore"},
		{from: "condition.daysSinceCustomTime", to: "condition.daysSinceCustomTime", value: whole},
		{from: "condition.daysSinceNoncurrentTime", to: "condition.daysSinceNoncurrentTime", value: whole},
		{from: "condition.noncurrentTimeBefore", to: "condition.noncurrentTimeBefore"},
		{from: "condition.numNewerVersions", to: "condition.numNewerVersions", value: whole},
		{from: "condition.withState", to: "condition.withState", value: unlessAny},
		{from: "condition.matchesPrefix", to: "condition.matchesPrefix"},
		{from: "condition.matchesSuffix", to: "condition.matchesSuffix"},
		{from: "condition.matchesStorageClass", to: "condition.matchesStorageClass"},
	}},
}

// connectorTopic are the fields of the spec of a PubSubTopic:
// https://cloud.google.com/config-connector/docs/reference/resource-docs/pubsub/pubsubtopic
var connectorTopic = []rule{
	{from: "kmsKeyRef.external", to: "kmsKeyName"},
	{from: "messageRetentionDuration", to: "messageRetentionSeconds", value: seconds},
	{from: "messageStoragePolicy.allowedPersistenceRegions", to: "messageStoragePolicy.allowedPersistenceRegions"},
	{from: "messageStoragePolicy.enforceInTransit", to: "messageStoragePolicy.enforceInTransit"},
	{from: "schemaSettings.schemaRef.external", to: "schemaSettings.schema"},
	{from: "schemaSettings.encoding", to: "schemaSettings.encoding", value: unless("ENCODING_UNSPECIFIED")},
	{from: "schemaSettings.firstRevisionId", to: "schemaSettings.firstRevisionID"},
	{from: "schemaSettings.lastRevisionId", to: "schemaSettings.lastRevisionID"},
	{from: "ingestionDataSourceSettings.platformLogsSettings.severity", to: "ingestion.platformLogs.severity", value: unless("SEVERITY_UNSPECIFIED")},
	{from: "ingestionDataSourceSettings.awsKinesis.streamArn", to: "ingestion.source.awsKinesis.streamARN"},
	{from: "ingestionDataSourceSettings.awsKinesis.consumerArn", to: "ingestion.source.awsKinesis.consumerARN"},
	{from: "ingestionDataSourceSettings.awsKinesis.awsRoleArn", to: "ingestion.source.awsKinesis.awsRoleARN"},
	{from: "ingestionDataSourceSettings.awsKinesis.gcpServiceAccount", to: "ingestion.source.awsKinesis.gcpServiceAccount"},
	{from: "ingestionDataSourceSettings.cloudStorage.bucket", to: "ingestion.source.cloudStorage.bucket"},
	{from: "ingestionDataSourceSettings.cloudStorage.textFormat.delimiter", to: "ingestion.source.cloudStorage.textFormat.delimiter"},
	{from: "ingestionDataSourceSettings.cloudStorage.avroFormat", to: "ingestion.source.cloudStorage.avroFormat", value: block},
	{from: "ingestionDataSourceSettings.cloudStorage.pubsubAvroFormat", to: "ingestion.source.cloudStorage.pubsubAvroFormat", value: block},
	{from: "ingestionDataSourceSettings.cloudStorage.minimumObjectCreateTime", to: "ingestion.source.cloudStorage.minimumObjectCreateTime"},
	{from: "ingestionDataSourceSettings.cloudStorage.matchGlob", to: "ingestion.source.cloudStorage.matchGlob"},
	{from: "messageTransforms", to: "messageTransforms", items: []rule{
		{from: "disabled", to: "disabled"},
		{from: "javascriptUdf.functionName", to: "javaScriptUDF.functionName"},
		{from: "javascriptUdf.code", to: "javaScriptUDF.code"},
	}},
}

// connectorAccount are the fields of the spec of an IAMServiceAccount:
// https://cloud.google.com/config-connector/docs/reference/resource-docs/iam/iamserviceaccount
var connectorAccount = []rule{
	{from: "displayName", to: "displayName"},
	{from: "description", to: "description"},
	{from: "disabled", to: "disabled"},
}

// connectorGroup is what the API groups of Config Connector end in.
const connectorGroup = ".cnrm.cloud.google.com"

// connectorKinds are the kinds of Config Connector that become manifests.
var connectorKinds = map[string]struct {
	kind  string
	rules []rule
}{
	"StorageBucket":     {"Bucket", connectorBucket},
	"PubSubTopic":       {"Topic", connectorTopic},
	"IAMServiceAccount": {"ServiceAccount", connectorAccount},
}

// connectorPolicies are the kinds that are pieces of a policy, by how much of it they own.
var connectorPolicies = map[string]owning{
	"IAMPolicy": ownsPolicy, "IAMPolicyMember": ownsMembers, "IAMPartialPolicy": ownsMembers, "IAMAuditConfig": ownsAudit,
}

// connectorTargets are the kinds that those can be about.
var connectorTargets = map[string]string{
	"StorageBucket": "Bucket", "PubSubTopic": "Topic", "IAMServiceAccount": "ServiceAccount", "Project": "ProjectPolicy",
}

// Annotations of Config Connector: https://cloud.google.com/config-connector/docs/reference/annotations
const (
	projectAnnotation      = "cnrm.cloud.google.com/project-id"
	deletionAnnotation     = "cnrm.cloud.google.com/deletion-policy"
	forceDestroyAnnotation = "cnrm.cloud.google.com/force-destroy"
	intervalAnnotation     = "cnrm.cloud.google.com/reconcile-interval-in-seconds"
	connectorPrefix        = "cnrm.cloud.google.com/"
)

// connectorAnnotations are what is said of annotations; nothing of those that Config Connector sets by itself.
var connectorAnnotations = map[string]string{
	"cnrm.cloud.google.com/state-into-spec":                       "needs no equivalent: nothing ever writes to spec here, and status.observed shows what is live",
	"cnrm.cloud.google.com/management-conflict-prevention-policy": "needs no equivalent: of two manifests of a resource only one acts, and labels mark who owns it",
	intervalAnnotation: "has no equivalent: each project is looked at every ten minutes, and management: Observe keeps one manifest from writing",
	"cnrm.cloud.google.com/mutable-but-unreadable-fields": "",
	"cnrm.cloud.google.com/observed-secret-versions":      "",
	"cnrm.cloud.google.com/supports-ssa":                  "",
	"cnrm.cloud.google.com/last-applied-configuration":    "",
	"kubectl.kubernetes.io/last-applied-configuration":    "",
}
