package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	roleARN  = "arn:aws:iam::123456789012:role/pubsub"
	kafkaARN = "arn:aws:kafka:us-east-1:123456789012:cluster/c/0123-4"
	account  = "importer@demo-project.iam.gserviceaccount.com"
)

func TestTopicRefusedOnCreate(t *testing.T) {
	for name, tc := range map[string]struct{ name, spec, sentence string }{
		"an unknown field": {spec: `{retention: 600}`, sentence: `unknown field "spec.retention"`},
		"a wrong type":     {spec: `{messageRetentionSeconds: "600s"}`, sentence: `spec.messageRetentionSeconds: Invalid value: "string"`},

		"a name that begins with a digit":       {name: "7days", sentence: "the topic's name (spec.resourceID, or else metadata.name) must begin with a letter"},
		"a name that is too short":              {name: "ab", sentence: "must begin with a letter and have 3 to 255 letters"},
		"a resourceID with a slash":             {spec: `{resourceID: projects/p/topics/t}`, sentence: "must begin with a letter and have 3 to 255 letters, digits, -, _, ., ~, + and %: give spec.resourceID another value"},
		"a resourceID that is too long":         {spec: `{resourceID: ` + strings.Repeat("a", 256) + `}`, sentence: "spec.resourceID: Too long"},
		"an empty resourceID":                   {spec: `{resourceID: ""}`, sentence: "spec.resourceID: Invalid value"},
		"a name that Google reserves":           {name: "google-topic", sentence: "must not begin with goog, which Google reserves"},
		"a resourceID that Google reserves":     {spec: `{resourceID: goog.x}`, sentence: "must not begin with goog, which Google reserves"},
		"a policy that is for buckets":          {spec: `{deletionPolicy: DeleteWithContents}`, sentence: "spec.deletionPolicy DeleteWithContents is for buckets only: use Delete or Orphan for a topic"},
		"an unknown policy":                     {spec: `{deletionPolicy: Abandon}`, sentence: `spec.deletionPolicy: Unsupported value: "Abandon"`},
		"a project that is a number":            {spec: `{projectID: "123456"}`, sentence: "spec.projectID in body should match"},
		"a label key in capitals":               {spec: `{labels: {Team: x}}`, sentence: "labels: a key must begin with a lower-case letter"},
		"a label key with a dot":                {spec: `{labels: {a.b: x}}`, sentence: "labels: a key must begin with a lower-case letter"},
		"a label key that is too long":          {spec: `{labels: {` + strings.Repeat("k", 64) + `: x}}`, sentence: "have at most 63 lower-case letters"},
		"a label value in capitals":             {spec: `{labels: {team: Shop}}`, sentence: "spec.labels.team in body should match"},
		"a label value that is too long":        {spec: `{labels: {team: ` + strings.Repeat("v", 64) + `}}`, sentence: "spec.labels.team: Too long"},
		"a label key of too many bytes":         {spec: `{labels: {` + strings.Repeat("名", 43) + `: x}}`, sentence: "labels: a key must have at most 128 bytes"},
		"a label value of too many bytes":       {spec: `{labels: {team: ` + strings.Repeat("値", 43) + `}}`, sentence: "a label's value must have at most 128 bytes"},
		"more labels than Google allows":        {spec: `{labels: {` + manyLabels(65, 0) + `}}`, sentence: "spec.labels: Too many: 65: must have at most 64 items"},
		"a label of Google's":                   {spec: `{labels: {goog-x: z}}`, sentence: "labels: keys that begin with goog are reserved by Google; choose another key"},
		"a label of ours":                       {spec: `{labels: {holdfast-owner: me}}`, sentence: "labels: keys that begin with holdfast- are set by Holdfast itself; choose another key"},
		"too many labels":                       {spec: `{labels: {` + manyLabels(62, 0) + `}}`, sentence: "labels: more than 61 labels; Google allows 64, and Holdfast adds three"},
		"a key by its short name":               {spec: `{kmsKeyName: orders}`, sentence: "spec.kmsKeyName in body should match"},
		"a key with its version":                {spec: `{kmsKeyName: projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1}`, sentence: "spec.kmsKeyName in body should match"},
		"a retention under ten minutes":         {spec: `{messageRetentionSeconds: 599}`, sentence: "spec.messageRetentionSeconds in body should be greater than or equal to 600"},
		"a retention over 31 days":              {spec: `{messageRetentionSeconds: 2678401}`, sentence: "spec.messageRetentionSeconds in body should be less than or equal to 2678400"},
		"a storage policy without regions":      {spec: `{messageStoragePolicy: {}}`, sentence: "spec.messageStoragePolicy.allowedPersistenceRegions: Required value"},
		"a storage policy with no region":       {spec: `{messageStoragePolicy: {allowedPersistenceRegions: []}}`, sentence: "should have at least 1 items"},
		"a zone for a region":                   {spec: `{messageStoragePolicy: {allowedPersistenceRegions: [europe-west1-b]}}`, sentence: "allowedPersistenceRegions[0] in body should match"},
		"a region twice":                        {spec: `{messageStoragePolicy: {allowedPersistenceRegions: [us-east1, us-east1]}}`, sentence: `Duplicate value: "us-east1"`},
		"a schema by its short name":            {spec: `{schemaSettings: {schema: order}}`, sentence: "spec.schemaSettings.schema in body should match"},
		"an encoding without a schema":          {spec: `{schemaSettings: {encoding: JSON}}`, sentence: "schemaSettings.schema is missing: set the schema that encoding, firstRevisionID and lastRevisionID belong to"},
		"a schema without an encoding":          {spec: `{schemaSettings: {schema: projects/p/schemas/order}}`, sentence: "schemaSettings.encoding is missing: set it to JSON or BINARY, since Google accepts no schema without it"},
		"a revision without a schema":           {spec: `{schemaSettings: {lastRevisionID: abcd1234}}`, sentence: "schemaSettings.schema is missing"},
		"an unknown encoding":                   {spec: `{schemaSettings: {schema: projects/p/schemas/order, encoding: XML}}`, sentence: `Unsupported value: "XML"`},
		"two sources":                           {spec: `{ingestion: {source: {cloudStorage: {bucket: logs}, azureEventHubs: {}}}}`, sentence: "ingestion.source takes only one of cloudStorage, awsKinesis, azureEventHubs, awsMSK and confluentCloud: remove the others"},
		"a bucket with gs://":                   {spec: `{ingestion: {source: {cloudStorage: {bucket: "gs://logs"}}}}`, sentence: "spec.ingestion.source.cloudStorage.bucket in body should match"},
		"no bucket":                             {spec: `{ingestion: {source: {cloudStorage: {}}}}`, sentence: "spec.ingestion.source.cloudStorage.bucket: Required value"},
		"two formats":                           {spec: `{ingestion: {source: {cloudStorage: {bucket: logs, textFormat: {}, avroFormat: {}}}}}`, sentence: "cloudStorage takes only one of textFormat, avroFormat and pubsubAvroFormat: remove the others"},
		"a field in a format that has none":     {spec: `{ingestion: {source: {cloudStorage: {bucket: logs, avroFormat: {schema: x}}}}}`, sentence: "unknown field"},
		"a time that is none":                   {spec: `{ingestion: {source: {cloudStorage: {bucket: logs, minimumObjectCreateTime: yesterday}}}}`, sentence: "minimumObjectCreateTime in body must be of type date-time"},
		"a stream by its short name":            {spec: `{ingestion: {source: {awsKinesis: {streamARN: s, consumerARN: c, awsRoleARN: ` + roleARN + `, gcpServiceAccount: ` + account + `}}}}`, sentence: "awsKinesis.streamARN in body should match"},
		"a Kinesis source that lacks its role":  {spec: `{ingestion: {source: {awsKinesis: {streamARN: "arn:aws:kinesis:us-east-1:123456789012:stream/s"}}}}`, sentence: "awsKinesis.awsRoleARN: Required value"},
		"a user for a role":                     {spec: `{ingestion: {source: {awsMSK: {clusterARN: ` + kafkaARN + `, topic: t, awsRoleARN: "arn:aws:iam::123456789012:user/u", gcpServiceAccount: ` + account + `}}}}`, sentence: "awsMSK.awsRoleARN in body should match"},
		"a service account by its short name":   {spec: `{ingestion: {source: {awsMSK: {clusterARN: ` + kafkaARN + `, topic: t, awsRoleARN: ` + roleARN + `, gcpServiceAccount: importer}}}}`, sentence: "awsMSK.gcpServiceAccount in body should match"},
		"a Kafka topic with a slash":            {spec: `{ingestion: {source: {awsMSK: {clusterARN: ` + kafkaARN + `, topic: a/b, awsRoleARN: ` + roleARN + `, gcpServiceAccount: ` + account + `}}}}`, sentence: "awsMSK.topic in body should match"},
		"an Azure tenant that is no identifier": {spec: `{ingestion: {source: {azureEventHubs: {tenantID: contoso}}}}`, sentence: "azureEventHubs.tenantID in body should match"},
		"a bootstrap server without a port":     {spec: `{ingestion: {source: {confluentCloud: {bootstrapServer: pkc.example.com, clusterID: lkc-1, topic: t, identityPoolID: pool-1, gcpServiceAccount: ` + account + `}}}}`, sentence: "confluentCloud.bootstrapServer in body should match"},
		"an unknown severity":                   {spec: `{ingestion: {platformLogs: {severity: FATAL}}}`, sentence: `spec.ingestion.platformLogs.severity: Unsupported value: "FATAL"`},
		"a transform of no kind":                {spec: `{messageTransforms: [{disabled: true}]}`, sentence: "messageTransforms: each item takes exactly one of javaScriptUDF, compression and aiInference"},
		"a transform of two kinds":              {spec: `{messageTransforms: [{javaScriptUDF: {functionName: f, code: "function f(){}"}, compression: {algorithm: ZLIB, mode: COMPRESS}}]}`, sentence: "messageTransforms: each item takes exactly one of"},
		"six transforms":                        {spec: `{messageTransforms: [` + strings.Repeat(`{compression: {algorithm: ZLIB, mode: COMPRESS}},`, 6) + `]}`, sentence: "spec.messageTransforms: Too many: 6: must have at most 5 items"},
		"a function that the code lacks":        {spec: `{messageTransforms: [{javaScriptUDF: {functionName: g, code: "function f(){}"}}]}`, sentence: "javaScriptUDF.code does not define the function that functionName names: add it there"},
		"a function's name twice":               {spec: `{messageTransforms: [{javaScriptUDF: {functionName: f, code: "function f(){}"}}, {javaScriptUDF: {functionName: f, code: "function f(){}"}}]}`, sentence: "messageTransforms: two items have the same javaScriptUDF.functionName: rename one"},
		"a function's name with a blank":        {spec: `{messageTransforms: [{javaScriptUDF: {functionName: "f g", code: "f g"}}]}`, sentence: "javaScriptUDF.functionName in body should match"},
		"code over 20 KiB":                      {spec: `{messageTransforms: [{javaScriptUDF: {functionName: f, code: "` + strings.Repeat("f", 20481) + `"}}]}`, sentence: "javaScriptUDF.code: Too long"},
		"an unknown algorithm":                  {spec: `{messageTransforms: [{compression: {algorithm: GZIP, mode: COMPRESS}}]}`, sentence: `algorithm: Unsupported value: "GZIP"`},
		"a compression without a mode":          {spec: `{messageTransforms: [{compression: {algorithm: ZLIB}}]}`, sentence: "compression.mode: Required value"},
		"an endpoint that is a URL":             {spec: `{messageTransforms: [{aiInference: {endpoint: "https://aiplatform.googleapis.com/"}}]}`, sentence: "aiInference.endpoint in body should match"},
		"parameters that are no object":         {spec: `{messageTransforms: [{aiInference: {endpoint: projects/p/locations/l/endpoints/e, unstructuredInference: {parameters: [1]}}}]}`, sentence: "parameters"},
		"conditions":                            {spec: `{iam: {bindings: [{role: roles/pubsub.publisher, members: ["user:ada@example.com"], condition: {title: t, expression: "true"}}]}}`, sentence: "iam.bindings: Google allows no conditions in a topic's policy: remove condition, or grant on the project"},
		"audit configs":                         {spec: `{iam: {auditConfigs: []}}`, sentence: `unknown field "spec.iam.auditConfigs"`},
	} {
		t.Run(name, func(t *testing.T) {
			expectRefusal(t, create(t, topicManifest(t, tc.name, tc.spec)), tc.sentence)
		})
	}
}

func TestTopicAcceptedOnCreate(t *testing.T) {
	for name, spec := range map[string]string{
		"nothing":                       ``,
		"an empty spec":                 `{}`,
		"a name in Google's alphabet":   `{resourceID: "Orders_2026~v1.0+x%20"}`,
		"a project with a domain":       `{projectID: "example.com:my-project"}`,
		"sixty-one labels":              `{labels: {` + manyLabels(61, 0) + `}}`,
		"labels in other alphabets":     `{labels: {équipe: données, 名前: 値}}`,
		"long ones of 126 bytes":        `{labels: {` + strings.Repeat("é", 63) + `: ` + strings.Repeat("値", 42) + `}}`,
		"an empty label":                `{labels: {team: ""}}`,
		"the bounds of retention":       `{messageRetentionSeconds: 600}`,
		"all explicit empties":          `{labels: {}, schemaSettings: {}, ingestion: {source: {}, platformLogs: {}}, messageTransforms: []}`,
		"a source without a format":     `{ingestion: {source: {cloudStorage: {bucket: logs}}}}`,
		"Avro":                          `{ingestion: {source: {cloudStorage: {bucket: logs, avroFormat: {}}}}}`,
		"what a subscription wrote":     `{ingestion: {source: {cloudStorage: {bucket: logs, pubsubAvroFormat: {}}}}}`,
		"Kinesis":                       `{ingestion: {source: {awsKinesis: {streamARN: "arn:aws:kinesis:us-east-1:123456789012:stream/s", consumerARN: "arn:aws:kinesis:us-east-1:123456789012:stream/s/consumer/c:1700000000", awsRoleARN: ` + roleARN + `, gcpServiceAccount: ` + account + `}}}}`,
		"MSK":                           `{ingestion: {source: {awsMSK: {clusterARN: ` + kafkaARN + `, topic: t, awsRoleARN: ` + roleARN + `, gcpServiceAccount: ` + account + `}}}}`,
		"Event Hubs":                    `{ingestion: {source: {azureEventHubs: {resourceGroup: rg, namespace: ns-1, eventHub: hub, clientID: 01234567-89ab-cdef-0123-456789abcdef, tenantID: 01234567-89ab-cdef-0123-456789abcdef, subscriptionID: 01234567-89ab-cdef-0123-456789abcdef, gcpServiceAccount: ` + account + `}}}}`,
		"Confluent Cloud":               `{ingestion: {source: {confluentCloud: {bootstrapServer: "pkc-1.us-east-1.aws.confluent.cloud:9092", clusterID: lkc-1a2b, topic: t, identityPoolID: pool-1a2b, gcpServiceAccount: ` + account + `}}}}`,
		"logs alone":                    `{ingestion: {platformLogs: {severity: DISABLED}}}`,
		"a model that Google publishes": `{messageTransforms: [{aiInference: {endpoint: projects/p/locations/us-central1/publishers/google/models/gemini}}]}`,
		"a topic for everybody":         `{iam: {bindings: [{role: roles/pubsub.publisher, members: [allUsers]}, {role: roles/pubsub.subscriber, members: [allAuthenticatedUsers], condition: null}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			expectRefusal(t, create(t, topicManifest(t, "", spec)), "")
		})
	}
}

func TestTopicUpdates(t *testing.T) {
	for name, tc := range map[string]struct{ before, status, after, sentence string }{
		"another resourceID":                 {before: `{resourceID: one}`, after: `{resourceID: two}`, sentence: "spec.resourceID is immutable: create a new object for another resource"},
		"resourceID removed":                 {before: `{resourceID: one}`, after: `{}`, sentence: "spec.resourceID is immutable"},
		"resourceID added":                   {before: `{}`, after: `{resourceID: one}`, sentence: "spec.resourceID is immutable"},
		"resourceID added as it is":          {before: `{}`, after: `{resourceID: topic}`},
		"resourceID that is the name goes":   {before: `{resourceID: topic}`, after: `{}`},
		"another projectID":                  {before: `{projectID: project-one}`, after: `{projectID: project-two}`, sentence: "projectID is immutable: create a new object for another project"},
		"projectID removed":                  {before: `{projectID: project-one}`, after: `{}`, sentence: "spec.projectID cannot be removed: create a new object for another project"},
		"projectID added before it is bound": {before: `{}`, after: `{projectID: project-one}`, sentence: "spec.projectID can be added only if it is the project that the object is bound to already (status.project)"},
		"another projectID added":            {before: `{}`, status: `{project: project-two}`, after: `{projectID: project-one}`, sentence: "spec.projectID can be added only if it is the project"},
		"projectID added as it is":           {before: `{}`, status: `{project: project-one}`, after: `{projectID: project-one}`},

		"the key changes":           {before: `{kmsKeyName: projects/p/locations/l/keyRings/r/cryptoKeys/a}`, after: `{kmsKeyName: projects/p/locations/l/keyRings/r/cryptoKeys/b}`},
		"the key goes":              {before: `{kmsKeyName: projects/p/locations/l/keyRings/r/cryptoKeys/a}`, after: `{}`},
		"the schema changes":        {before: `{schemaSettings: {schema: projects/p/schemas/one, encoding: JSON}}`, after: `{schemaSettings: {schema: projects/p/schemas/two, encoding: BINARY}}`},
		"the source changes":        {before: `{ingestion: {source: {cloudStorage: {bucket: logs}}}}`, after: `{ingestion: {source: {azureEventHubs: {eventHub: hub}}}}`},
		"a bad value after a good":  {before: `{messageRetentionSeconds: 600}`, after: `{messageRetentionSeconds: 6}`, sentence: "greater than or equal to 600"},
		"management and the others": {before: `{}`, after: `{management: Observe, adoption: Never, deletionPolicy: Delete}`},
	} {
		t.Run(name, func(t *testing.T) {
			expectUpdate(t, topicManifest(t, "", tc.before), tc.status, topicManifest(t, "", tc.after), tc.sentence)
		})
	}
}

// An object that nobody has looked at says so, and what was explicitly empty is still there for Go to see.
func TestTopicDefaultsAndEmpties(t *testing.T) {
	obj := topicManifest(t, "", `{labels: {}, schemaSettings: {}, ingestion: {source: {}}, messageTransforms: []}`)
	want := v1alpha1.TopicSpec{
		CommonSpec:        commonDefaults,
		Labels:            v1alpha1.Labels{},
		SchemaSettings:    &v1alpha1.TopicSchemaSettings{},
		Ingestion:         &v1alpha1.TopicIngestion{Source: &v1alpha1.TopicIngestionSource{}},
		MessageTransforms: []v1alpha1.TopicMessageTransform{},
	}
	var got v1alpha1.Topic
	expectDefaults(t, obj, &got, &got.Spec, want)
}

// The API server installed the rules, so their estimated cost is within the budget; here what they really cost is, too.
func TestTopicAtItsLargest(t *testing.T) {
	regions := make([]string, 100)
	for i := range regions {
		regions[i] = fmt.Sprintf("%s-%s%03d", strings.Repeat("a", 29), strings.Repeat("b", 30), i)
	}
	transforms := make([]any, 5)
	for i := range transforms {
		name := strings.Repeat("f", 254) + string(rune('a'+i))
		transforms[i] = map[string]any{"disabled": true, "javaScriptUDF": map[string]any{
			"functionName": name,
			"code":         strings.Repeat("語", 20480-len(name)) + name,
		}}
	}
	parameters := map[string]any{}
	for i := range 64 {
		parameters[fmt.Sprintf("%062d%02d", 0, i)] = strings.Repeat("p", 256)
	}
	transforms[4] = map[string]any{"aiInference": map[string]any{
		"endpoint":              "projects/p/locations/l/endpoints/" + strings.Repeat("e", 512-33),
		"unstructuredInference": map[string]any{"parameters": parameters},
		"serviceAccountEmail":   strings.Repeat("a", 243) + "@x.y.zz.com",
	}}
	obj := topicManifest(t, "", `
resourceID: "`+strings.Repeat("n", 255)+`"
projectID: "`+strings.Repeat("d", 32)+":"+strings.Repeat("p", 30)+`"
labels: {`+manyLabels(61, 63)+`}
kmsKeyName: projects/`+strings.Repeat("p", 200)+"/locations/l/keyRings/"+strings.Repeat("r", 63)+"/cryptoKeys/"+strings.Repeat("k", 63)+`
messageStoragePolicy: {allowedPersistenceRegions: [`+strings.Join(regions, ",")+`], enforceInTransit: true}
messageRetentionSeconds: 2678400
schemaSettings:
  schema: projects/`+strings.Repeat("p", 127)+"/schemas/"+strings.Repeat("s", 255)+`
  encoding: BINARY
  firstRevisionID: `+strings.Repeat("a", 64)+`
  lastRevisionID: `+strings.Repeat("b", 64)+`
ingestion:
  source:
    cloudStorage:
      bucket: `+strings.Repeat("b", 222)+`
      textFormat: {delimiter: "`+strings.Repeat("d", 64)+`"}
      minimumObjectCreateTime: "2026-01-01T00:00:00Z"
      matchGlob: "`+strings.Repeat("*", 1024)+`"
  platformLogs: {severity: DEBUG}
`)
	if err := unstructured.SetNestedSlice(obj.Object, transforms, "spec", "messageTransforms"); err != nil {
		t.Fatal(err)
	}
	setBindings(t, obj, manyBindings(512, 0))
	if err := create(t, obj); err != nil {
		t.Fatalf("creating: %.2000v", err)
	}
	unstructured.RemoveNestedField(obj.Object, "spec", "messageRetentionSeconds")
	if err := kube.Update(t.Context(), obj); err != nil {
		t.Fatalf("updating: %.2000v", err)
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func topicManifest(t *testing.T, name, spec string) *unstructured.Unstructured {
	t.Helper()
	return specManifest(t, "Topic", "topic", name, spec)
}

// manyLabels writes n labels as YAML, with keys and values of the given length, or short ones.
func manyLabels(n, length int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%0*d: v%0*d, ", max(length-1, 2), i, max(length-1, 2), i)
	}
	return b.String()
}
