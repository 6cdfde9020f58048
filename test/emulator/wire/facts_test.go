package wire

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/test/emulator"
)

// want is what a fact says about one place of an answer.
type want func(value any, there bool) bool

func is(expected any) want {
	return func(value any, there bool) bool { return there && show(value) == show(expected) }
}

func absent(_ any, there bool) bool { return !there }

func like(pattern string) want {
	compiled := regexp.MustCompile(pattern)
	return func(value any, there bool) bool {
		s, ok := value.(string)
		return there && ok && compiled.MatchString(s)
	}
}

var aTime = like(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$`)

// step is one call and what is known of its answer.
type step struct {
	fact             string
	verb, path, body string
	status           int
	expect           map[string]want
}

// TestFacts holds what recorded traffic and documentation say, in our own
// words and with our own resources.
func TestFacts(t *testing.T) {
	for name, steps := range facts {
		t.Run(name, func(t *testing.T) {
			e := emulator.StartTest(t)
			if err := e.AddProject("facts-project", 987654321098); err != nil {
				t.Fatal(err)
			}
			for _, s := range steps {
				s.check(t, e.URL())
			}
		})
	}
}

func (s step) check(t *testing.T, base string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), s.verb, base+s.path, strings.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != s.status {
		t.Errorf("%s: status %d, want %d: %s", s.fact, response.StatusCode, s.status, body)
	}
	if s.expect == nil {
		return
	}
	var answer any
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%s: %v in %q", s.fact, err, body)
	}
	for path, holds := range s.expect {
		if value, there := at(answer, path); !holds(value, there) {
			t.Errorf("%s: %s is %s (there: %v)", s.fact, path, show(value), there)
		}
	}
}

// at follows a path such as "acl/0/role".
func at(value any, path string) (any, bool) {
	for key := range strings.SplitSeq(path, "/") {
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[key]
			if !ok {
				return nil, false
			}
			value = inner
		case []any:
			if key != "0" || len(v) == 0 {
				return nil, false
			}
			value = v[0]
		default:
			return nil, false
		}
	}
	return value, true
}

const (
	buckets = "/storage/v1/b"
	create  = buckets + "?project=facts-project"
	logs    = buckets + "/facts-logs"
)

var facts = map[string][]step{
	"life of a bucket": {
		{
			"a bucket that is not there", "GET", logs, "", 404, map[string]want{
				"error/code": is(404), "error/message": is("The specified bucket does not exist."),
				"error/errors/0/reason": is("notFound"), "error/errors/0/domain": is("global"), "error/status": absent,
			},
		},
		{
			"a new bucket has defaults and shows no access lists", "POST", create, `{"name": "facts-logs", "location": "eu"}`, 200,
			map[string]want{
				"kind": is("storage#bucket"), "id": is("facts-logs"), "location": is("EU"), "locationType": is("multi-region"),
				"rpo": is("DEFAULT"), "storageClass": is("STANDARD"), "metageneration": is("1"), "etag": is("CAE="),
				"projectNumber": is("987654321098"), "selfLink": is("https://www.googleapis.com/storage/v1/b/facts-logs"),
				"softDeletePolicy/retentionDurationSeconds":         is("604800"),
				"softDeletePolicy/effectiveTime":                    aTime,
				"iamConfiguration/publicAccessPrevention":           is("inherited"),
				"iamConfiguration/uniformBucketLevelAccess/enabled": is(false),
				"iamConfiguration/bucketPolicyOnly/enabled":         is(false),
				"iamConfiguration/bucketPolicyOnly/lockedTime":      absent,
				"timeCreated": aTime, "updated": aTime, "generation": like(`^\d+$`),
				"acl": absent, "defaultObjectAcl": absent, "owner": absent, "labels": absent, "lifecycle": absent,
				"versioning": absent, "autoclass": absent, "retentionPolicy": absent,
			},
		},
		{
			"a name that is one's own already", "POST", create, `{"name": "facts-logs"}`, 409, map[string]want{
				"error/errors/0/reason": is("conflict"),
				"error/message":         is("Your previous request to create the named bucket succeeded and you already own it."),
			},
		},
		{
			"a patch answers with access lists, even so", "PATCH", logs,
			`{"labels": {"team": "a"}, "lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 3}}]}}`, 200,
			map[string]want{
				"metageneration": is("2"), "labels/team": is("a"), "lifecycle/rule/0/condition/age": is(3),
				"acl/0/entity": is("project-owners-987654321098"), "acl/0/role": is("OWNER"),
				"acl/0/kind": is("storage#bucketAccessControl"), "acl/0/projectTeam/team": is("owners"),
				"acl/0/id":                is("facts-logs/project-owners-987654321098"),
				"defaultObjectAcl/0/kind": is("storage#objectAccessControl"), "defaultObjectAcl/0/bucket": absent,
				"owner/entity": is("project-owners-987654321098"),
			},
		},
		{
			"a read does not, unless asked for", "GET", logs, "", 200,
			map[string]want{"acl": absent, "owner": absent, "metageneration": is("2")},
		},
		{"asked for", "GET", logs + "?projection=full", "", 200, map[string]want{"acl/0/role": is("OWNER")}},
		{
			"labels merge, no rules are no lifecycle, and no soft delete has no time", "PATCH", logs,
			`{"labels": {"cost": "b"}, "lifecycle": {"rule": []}, "softDeletePolicy": {"retentionDurationSeconds": "0"}}`, 200,
			map[string]want{
				"labels/team": is("a"), "labels/cost": is("b"), "lifecycle": absent,
				"softDeletePolicy/retentionDurationSeconds": is("0"), "softDeletePolicy/effectiveTime": absent,
			},
		},
		{"null removes a label", "PATCH", logs, `{"labels": {"team": null}}`, 200, map[string]want{"labels/team": absent, "labels/cost": is("b")}},
		{"an empty patch is no change", "PATCH", logs, `{}`, 200, map[string]want{"metageneration": is("4")}},
		{
			"a metageneration of the past", "PATCH", logs + "?ifMetagenerationMatch=1", `{"labels": {"x": "y"}}`, 412,
			map[string]want{"error/errors/0/reason": is("conditionNotMet"), "error/errors/0/location": is("If-Match")},
		},
		{"an object", "POST", "/upload/storage/v1/b/facts-logs/o?uploadType=media&name=one", "1", 200, map[string]want{"size": is("1")}},
		{
			"a bucket that is not empty", "DELETE", logs, "", 409, map[string]want{
				"error/errors/0/reason": is("conflict"), "error/message": is("The bucket you tried to delete is not empty."),
			},
		},
		{"objects go without a word", "DELETE", logs + "/o/one", "", 204, nil},
		{"a list of nothing", "GET", logs + "/o?versions=true", "", 200, map[string]want{"kind": is("storage#objects"), "items": absent, "prefixes": absent}},
		{"buckets too", "DELETE", logs, "", 204, nil},
	},
	"access lists": {
		{"a bucket", "POST", create, `{"name": "facts-logs"}`, 200, nil},
		{
			"an entity without an entry", "GET", logs + "/acl/allAuthenticatedUsers", "", 404, map[string]want{
				"error/message": is("The specified key does not exist."), "error/errors/0/reason": is("notFound"),
			},
		},
		{
			"a new entry", "POST", logs + "/acl", `{"bucket": "facts-logs", "entity": "allAuthenticatedUsers", "role": "READER"}`, 200,
			map[string]want{
				"kind": is("storage#bucketAccessControl"), "bucket": is("facts-logs"), "entity": is("allAuthenticatedUsers"), "role": is("READER"),
				"id": is("facts-logs/allAuthenticatedUsers"), "etag": anEtag, "projectTeam": absent,
				"selfLink": is("https://www.googleapis.com/storage/v1/b/facts-logs/acl/allAuthenticatedUsers"),
			},
		},
		{"another role", "PUT", logs + "/acl/allAuthenticatedUsers", `{"role": "WRITER"}`, 200, map[string]want{"role": is("WRITER")}},
		{"both were changes to the bucket", "GET", logs, "", 200, map[string]want{"metageneration": is("3")}},
		{"the bucket goes", "DELETE", logs, "", 204, nil},
		{
			"and its list", "DELETE", logs + "/acl/allAuthenticatedUsers", "", 404,
			map[string]want{"error/message": is("The specified bucket does not exist.")},
		},
	},
	"a bucket that never had soft delete": {
		{
			"shows since when", "POST", create, `{"name": "facts-logs", "softDeletePolicy": {"retentionDurationSeconds": "0"}}`, 200,
			map[string]want{"softDeletePolicy/retentionDurationSeconds": is("0"), "softDeletePolicy/effectiveTime": aTime},
		},
		{"and goes on to", "PATCH", logs, `{"versioning": {"enabled": false}}`, 200, map[string]want{"softDeletePolicy/effectiveTime": aTime}},
		{"until it is on", "PATCH", logs, `{"softDeletePolicy": {"retentionDurationSeconds": "604800"}}`, 200, nil},
		{
			"and off again", "PATCH", logs, `{"softDeletePolicy": {"retentionDurationSeconds": "0"}}`, 200,
			map[string]want{"softDeletePolicy/effectiveTime": absent},
		},
	},
	"autoclass and uniform access": {
		{
			"times begin when they are turned on", "POST", create,
			`{"name": "facts-logs", "autoclass": {"enabled": true}, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}}`, 200,
			map[string]want{
				"autoclass/terminalStorageClass": is("NEARLINE"), "autoclass/toggleTime": aTime,
				"autoclass/terminalStorageClassUpdateTime":             aTime,
				"iamConfiguration/uniformBucketLevelAccess/lockedTime": aTime,
				"iamConfiguration/bucketPolicyOnly/lockedTime":         aTime,
				"lifecycle": absent,
			},
		},
		{
			"a patch shows no access lists, not even on demand", "PATCH", logs + "?projection=full", `{"labels": {"a": "b"}}`, 200,
			map[string]want{"metageneration": is("2"), "acl": absent, "defaultObjectAcl": absent, "owner": absent},
		},
		{
			"another class to begin with is not taken", "POST", create,
			`{"name": "facts-near", "storageClass": "NEARLINE", "autoclass": {"enabled": true}}`, 200, map[string]want{"storageClass": is("STANDARD")},
		},
		{"another terminal class", "PATCH", logs, `{"autoclass": {"enabled": true, "terminalStorageClass": "ARCHIVE"}}`, 200, map[string]want{"autoclass/terminalStorageClass": is("ARCHIVE")}},
		{"only the standard class goes with it", "PATCH", logs, `{"storageClass": "COLDLINE"}`, 400, map[string]want{"error/errors/0/reason": is("invalid")}},
	},
	"regions": {
		{"a single region has no rpo", "POST", create, `{"name": "facts-logs", "location": "us-central1"}`, 200, map[string]want{"location": is("US-CENTRAL1"), "locationType": is("region"), "rpo": absent, "satisfiesPZI": is(true)}},
		{"a bucket does not move", "PATCH", logs, `{"location": "EU"}`, 400, nil},
		{
			"two regions by choice", "POST", create,
			`{"name": "facts-pair", "location": "US", "customPlacementConfig": {"dataLocations": ["us-west1", "us-east1"]}, "rpo": "ASYNC_TURBO"}`, 200,
			map[string]want{"locationType": is("dual-region"), "rpo": is("ASYNC_TURBO"), "customPlacementConfig/dataLocations/0": is("US-EAST1")},
		},
	},
	"a topic": {
		{
			"one that is not there is named by its ID", "GET", "/v1/projects/facts-project/topics/events", "", 404, map[string]want{
				"error/code": is(404), "error/status": is("NOT_FOUND"), "error/message": is("Resource not found (resource=events)."),
				"error/errors": absent,
			},
		},
		{
			"a new one shows what was asked for and nothing else", "PUT", "/v1/projects/facts-project/topics/events", `{"labels": {"a": "b"}}`, 200,
			map[string]want{"name": is("projects/facts-project/topics/events"), "labels/a": is("b"), "state": absent, "messageRetentionDuration": absent},
		},
		{
			"a patch with a mask", "PATCH", "/v1/projects/facts-project/topics/events",
			`{"topic": {"messageRetentionDuration": "3600s", "labels": {"x": "y"}}, "updateMask": "messageRetentionDuration"}`, 200,
			map[string]want{"messageRetentionDuration": is("3600s"), "labels/a": is("b"), "labels/x": absent},
		},
		{"deleting answers with an empty object", "DELETE", "/v1/projects/facts-project/topics/events", "", 200, map[string]want{"name": absent}},
	},
	"a service account": {
		{
			"one that is not there, with the list of errors of older APIs", "GET", account, "", 404, map[string]want{
				"error/code": is(404), "error/status": is("NOT_FOUND"), "error/message": is("Unknown service account"),
				"error/errors/0/reason": is("notFound"), "error/errors/0/domain": is("global"),
				"error/errors/0/message": is("Unknown service account"), "error/details": absent,
			},
		},
		{
			"a new one", "POST", "/v1/projects/facts-project/serviceAccounts",
			`{"accountId": "reader", "serviceAccount": {"displayName": "Reader", "description": "reads"}}`, 200, map[string]want{
				"name":  is("projects/facts-project/serviceAccounts/reader@facts-project.iam.gserviceaccount.com"),
				"email": is("reader@facts-project.iam.gserviceaccount.com"), "projectId": is("facts-project"),
				"displayName": is("Reader"), "description": is("reads"), "disabled": absent,
				"uniqueId": like(`^\d{21}$`), "oauth2ClientId": like(`^\d{21}$`), "etag": anEtag,
			},
		},
		{
			"a patch answers with what it was about and the name", "PATCH", account,
			`{"serviceAccount": {"displayName": "R", "description": "r"}, "updateMask": "description,display_name"}`, 200, map[string]want{
				"name":        is("projects/facts-project/serviceAccounts/reader@facts-project.iam.gserviceaccount.com"),
				"displayName": is("R"), "description": is("r"), "email": absent, "uniqueId": absent, "projectId": absent, "etag": absent,
			},
		},
		{"it is all there still", "GET", account, "", 200, map[string]want{"displayName": is("R"), "uniqueId": like(`^\d{21}$`)}},
		{
			"its policy was never set", "POST", account + ":getIamPolicy", "{}", 200,
			map[string]want{"etag": is("ACAB"), "bindings": absent, "version": absent},
		},
		{"deleting answers with an empty object", "DELETE", account, "", 200, map[string]want{"name": absent}},
		{"it is gone", "GET", account, "", 404, nil},
	},
	"a project": {
		{
			"as version 1 shows it", "GET", "/v1/projects/facts-project", "", 200, map[string]want{
				"projectId": is("facts-project"), "projectNumber": is("987654321098"), "lifecycleState": is("ACTIVE"),
				"createTime": aTime, "parent/type": is("organization"), "parent/id": is("1"),
			},
		},
		{
			"one that is not there is one that may not be seen", "GET", "/v1/projects/No-Project", "", 403, map[string]want{
				"error/status": is("PERMISSION_DENIED"), "error/message": is("The caller does not have permission"), "error/details": absent,
			},
		},
		{
			"making one is an operation", "POST", "/v1/projects",
			`{"projectId": "facts-new", "name": "New", "labels": {"a": "b"}, "parent": {"type": "organization", "id": "7"}}`, 200,
			map[string]want{"name": like(`^operations/`), "done": absent, "response": absent},
		},
		{
			"which ends with a project of version 3", "GET", "/v1/operations/cp.1", "", 200, map[string]want{
				"done": is(true), "metadata/@type": is("type.googleapis.com/google.cloud.resourcemanager.v3.CreateProjectMetadata"),
				"response/@type": is("type.googleapis.com/google.cloud.resourcemanager.v3.Project"), "response/projectId": is("facts-new"),
				"response/displayName": is("New"), "response/parent": is("organizations/7"), "response/state": is("ACTIVE"),
				"response/name": like(`^projects/\d{12}$`), "response/createTime": aTime, "response/updateTime": absent,
			},
		},
		{"deleting answers with an empty object", "DELETE", "/v1/projects/facts-new", "", 200, map[string]want{"name": absent}},
	},
	"a project's policy": {
		{
			"one that was never set has an etag and nothing else", "POST", policy + ":getIamPolicy",
			`{"options": {"requestedPolicyVersion": 3}}`, 200, map[string]want{"etag": anEtag, "bindings": absent, "version": absent},
		},
		{
			"members stay in their order", "POST", policy + ":setIamPolicy",
			`{"policy": {"version": 3, "bindings": [{"role": "roles/x.y", "members": ["user:b@example.com", "group:a@example.com"], "condition": {"title": "t", "expression": "true"}}]}, "updateMask": "bindings,etag,auditConfigs"}`,
			200, map[string]want{
				"version": is(3), "etag": anEtag, "bindings/0/members": is([]string{"user:b@example.com", "group:a@example.com"}),
				"bindings/0/condition/title": is("t"), "bindings/0/condition/description": absent,
			},
		},
		{"and are read so", "POST", policy + ":getIamPolicy", `{"options": {"requestedPolicyVersion": 3}}`, 200, map[string]want{"version": is(3), "bindings/0/members/0": is("user:b@example.com")}},
		{
			"who does not ask for conditions sees a role that is none", "POST", policy + ":getIamPolicy", ``, 200,
			map[string]want{"version": is(1), "bindings/0/role": like(`^roles/x\.y_withcond_[0-9a-f]{20}$`), "bindings/0/condition": absent},
		},
		{
			"a stale etag", "POST", policy + ":setIamPolicy", `{"policy": {"etag": "ACAB", "version": 3}}`, 409, map[string]want{
				"error/status":  is("ABORTED"),
				"error/message": is("There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."),
			},
		},
		{
			"an empty policy has version 1", "POST", policy + ":setIamPolicy", `{"policy": {"version": 3}}`, 200,
			map[string]want{"version": is(1), "etag": anEtag, "bindings": absent},
		},
	},
}

const (
	account = "/v1/projects/facts-project/serviceAccounts/reader@facts-project.iam.gserviceaccount.com"
	policy  = "/v1/projects/facts-project"
)

var anEtag = like(`^[A-Za-z0-9+/_-]+=*$`)
