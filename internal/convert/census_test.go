package convert

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/internal/layout"
)

// field is a field of a peer's schema, with a value that is nobody's default. A list on the way, which Terraform has for a block, is written [].
type field struct {
	path  string
	value any
	// output says that Google or the peer itself sets it: it need be neither mapped nor told.
	output bool
}

// The fields of the peers' schemas, by the documentation that the rules name.
var (
	bucketOfTerraform = []field{
		{path: "location", value: "EU"}, {path: "project", value: "other-project"}, {path: "storage_class", value: "NEARLINE"}, {path: "labels", value: map[string]any{"a": "b"}},
		{path: "force_destroy", value: true}, {path: "uniform_bucket_level_access", value: true}, {path: "bucket_policy_only", value: true},
		{path: "public_access_prevention", value: "enforced"}, {path: "requester_pays", value: true}, {path: "default_event_based_hold", value: true},
		{path: "rpo", value: "ASYNC_TURBO"}, {path: "enable_object_retention", value: true}, {path: "versioning[].enabled", value: true},
		{path: "retention_policy[].retention_period", value: 60}, {path: "retention_policy[].is_locked", value: true},
		{path: "soft_delete_policy[].retention_duration_seconds", value: 0}, {path: "soft_delete_policy[].effective_time", value: "x", output: true},
		{path: "autoclass[].enabled", value: true}, {path: "autoclass[].terminal_storage_class", value: "ARCHIVE"}, {path: "hierarchical_namespace[].enabled", value: true},
		{path: "custom_placement_config[].data_locations", value: []any{"US-EAST1", "US-WEST1"}}, {path: "logging[].log_bucket", value: "logs"}, {path: "logging[].log_object_prefix", value: "x"},
		{path: "website[].main_page_suffix", value: "x"}, {path: "website[].not_found_page", value: "x"}, {path: "encryption[].default_kms_key_name", value: "x"},
		{path: "encryption[].google_managed_encryption_enforcement_config[].restriction_mode", value: "FullyRestricted"},
		{path: "encryption[].google_managed_encryption_enforcement_config[].effective_time", value: "x", output: true},
		{path: "encryption[].customer_managed_encryption_enforcement_config[].restriction_mode", value: "FullyRestricted"},
		{path: "encryption[].customer_managed_encryption_enforcement_config[].effective_time", value: "x", output: true},
		{path: "encryption[].customer_supplied_encryption_enforcement_config[].restriction_mode", value: "FullyRestricted"},
		{path: "encryption[].customer_supplied_encryption_enforcement_config[].effective_time", value: "x", output: true},
		{path: "ip_filter[].mode", value: "Enabled"}, {path: "ip_filter[].allow_cross_org_vpcs", value: true}, {path: "ip_filter[].allow_all_service_agent_access", value: true},
		{path: "ip_filter[].public_network_source[].allowed_ip_cidr_ranges", value: []any{"192.0.2.0/24"}}, {path: "ip_filter[].vpc_network_sources[].network", value: "x"},
		{path: "ip_filter[].vpc_network_sources[].allowed_ip_cidr_ranges", value: []any{"192.0.2.0/24"}},
		{path: "cors[].origin", value: []any{"x"}}, {path: "cors[].method", value: []any{"GET"}}, {path: "cors[].response_header", value: []any{"x"}}, {path: "cors[].max_age_seconds", value: 1},
		{path: "lifecycle_rule[].action[].type", value: "Delete"}, {path: "lifecycle_rule[].action[].storage_class", value: "NEARLINE"}, {path: "lifecycle_rule[].condition[].age", value: 1},
		{path: "lifecycle_rule[].condition[].no_age", value: true, output: true}, {path: "lifecycle_rule[].condition[].send_age_if_zero", value: true, output: true},
		{path: "lifecycle_rule[].condition[].created_before", value: "2026-01-01"}, {path: "lifecycle_rule[].condition[].custom_time_before", value: "2026-01-01"},
		{path: "lifecycle_rule[].condition[].days_since_custom_time", value: 1}, {path: "lifecycle_rule[].condition[].send_days_since_custom_time_if_zero", value: true, output: true},
		{path: "lifecycle_rule[].condition[].days_since_noncurrent_time", value: 1}, {path: "lifecycle_rule[].condition[].send_days_since_noncurrent_time_if_zero", value: true, output: true},
		{path: "lifecycle_rule[].condition[].noncurrent_time_before", value: "2026-01-01"}, {path: "lifecycle_rule[].condition[].num_newer_versions", value: 1},
		{path: "lifecycle_rule[].condition[].send_num_newer_versions_if_zero", value: true, output: true}, {path: "lifecycle_rule[].condition[].with_state", value: "LIVE"},
		{path: "lifecycle_rule[].condition[].matches_prefix", value: []any{"x"}}, {path: "lifecycle_rule[].condition[].matches_suffix", value: []any{"x"}},
		{path: "lifecycle_rule[].condition[].matches_storage_class", value: []any{"NEARLINE"}}, {path: "timeouts", value: map[string]any{"create": "5m"}},
		{path: "id", value: "x", output: true}, {path: "url", value: "x", output: true}, {path: "self_link", value: "x", output: true}, {path: "project_number", value: 1, output: true},
		{path: "time_created", value: "x", output: true}, {path: "updated", value: "x", output: true}, {path: "effective_labels", value: map[string]any{"a": "b"}, output: true},
		{path: "terraform_labels", value: map[string]any{"a": "b"}, output: true}, {path: "something_new", value: "x"}, {path: "something_new[].below", value: 1},
	}
	topicOfTerraform = []field{
		{path: "project", value: "other-project"}, {path: "labels", value: map[string]any{"a": "b"}}, {path: "tags", value: map[string]any{"a": "b"}}, {path: "kms_key_name", value: "x"},
		{path: "message_retention_duration", value: "600s"}, {path: "message_storage_policy[].allowed_persistence_regions", value: []any{"x"}},
		{path: "message_storage_policy[].enforce_in_transit", value: true}, {path: "schema_settings[].schema", value: "x"}, {path: "schema_settings[].encoding", value: "JSON"},
		{path: "schema_settings[].first_revision_id", value: "x"}, {path: "schema_settings[].last_revision_id", value: "x"},
		{path: "ingestion_data_source_settings[].platform_logs_settings[].severity", value: "INFO"},
		{path: "ingestion_data_source_settings[].cloud_storage[].bucket", value: "x"}, {path: "ingestion_data_source_settings[].cloud_storage[].text_format[].delimiter", value: "x"},
		{path: "ingestion_data_source_settings[].cloud_storage[]", value: map[string]any{"bucket": "x", "avro_format": []any{map[string]any{}}}},
		{path: "ingestion_data_source_settings[].cloud_storage[]", value: map[string]any{"bucket": "x", "pubsub_avro_format": []any{map[string]any{}}}},
		{path: "ingestion_data_source_settings[].cloud_storage[].minimum_object_create_time", value: "2026-01-01T00:00:00Z"},
		{path: "ingestion_data_source_settings[].cloud_storage[].match_glob", value: "x"},
		{path: "message_transforms[].disabled", value: true}, {path: "message_transforms[].javascript_udf[].function_name", value: "x"}, {path: "message_transforms[].javascript_udf[].code", value: "x"},
		{path: "message_transforms[].ai_inference[].endpoint", value: "x"}, {path: "message_transforms[].ai_inference[].service_account_email", value: "x"},
		{path: "message_transforms[].ai_inference[].unstructured_inference[].parameters", value: "{}"},
		{path: "timeouts", value: map[string]any{"create": "5m"}}, {path: "id", value: "x", output: true}, {path: "effective_labels", value: map[string]any{"a": "b"}, output: true},
		{path: "terraform_labels", value: map[string]any{"a": "b"}, output: true}, {path: "something_new", value: "x"},
	}
	accountOfTerraform = []field{
		{path: "project", value: "other-project"}, {path: "display_name", value: "x"}, {path: "description", value: "x"}, {path: "disabled", value: true},
		{path: "create_ignore_already_exists", value: true}, {path: "timeouts", value: map[string]any{"create": "5m"}}, {path: "id", value: "x", output: true},
		{path: "email", value: "x", output: true}, {path: "member", value: "x", output: true}, {path: "name", value: "x", output: true}, {path: "unique_id", value: "x", output: true},
		{path: "something_new", value: "x"},
	}
	bucketOfConnector = []field{
		{path: "location", value: "EU"}, {path: "resourceID", value: "other"}, {path: "storageClass", value: "NEARLINE"}, {path: "uniformBucketLevelAccess", value: true},
		{path: "bucketPolicyOnly", value: true}, {path: "publicAccessPrevention", value: "enforced"}, {path: "requesterPays", value: true}, {path: "defaultEventBasedHold", value: true},
		{path: "rpo", value: "ASYNC_TURBO"}, {path: "enableObjectRetention", value: true}, {path: "versioning.enabled", value: true}, {path: "retentionPolicy.retentionPeriod", value: 60},
		{path: "retentionPolicy.isLocked", value: true}, {path: "softDeletePolicy.retentionDurationSeconds", value: 0}, {path: "softDeletePolicy.effectiveTime", value: "x", output: true},
		{path: "autoclass.enabled", value: true}, {path: "autoclass.terminalStorageClass", value: "ARCHIVE"}, {path: "hierarchicalNamespace.enabled", value: true},
		{path: "customPlacementConfig.dataLocations", value: []any{"US-EAST1", "US-WEST1"}}, {path: "logging.logBucket", value: "logs"}, {path: "logging.logObjectPrefix", value: "x"},
		{path: "website.mainPageSuffix", value: "x"}, {path: "website.notFoundPage", value: "x"}, {path: "encryption.kmsKeyRef.external", value: "x"}, {path: "encryption.kmsKeyRef.name", value: "x"},
		{path: "cors[].origin", value: []any{"x"}}, {path: "cors[].method", value: []any{"GET"}}, {path: "cors[].responseHeader", value: []any{"x"}}, {path: "cors[].maxAgeSeconds", value: 1},
		{path: "lifecycleRule[].action.type", value: "Delete"}, {path: "lifecycleRule[].action.storageClass", value: "NEARLINE"}, {path: "lifecycleRule[].condition.age", value: 1},
		{path: "lifecycleRule[].condition.createdBefore", value: "2026-01-01"}, {path: "lifecycleRule[].condition.customTimeBefore", value: "2026-01-01"},
		{path: "lifecycleRule[].condition.daysSinceCustomTime", value: 1}, {path: "lifecycleRule[].condition.daysSinceNoncurrentTime", value: 1},
		{path: "lifecycleRule[].condition.noncurrentTimeBefore", value: "2026-01-01"}, {path: "lifecycleRule[].condition.numNewerVersions", value: 1},
		{path: "lifecycleRule[].condition.withState", value: "LIVE"}, {path: "lifecycleRule[].condition.matchesPrefix", value: []any{"x"}},
		{path: "lifecycleRule[].condition.matchesSuffix", value: []any{"x"}}, {path: "lifecycleRule[].condition.matchesStorageClass", value: []any{"NEARLINE"}},
		{path: "somethingNew", value: "x"}, {path: "somethingEmpty", value: map[string]any{}}, {path: "somethingFalse", value: false},
	}
	topicOfConnector = []field{
		{path: "resourceID", value: "other"}, {path: "kmsKeyRef.external", value: "x"}, {path: "kmsKeyRef.name", value: "x"}, {path: "messageRetentionDuration", value: "600s"},
		{path: "messageStoragePolicy.allowedPersistenceRegions", value: []any{"x"}}, {path: "messageStoragePolicy.enforceInTransit", value: true},
		{path: "schemaSettings.schemaRef.external", value: "x"}, {path: "schemaSettings.schemaRef.name", value: "x"}, {path: "schemaSettings.encoding", value: "JSON"},
		{path: "schemaSettings.firstRevisionId", value: "x"}, {path: "schemaSettings.lastRevisionId", value: "x"},
		{path: "ingestionDataSourceSettings.platformLogsSettings.severity", value: "INFO"}, {path: "ingestionDataSourceSettings.cloudStorage.bucket", value: "x"},
		{path: "ingestionDataSourceSettings.cloudStorage.avroFormat", value: map[string]any{}}, {path: "ingestionDataSourceSettings.awsKinesis.streamArn", value: "x"},
		{path: "messageTransforms[].disabled", value: true}, {path: "messageTransforms[].javascriptUdf.functionName", value: "x"}, {path: "messageTransforms[].javascriptUdf.code", value: "x"},
		{path: "somethingNew", value: "x"},
	}
	accountOfConnector = []field{
		{path: "resourceID", value: "other-account"}, {path: "displayName", value: "x"}, {path: "description", value: "x"}, {path: "disabled", value: true}, {path: "somethingNew", value: "x"},
	}
)

func init() { //nolint:gochecknoinits // a table of what is alike
	for source, fields := range map[string][]string{
		"aws_kinesis":      {"stream_arn", "consumer_arn", "aws_role_arn", "gcp_service_account"},
		"azure_event_hubs": {"resource_group", "namespace", "event_hub", "client_id", "tenant_id", "subscription_id", "gcp_service_account"},
		"aws_msk":          {"cluster_arn", "topic", "aws_role_arn", "gcp_service_account"},
		"confluent_cloud":  {"bootstrap_server", "cluster_id", "topic", "identity_pool_id", "gcp_service_account"},
	} {
		for _, name := range fields {
			topicOfTerraform = append(topicOfTerraform, field{path: "ingestion_data_source_settings[]." + source + "[]." + name, value: "x"})
		}
	}
}

// with sets a field in a copy of an object.
func with(object map[string]any, path string, value any) map[string]any {
	out := maps.Clone(object)
	if out == nil {
		out = map[string]any{}
	}
	name, rest, below := strings.Cut(path, ".")
	list := strings.HasSuffix(name, "[]")
	name = strings.TrimSuffix(name, "[]")
	if below {
		value = with(nil, rest, value)
	}
	if list {
		value = []any{value}
	}
	out[name] = value
	return out
}

// TestCensusOfTerraform: every attribute is mapped or told.
func TestCensusOfTerraform(t *testing.T) {
	for kind, c := range map[string]struct {
		base   map[string]any
		fields []field
	}{
		"google_storage_bucket":  {map[string]any{"name": "logs", "project": "my-project"}, bucketOfTerraform},
		"google_pubsub_topic":    {map[string]any{"name": "orders", "project": "my-project"}, topicOfTerraform},
		"google_service_account": {map[string]any{"account_id": "checkout", "project": "my-project"}, accountOfTerraform},
		"google_storage_bucket_iam_member": {
			map[string]any{"bucket": "logs", "role": "roles/viewer", "member": "user:ada@example.com"},
			[]field{
				{path: "condition[].title", value: "x"}, {path: "condition[].description", value: "x"}, {path: "condition[].expression", value: "x"},
				{path: "id", value: "x", output: true}, {path: "etag", value: "x", output: true}, {path: "something_new", value: "x"},
			},
		},
	} {
		t.Run(kind, func(t *testing.T) {
			census(t, c.base, c.fields, "", func(attributes map[string]any) (Result, error) {
				state, err := json.Marshal(map[string]any{"version": 4, "resources": []any{
					map[string]any{"mode": "managed", "type": kind, "name": "x", "instances": []any{map[string]any{"attributes": attributes}}},
				}})
				if err != nil {
					t.Fatal(err)
				}
				o := options()
				o.Project = "my-project"
				return TerraformState(state, o)
			})
		})
	}
}

// TestCensusOfConfigConnector: every field of the spec is mapped or told.
func TestCensusOfConfigConnector(t *testing.T) {
	for kind, c := range map[string]struct {
		group  string
		base   map[string]any
		fields []field
	}{
		"StorageBucket":     {"storage", nil, bucketOfConnector},
		"PubSubTopic":       {"pubsub", nil, topicOfConnector},
		"IAMServiceAccount": {"iam", nil, accountOfConnector},
		"IAMPolicyMember": {
			"iam", map[string]any{"resourceRef": map[string]any{"kind": "Project", "external": "my-project"}, "role": "roles/viewer"},
			[]field{
				{path: "member", value: "user:ada@example.com"}, {path: "memberFrom.serviceAccountRef.name", value: "checkout"},
				{path: "memberFrom.logSinkRef.name", value: "x"}, {path: "memberFrom.serviceIdentityRef.name", value: "x"}, {path: "memberFrom.sqlInstanceRef.name", value: "x"},
				{path: "somethingNew", value: "x"},
			},
		},
		"IAMPolicy": {
			"iam", map[string]any{"resourceRef": map[string]any{"kind": "Project", "external": "my-project"}},
			[]field{{path: "bindings", value: []any{map[string]any{"role": "roles/viewer", "members": []any{"user:ada@example.com"}}}}, {path: "somethingNew", value: "x"}},
		},
	} {
		t.Run(kind, func(t *testing.T) {
			census(t, c.base, c.fields, "spec.", func(spec map[string]any) (Result, error) {
				text, err := yaml.Marshal(map[string]any{
					"apiVersion": c.group + connectorGroup + "/v1beta1", "kind": kind,
					"metadata": map[string]any{"name": "some-name", "namespace": "my-project"}, "spec": spec,
				})
				if err != nil {
					t.Fatal(err)
				}
				return ConfigConnector([]File{{Name: "x", Text: text}}, "default", options())
			})
		})
	}
}

func census(t *testing.T, base map[string]any, fields []field, prefix string, convert func(map[string]any) (Result, error)) {
	t.Helper()
	manifestsOf := func(object map[string]any) (string, []Note) {
		result, err := convert(object)
		if err != nil {
			t.Fatal(err)
		}
		text, err := layout.Stream(result.Objects)
		if err != nil {
			t.Fatal(err)
		}
		return string(text), result.Notes
	}
	without, before := manifestsOf(base)
	for _, f := range fields {
		got, notes := manifestsOf(with(base, f.path, f.value))
		name, _, _ := strings.Cut(strings.TrimSuffix(f.path, "[]"), "[")
		name, _, _ = strings.Cut(name, ".")
		told := slices.ContainsFunc(notes, func(n Note) bool {
			return !slices.Contains(before, n) && strings.HasPrefix(strings.TrimPrefix(n.Field, prefix), name)
		})
		if got == without && !told && !f.output {
			t.Errorf("%s is neither mapped nor told", f.path)
		}
	}
}
