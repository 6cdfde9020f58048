package storage

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// refusal is an error as far as clients can tell errors apart.
type refusal struct {
	Status          int
	Reason, Message string
}

func invalid(message string) refusal { return refusal{http.StatusBadRequest, "invalid", message} }

// refusedOnInsert are new buckets that Cloud Storage does not make.
var refusedOnInsert = map[string]struct {
	fields string
	want   refusal
}{
	"a class that does not exist": {`"storageClass": "HOT"`, invalid(`Invalid storage class "HOT"`)},
	"a place that does not exist": {`"location": "MOON"`, invalid("The specified location constraint is not valid.")},
	"a regional class in the US":  {`"storageClass": "REGIONAL"`, invalid("The combination of locationConstraint and storageClass you provided is not supported for your project")},
	"one data location":           {`"location": "US", "customPlacementConfig": {"dataLocations": ["us-east1"]}`, invalid("Custom placement config must have exactly two data locations.")},
	"data locations far apart":    {`"location": "US", "customPlacementConfig": {"dataLocations": ["us-east1", "europe-west1"]}`, invalid("The specified location constraint is not valid.")},
	"turbo in a multi-region":     {`"rpo": "ASYNC_TURBO"`, invalid("Turbo replication is only available for buckets in dual-regions.")},
	"an rpo in a single region":   {`"location": "us-east1", "rpo": "DEFAULT"`, invalid("RPO cannot be set for a bucket in a single region.")},
	"autoclass down to coldline":  {`"autoclass": {"enabled": true, "terminalStorageClass": "COLDLINE"}`, invalid("Invalid value for: COLDLINE is not a valid value")},
	"autoclass beside a rule about classes": {
		`"autoclass": {"enabled": true}, "lifecycle": {"rule": [{"action": {"type": "SetStorageClass", "storageClass": "NEARLINE"}, "condition": {"age": 1}}]}`,
		invalid("Lifecycle rules with a SetStorageClass action or a matchesStorageClass condition cannot be used with Autoclass."),
	},
	"folders without uniform access": {`"hierarchicalNamespace": {"enabled": true}`, invalid("Hierarchical namespace buckets must use uniform bucket-level access.")},
	"folders with versions": {
		`"hierarchicalNamespace": {"enabled": true}, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}, "versioning": {"enabled": true}`,
		invalid("Versioning is not supported for hierarchical namespace buckets."),
	},
	"folders with retention": {
		`"hierarchicalNamespace": {"enabled": true}, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}, "retentionPolicy": {"retentionPeriod": 1}`,
		invalid("Retention policy is not supported for hierarchical namespace buckets."),
	},
	"soft delete for a day":        {`"softDeletePolicy": {"retentionDurationSeconds": 86400}`, invalid("Soft delete policy must have a retention duration between 7 days and 90 days.")},
	"soft delete for 91 days":      {`"softDeletePolicy": {"retentionDurationSeconds": "7862400"}`, invalid("Soft delete policy must have a retention duration between 7 days and 90 days.")},
	"retention of nothing":         {`"retentionPolicy": {"retentionPeriod": 0}`, invalid("Retention policy must have a retention period greater than 0 and less than 100 years.")},
	"retention locked at once":     {`"retentionPolicy": {"retentionPeriod": 60, "isLocked": true}`, invalid("Retention Policy should not set/unset lock at insertion time for bucket 'refused'.")},
	"a malformed key":              {`"encryption": {"defaultKmsKeyName": "my-key"}`, invalid("Malformed Cloud KMS crypto key: my-key")},
	"a key elsewhere":              {`"location": "us-east1", "encryption": {"defaultKmsKeyName": "projects/p/locations/us-west1/keyRings/r/cryptoKeys/k"}`, invalid("The Cloud KMS key's location (us-west1) must match the bucket's location (us-east1).")},
	"public access maybe":          {`"iamConfiguration": {"publicAccessPrevention": "maybe"}`, invalid("Invalid value for: maybe is not a valid value")},
	"a label in upper case":        {`"labels": {"Team": "a"}`, invalid("Invalid user label: Team")},
	"a label that begins with 1":   {`"labels": {"1st": "a"}`, invalid("Invalid user label: 1st")},
	"a label with an odd value":    {`"labels": {"team": "A b"}`, invalid("Invalid user label: team with value A b")},
	"access lists where uniform":   {`"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}, "acl": [{"entity": "allUsers", "role": "READER"}]`, invalid("Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access")},
	"a log bucket with a bad name": {`"logging": {"logBucket": "X"}`, invalid("Invalid bucket name: 'X'")},
	"a field of another type": {
		`"versioning": {"enabled": "maybe"}`,
		refusal{400, "parseError", `Parse Error: Invalid value for TYPE_BOOL field: '"maybe"'.`},
	},
	"a public grant where prevented": {
		`"iamConfiguration": {"publicAccessPrevention": "enforced"}, "acl": [{"entity": "allUsers", "role": "READER"}]`,
		refusal{412, "conditionNotMet", "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced."},
	},
	"a rule without a condition":      {rule(`{"type": "Delete"}`, `{}`), invalid("Lifecycle rules must have a condition.")},
	"a rule with empty conditions":    {rule(`{"type": "Delete"}`, `{"matchesPrefix": []}`), invalid("Lifecycle rules must have a condition.")},
	"a rule that does something else": {rule(`{"type": "Archive"}`, `{"age": 1}`), invalid("Invalid value for: Archive is not a valid value")},
	"a class change to nowhere":       {rule(`{"type": "SetStorageClass"}`, `{"age": 1}`), invalid("Lifecycle storage class rules must specify the destination storage class.")},
	"a class change to HOT":           {rule(`{"type": "SetStorageClass", "storageClass": "HOT"}`, `{"age": 1}`), invalid("Unknown storage class 'HOT' is not a valid option for SET_STORAGE_CLASS actions.")},
	"a deletion to a class":           {rule(`{"type": "Delete", "storageClass": "NEARLINE"}`, `{"age": 1}`), invalid("Storage class can only be specified for SET_STORAGE_CLASS actions")},
	"an age before time":              {rule(`{"type": "Delete"}`, `{"age": -1}`), invalid("Lifecycle age condition must be greater than or equal to 0, but was -1")},
	"a date with a time":              {rule(`{"type": "Delete"}`, `{"createdBefore": "2026-01-01T00:00:00Z"}`), invalid(`Invalid value for: Invalid format: "2026-01-01T00:00:00Z"`)},
	"an upload aborted by its class":  {rule(`{"type": "AbortIncompleteMultipartUpload"}`, `{"age": 1, "matchesStorageClass": ["STANDARD"]}`), invalid("Lifecycle age_days, matches_prefix, and matches_suffix conditions are the only ones allowed for a ABORT_INCOMPLETE_MULTIPART_UPLOAD rule.")},
	"a rule about an unknown class":   {rule(`{"type": "Delete"}`, `{"matchesStorageClass": ["HOT"]}`), invalid(`Invalid storage class "HOT"`)},
	"an empty prefix":                 {rule(`{"type": "Delete"}`, `{"matchesPrefix": [""]}`), invalid("Lifecycle matchesPrefix cannot contain a string that is empty or longer than 1024.")},
	"101 rules":                       {`"lifecycle": {"rule": [` + strings.TrimSuffix(strings.Repeat(`{"action": {"type": "Delete"}, "condition": {"age": 1}},`, 101), ",") + `]}`, invalid("Lifecycle config cannot have more than 100 rules.")},
}

func rule(action, condition string) string {
	return fmt.Sprintf(`"lifecycle": {"rule": [{"action": %s, "condition": %s}]}`, action, condition)
}

func TestInsertRefuses(t *testing.T) {
	for name, c := range refusedOnInsert {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			a := h.do(t, "POST", "/b?project="+testProject, `{"name": "refused", `+c.fields+`}`)
			if diff := cmp.Diff(c.want, refusal{a.status, a.reason(), a.message()}); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if _, made := h.Bucket("refused"); made {
				t.Error("the bucket was made all the same")
			}
		})
	}
}

// refusedLater are changes to a bucket that Cloud Storage does not make.
var refusedLater = map[string]struct {
	fields, verb, path, body string
	want                     refusal
}{
	"moving":                      {``, "PATCH", "/b/held", `{"location": "EU"}`, invalid("Invalid argument.")},
	"another name":                {``, "PATCH", "/b/held", `{"name": "other"}`, invalid("Value 'other' in content does not agree with value 'held'. This can happen when a value set through a parameter is inconsistent with a value set in the request.")},
	"no JSON":                     {``, "PATCH", "/b/held", `{`, refusal{400, "parseError", "Parse Error"}},
	"a condition that is text":    {``, "PATCH", "/b/held?ifMetagenerationMatch=x", `{}`, refusal{400, "invalidParameter", "Invalid value 'x'. Values must be whole numbers."}},
	"a condition that is old":     {``, "DELETE", "/b/held?ifMetagenerationMatch=9", ``, refusal{412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."}},
	"locking without a condition": {`"retentionPolicy": {"retentionPeriod": 60}`, "POST", "/b/held/lockRetentionPolicy", ``, refusal{400, "required", "Required parameter: ifMetagenerationMatch"}},
	"locking nothing":             {``, "POST", "/b/held/lockRetentionPolicy?ifMetagenerationMatch=1", ``, invalid("Bucket 'held' does not have an unlocked retention policy.")},
	"locking what has changed":    {`"retentionPolicy": {"retentionPeriod": 60}`, "POST", "/b/held/lockRetentionPolicy?ifMetagenerationMatch=7", ``, refusal{412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."}},
	"the 65th label":              {``, "PATCH", "/b/held", `{"labels": {` + manyLabels(65) + `}}`, invalid("Attempt to create a bucket with 65 labels, maximum is 64")},
	"autoclass with a class":      {`"storageClass": "NEARLINE"`, "PATCH", "/b/held", `{"autoclass": {"enabled": true}}`, invalid("Buckets with Autoclass enabled must have STANDARD as their default storage class.")},
	"a class with autoclass":      {`"autoclass": {"enabled": true}`, "PATCH", "/b/held", `{"storageClass": "ARCHIVE"}`, invalid("Buckets with Autoclass enabled must have STANDARD as their default storage class.")},
	"access lists where uniform":  {`"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`, "PATCH", "/b/held?predefinedAcl=private", `{}`, invalid("Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access")},
	"reading them":                {`"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`, "GET", "/b/held/acl", ``, invalid("Cannot get legacy ACL for a bucket that has uniform bucket-level access. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access")},
	"adding to them":              {`"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`, "POST", "/b/held/acl", `{"entity": "allUsers", "role": "READER"}`, invalid("Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access")},
	"an entry that is not there":  {``, "PUT", "/b/held/acl/allUsers", `{"role": "READER"}`, refusal{404, "notFound", "The specified key does not exist."}},
	"an entry of another's name":  {``, "PATCH", "/b/held/acl/allUsers", `{"entity": "user-a@example.com", "role": "READER"}`, invalid("Value 'user-a@example.com' in content does not agree with value 'allUsers'. This can happen when a value set through a parameter is inconsistent with a value set in the request.")},
	"an entry for nobody":         {``, "POST", "/b/held/acl", `{"role": "READER"}`, refusal{400, "required", "Required: entity"}},
	"a writer of new objects":     {``, "POST", "/b/held/defaultObjectAcl", `{"entity": "allUsers", "role": "WRITER"}`, invalid("Invalid value for: WRITER is not a valid value")},
	"the public where prevented": {
		`"iamConfiguration": {"publicAccessPrevention": "enforced"}`, "POST", "/b/held/acl", `{"entity": "allUsers", "role": "READER"}`,
		refusal{412, "conditionNotMet", "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced."},
	},
	"two kinds of access lists":   {``, "PATCH", "/b/held?predefinedAcl=private", `{"acl": [{"entity": "allUsers", "role": "READER"}]}`, refusal{409, "conflict", "Cannot provide both a predefinedAcl and access controls."}},
	"a method that is not there":  {``, "GET", "/b/held/notificationConfigs", ``, refusal{404, "notFound", "Not Found"}},
	"a policy under a stale etag": {``, "PUT", "/b/held/iam", `{"etag": "CAI="}`, refusal{412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold."}},
	"a role of another service":   {``, "PUT", "/b/held/iam", `{"bindings": [{"role": "roles/owner", "members": ["user:a@example.com"]}]}`, invalid("Role roles/owner is not supported for this resource.")},
}

func manyLabels(n int) string {
	var labels []string
	for i := range n {
		labels = append(labels, fmt.Sprintf(`"l%d": "x"`, i))
	}
	return strings.Join(labels, ",")
}

func TestChangeRefuses(t *testing.T) {
	for name, c := range refusedLater {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.create(t, "held", c.fields)
			before, _ := h.Bucket("held")
			a := h.do(t, c.verb, c.path, c.body)
			if diff := cmp.Diff(c.want, refusal{a.status, a.reason(), a.message()}); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			after, _ := h.Bucket("held")
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("the bucket changed all the same (-before +after):\n%s", diff)
			}
		})
	}
}

func TestBucketNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"abc": true, "a-b_c.d": true, "0bucket9": true, strings.Repeat("a", 63): true,
		strings.Repeat("a", 63) + "." + strings.Repeat("b", 63): true,
		"ab": false, "Abc": false, "-abc": false, "abc-": false, "a..b": false, "a b": false, "a/b": false, "": false,
		"192.168.5.4": false, "goog-logs": false, "my-google": false, "my-g00gle": false,
		strings.Repeat("a", 64): false, strings.Repeat("a", 64) + ".b": false,
	} {
		if err := checkBucketName(name); (err == nil) != valid {
			t.Errorf("%q: valid should be %v, got %v", name, valid, err)
		}
	}
}
