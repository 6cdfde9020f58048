package storage

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNamesAreGlobal(t *testing.T) {
	h := newHarness(t)
	if err := h.CreateBucket("their-project", document{"name": "theirs"}); err != nil {
		t.Fatal(err)
	}
	if err := h.CreateBucket("other-project", document{"name": "others"}); err != nil {
		t.Fatal(err)
	}
	const taken = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."
	for _, name := range []string{"theirs", "others"} {
		a := h.do(t, "POST", "/b?project="+testProject, `{"name": "`+name+`"}`)
		if diff := cmp.Diff(refusal{409, "conflict", taken}, refusal{a.status, a.reason(), a.message()}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestForeignProjects(t *testing.T) {
	h := newHarness(t)
	if err := h.CreateBucket("their-project", document{"name": "theirs"}); err != nil {
		t.Fatal(err)
	}
	for path, message := range map[string]string{
		"/b/theirs":                "caller@emulator.iam.gserviceaccount.com does not have storage.buckets.get access to the Google Cloud Storage bucket. Permission 'storage.buckets.get' denied on resource (or it may not exist).",
		"/b/theirs/o":              "caller@emulator.iam.gserviceaccount.com does not have storage.objects.list access to the Google Cloud Storage bucket. Permission 'storage.objects.list' denied on resource (or it may not exist).",
		"/b?project=their-project": "caller@emulator.iam.gserviceaccount.com does not have storage.buckets.list access to the Google Cloud project. Permission 'storage.buckets.list' denied on resource (or it may not exist).",
	} {
		a := h.do(t, "GET", path, "")
		if diff := cmp.Diff(refusal{403, "forbidden", message}, refusal{a.status, a.reason(), a.message()}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestServiceAgent(t *testing.T) {
	h := newHarness(t)
	want := document{"kind": "storage#serviceAccount", "email_address": "service-111222333444@gs-project-accounts.iam.gserviceaccount.com"}
	if diff := cmp.Diff(want, h.must(t, "GET", apiPath+"/projects/"+testProject+"/serviceAccount", "")); diff != "" {
		t.Errorf("service agent (-want +got):\n%s", diff)
	}
	a := h.do(t, "GET", apiPath+"/projects/their-project/serviceAccount", "")
	if a.status != http.StatusForbidden || !strings.Contains(a.message(), "resourcemanager.projects.get") {
		t.Errorf("somebody else's: %d %s", a.status, a.message())
	}
}

func TestReadConditions(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	for path, status := range map[string]int{
		"/b/logs?ifMetagenerationMatch=1":    http.StatusOK,
		"/b/logs?ifMetagenerationMatch=2":    http.StatusPreconditionFailed,
		"/b/logs?ifMetagenerationNotMatch=1": http.StatusNotModified,
		"/b/logs?ifMetagenerationNotMatch=2": http.StatusOK,
	} {
		if a := h.do(t, "GET", path, ""); a.status != status {
			t.Errorf("%s: %d, want %d", path, a.status, status)
		}
	}
}

func TestWriteNotMatchingIsNotModified(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", "")
	a := h.do(t, "PATCH", "/b/logs?ifMetagenerationNotMatch=1", `{"labels": {"a": "1"}}`)
	if a.status != http.StatusNotModified || a.body != "" {
		t.Errorf("%d %q", a.status, a.body)
	}
	if b, _ := h.Bucket("logs"); b["labels"] != nil {
		t.Errorf("patched all the same: %v", b["labels"])
	}
}

func TestListPages(t *testing.T) {
	h := newHarness(t)
	for i := range 5 {
		h.create(t, fmt.Sprintf("logs-%d", i), "")
	}
	h.create(t, "other", "")
	var names []string
	token, pages := "", 0
	for {
		doc := h.must(t, "GET", "/b?project="+testProject+"&prefix=logs-&maxResults=2&pageToken="+token, "")
		for _, item := range list(doc, "items") {
			names = append(names, text(item.(document), "name"))
		}
		pages++
		if token = text(doc, "nextPageToken"); token == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"logs-0", "logs-1", "logs-2", "logs-3", "logs-4"}, names); diff != "" || pages != 3 {
		t.Errorf("%d pages (-want +got):\n%s", pages, diff)
	}
	if diff := cmp.Diff(document{"kind": "storage#buckets"}, h.must(t, "GET", "/b?project=empty-project", "")); diff != "" {
		t.Errorf("an empty list (-want +got):\n%s", diff)
	}
}

func TestPatch(t *testing.T) {
	for name, c := range map[string]struct {
		fields, patch string
		path          []string
		want          any
	}{
		"labels merge":                     {`"labels": {"a": "1"}`, `{"labels": {"b": "2"}}`, []string{"labels"}, document{"a": "1", "b": "2"}},
		"null removes a label":             {`"labels": {"a": "1", "b": "2"}`, `{"labels": {"a": null}}`, []string{"labels"}, document{"b": "2"}},
		"the last label":                   {`"labels": {"a": "1"}`, `{"labels": {"a": null}}`, []string{"labels"}, nil},
		"no labels at all":                 {`"labels": {"a": "1"}`, `{"labels": {}}`, []string{"labels"}, nil},
		"null for all labels":              {`"labels": {"a": "1"}`, `{"labels": null}`, []string{"labels"}, nil},
		"an empty soft delete policy":      {`"softDeletePolicy": {"retentionDurationSeconds": 864000}`, `{"softDeletePolicy": {}}`, []string{"softDeletePolicy", "retentionDurationSeconds"}, "864000"},
		"null is the default soft delete":  {`"softDeletePolicy": {"retentionDurationSeconds": 0}`, `{"softDeletePolicy": null}`, []string{"softDeletePolicy", "retentionDurationSeconds"}, "604800"},
		"an empty lifecycle":               {rule(`{"type": "Delete"}`, `{"age": 1}`), `{"lifecycle": {}}`, []string{"lifecycle", "rule"}, []any{document{"action": document{"type": "Delete"}, "condition": document{"age": number(1)}}}},
		"null for the lifecycle":           {rule(`{"type": "Delete"}`, `{"age": 1}`), `{"lifecycle": null}`, []string{"lifecycle"}, nil},
		"classes in upper case":            {``, `{` + rule(`{"type": "SetStorageClass", "storageClass": "nearline"}`, `{"age": 0}`) + `}`, []string{"lifecycle", "rule"}, []any{document{"action": document{"type": "SetStorageClass", "storageClass": "NEARLINE"}, "condition": document{"age": number(0)}}}},
		"a class back to the default":      {`"storageClass": "COLDLINE"`, `{"storageClass": null}`, []string{"storageClass"}, "STANDARD"},
		"versioning stays when turned off": {`"versioning": {"enabled": true}`, `{"versioning": {"enabled": false}}`, []string{"versioning"}, document{"enabled": false}},
		"cors goes with an empty list":     {`"cors": [{"origin": ["*"], "maxAgeSeconds": 60}]`, `{"cors": []}`, []string{"cors"}, nil},
		"a website":                        {``, `{"website": {"mainPageSuffix": "index.html"}}`, []string{"website"}, document{"mainPageSuffix": "index.html"}},
		"logs are named after the bucket":  {``, `{"logging": {"logBucket": "all-logs"}}`, []string{"logging"}, document{"logBucket": "all-logs", "logObjectPrefix": "patched"}},
		"the older name of uniform access": {``, `{"iamConfiguration": {"bucketPolicyOnly": {"enabled": true}}}`, []string{"iamConfiguration", "uniformBucketLevelAccess", "enabled"}, true},
		"uniform access can be turned off": {`"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`, `{"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": false}}}`, []string{"iamConfiguration", "bucketPolicyOnly"}, document{"enabled": false}},
		"fields that do not exist":         {``, `{"nonsense": 1, "labels": {"a": "1"}}`, []string{"nonsense"}, nil},
		"folders are decided at the start": {``, `{"hierarchicalNamespace": {"enabled": true}}`, []string{"hierarchicalNamespace"}, nil},
		"object retention too":             {``, `{"objectRetention": {"mode": "Enabled"}}`, []string{"objectRetention"}, nil},
		"what cannot be set":               {``, `{"metageneration": "99", "timeCreated": "2000-01-01T00:00:00Z"}`, []string{"metageneration"}, "2"},
		"a default key":                    {``, `{"encryption": {"defaultKmsKeyName": "projects/p/locations/us/keyRings/r/cryptoKeys/k"}}`, []string{"encryption", "defaultKmsKeyName"}, "projects/p/locations/us/keyRings/r/cryptoKeys/k"},
		"and none":                         {`"encryption": {"defaultKmsKeyName": "projects/p/locations/us/keyRings/r/cryptoKeys/k"}`, `{"encryption": {"defaultKmsKeyName": null}}`, []string{"encryption"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.create(t, "patched", c.fields)
			h.must(t, "PATCH", "/b/patched", c.patch)
			got := lookup(h.must(t, "GET", "/b/patched", ""), c.path...)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%v (-want +got):\n%s", c.path, diff)
			}
		})
	}
}

func TestUpdateResets(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", `"location": "eu", "labels": {"a": "1"}, "storageClass": "COLDLINE", "versioning": {"enabled": true}`)
	got := h.must(t, "PUT", "/b/logs", `{"labels": {"b": "2"}}`)
	for field, want := range map[string]any{
		"location": "EU", "labels": document{"b": "2"}, "storageClass": "STANDARD", "versioning": nil, "metageneration": "2",
	} {
		if diff := cmp.Diff(want, got[field]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
}

func TestTimesStayUntilWhatTheyTellOfChanges(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", `"autoclass": {"enabled": true}, "retentionPolicy": {"retentionPeriod": 60}, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`)
	before, _ := h.Bucket("logs")
	h.now = h.now.Add(time.Hour)
	after := h.must(t, "PATCH", "/b/logs", `{"labels": {"a": "1"}, "autoclass": {"enabled": true, "terminalStorageClass": "ARCHIVE"}}`)
	for _, path := range [][]string{
		{"autoclass", "toggleTime"}, {"retentionPolicy", "effectiveTime"}, {"softDeletePolicy", "effectiveTime"},
		{"iamConfiguration", "uniformBucketLevelAccess", "lockedTime"}, {"timeCreated"},
	} {
		if text(before, path...) != text(after, path...) {
			t.Errorf("%v moved from %s to %s", path, text(before, path...), text(after, path...))
		}
	}
	for _, path := range [][]string{{"autoclass", "terminalStorageClassUpdateTime"}, {"updated"}} {
		if text(after, path...) != "2026-03-01T13:00:00.000Z" {
			t.Errorf("%v is %s", path, text(after, path...))
		}
	}
}

// TestSoftDeleteThatIsOff shows when it took effect of a bucket that never had
// it, until it is on and off again.
func TestSoftDeleteThatIsOff(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", `"softDeletePolicy": {"retentionDurationSeconds": "0"}`)
	for _, step := range []struct {
		patch   string
		seconds string
		since   any
	}{
		{`{"labels": {"a": "1"}}`, "0", "2026-03-01T12:00:00.000Z"},
		{`{"softDeletePolicy": {"retentionDurationSeconds": "604800"}}`, "604800", "2026-03-01T14:00:00.000Z"},
		{`{"softDeletePolicy": {"retentionDurationSeconds": "0"}}`, "0", nil},
		{`{"labels": {"a": "2"}}`, "0", nil},
		{`{"softDeletePolicy": {"retentionDurationSeconds": "604800"}}`, "604800", "2026-03-01T17:00:00.000Z"},
	} {
		h.now = h.now.Add(time.Hour)
		got := object(h.must(t, "PATCH", "/b/logs", step.patch), "softDeletePolicy")
		want := document{"retentionDurationSeconds": step.seconds}
		if step.since != nil {
			want["effectiveTime"] = step.since
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.patch, diff)
		}
	}
}

func TestNewBuckets(t *testing.T) {
	for name, c := range map[string]struct {
		fields string
		path   []string
		want   any
	}{
		"one region satisfies zone isolation": {`"location": "us-central1"`, []string{"satisfiesPZI"}, true},
		"several do not say":                  {`"location": "US"`, []string{"satisfiesPZI"}, nil},
		"a class beside Autoclass":            {`"autoclass": {"enabled": true}, "storageClass": "NEARLINE"`, []string{"storageClass"}, "STANDARD"},
		"a class beside Autoclass that is off": {
			`"autoclass": {"enabled": false}, "storageClass": "NEARLINE"`, []string{"storageClass"}, "NEARLINE",
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			for what, doc := range map[string]document{"created": h.create(t, "made", c.fields), "read": h.must(t, "GET", "/b/made", "")} {
				if diff := cmp.Diff(c.want, lookup(doc, c.path...)); diff != "" {
					t.Errorf("%s: %v (-want +got):\n%s", what, c.path, diff)
				}
			}
		})
	}
}

func TestUniformAccessStaysAfter90Days(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", `"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`)
	h.now = h.now.Add(91 * 24 * time.Hour)
	a := h.do(t, "PATCH", "/b/logs", `{"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": false}}}`)
	if a.status != http.StatusBadRequest {
		t.Errorf("status %d, want 400: %s", a.status, a.body)
	}
}

func TestLockedRetentionOnlyGrows(t *testing.T) {
	h := newHarness(t)
	h.create(t, "kept", `"retentionPolicy": {"retentionPeriod": "3600"}`)
	locked := h.must(t, "POST", "/b/kept/lockRetentionPolicy?ifMetagenerationMatch=1", "")
	if !flag(locked, "retentionPolicy", "isLocked") || text(locked, "metageneration") != "2" {
		t.Errorf("after locking: %v", locked)
	}
	for body, want := range map[string]refusal{
		`{"retentionPolicy": {"retentionPeriod": "60"}}`: {403, "forbidden", "Cannot reduce retention duration of a locked Retention Policy for bucket 'kept'."},
		`{"retentionPolicy": null}`:                      {403, "retentionPolicyNotMet", "Bucket 'kept' has a locked Retention Policy which cannot be removed."},
	} {
		a := h.do(t, "PATCH", "/b/kept", body)
		if diff := cmp.Diff(want, refusal{a.status, a.reason(), a.message()}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	grown := h.must(t, "PATCH", "/b/kept", `{"retentionPolicy": {"retentionPeriod": "7200", "isLocked": false}}`)
	want := document{"retentionPeriod": "7200", "isLocked": true, "effectiveTime": "2026-03-01T12:00:00.000Z"}
	if diff := cmp.Diff(want, grown["retentionPolicy"]); diff != "" {
		t.Errorf("after growing (-want +got):\n%s", diff)
	}
}

func TestDeletedBucketsCanComeBack(t *testing.T) {
	h := newHarness(t)
	first := text(h.create(t, "logs", `"labels": {"a": "1"}`), "generation")
	h.must(t, "DELETE", "/b/logs", "")
	if a := h.do(t, "GET", "/b/logs", ""); a.status != http.StatusNotFound {
		t.Errorf("the deleted bucket: %d", a.status)
	}
	deleted := list(h.must(t, "GET", "/b?softDeleted=true&project="+testProject, ""), "items")
	if len(deleted) != 1 || text(deleted[0].(document), "hardDeleteTime") != "2026-03-08T12:00:00.000Z" {
		t.Errorf("soft-deleted: %v", deleted)
	}
	second := text(h.create(t, "logs", ""), "generation")
	if second == first {
		t.Error("the name's second bucket has the generation of the first")
	}
	if a := h.do(t, "POST", "/b/logs/restore?generation="+first, ""); a.status != http.StatusConflict {
		t.Errorf("restoring over another bucket: %d", a.status)
	}
	h.must(t, "DELETE", "/b/logs", "")
	if restored := h.must(t, "POST", "/b/logs/restore?generation="+first, ""); text(restored, "labels", "a") != "1" {
		t.Errorf("restored: %v", restored)
	}
	h.now = h.now.Add(8 * 24 * time.Hour)
	if a := h.do(t, "POST", "/b/logs/restore?generation="+second, ""); a.status != http.StatusNotFound {
		t.Errorf("restoring after the time is over: %d", a.status)
	}
}

func TestUpdateLimit(t *testing.T) {
	h := newHarness(t, func(o *Options) { o.LimitUpdates = true })
	h.create(t, "logs", "")
	a := h.do(t, "PATCH", "/b/logs", `{"labels": {"a": "1"}}`)
	if a.status != http.StatusTooManyRequests || a.reason() != "rateLimitExceeded" {
		t.Errorf("at once: %d %s", a.status, a.body)
	}
	if err := h.EditBucket("logs", document{"labels": document{"by": "console"}}); err != nil {
		t.Errorf("in the console: %v", err)
	}
	h.now = h.now.Add(time.Second)
	h.must(t, "PATCH", "/b/logs", `{"labels": {"a": "1"}}`)
}

func TestPolicy(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", `"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`)
	policy := h.must(t, "GET", "/b/logs/iam", "")
	if len(list(policy, "bindings")) != 4 || text(policy, "etag") != "CAE=" {
		t.Errorf("first policy: %v", policy)
	}
	set := h.must(t, "PUT", "/b/logs/iam", `{"etag": "CAE=", "bindings": [{"role": "roles/storage.objectViewer", "members": ["user:a@example.com"]}]}`)
	if len(list(set, "bindings")) != 1 || text(set, "etag") != "CAI=" {
		t.Errorf("policy as set: %v", set)
	}
	held := h.must(t, "GET", "/b/logs/iam/testPermissions?permissions=storage.buckets.get&permissions=storage.objects.list", "")
	if diff := cmp.Diff([]string{"storage.buckets.get", "storage.objects.list"}, texts(held, "permissions")); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
}

func TestDumpAndLoad(t *testing.T) {
	h := newHarness(t)
	h.create(t, "logs", `"labels": {"a": "1"}, `+rule(`{"type": "Delete"}`, `{"age": 0}`))
	h.put(t, "logs", "one", "content")
	gone := text(h.create(t, "gone", ""), "generation")
	h.must(t, "DELETE", "/b/gone", "")
	dump := encode(t, h.Dump())
	other := newHarness(t)
	if err := other.Load(dump); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(dump), string(encode(t, other.Dump()))); diff != "" {
		t.Errorf("dump of what was loaded (-want +got):\n%s", diff)
	}
	if a := other.do(t, "GET", "/b/logs/o/one?alt=media", ""); a.body != "content" {
		t.Errorf("object: %q", a.body)
	}
	other.must(t, "POST", "/b/gone/restore?generation="+gone, "")
	other.put(t, "gone", "one", "content")
	if diff := cmp.Diff([]string{"gone", "logs"}, names(other.must(t, "GET", "/b?project="+testProject, ""))); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	if err := other.Load([]byte("[]")); err == nil {
		t.Error("a list was loaded as a state")
	}
}
