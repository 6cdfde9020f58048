package storage

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// aspectSamples are valid values for the fields of a bucket.
var aspectSamples = map[string][]any{
	"labels":                {document{"a": "1"}, document{"team": "x", "cost-centre": ""}, document{}},
	"storageClass":          {"STANDARD", "nearline", "ARCHIVE"},
	"versioning":            {document{"enabled": true}, document{"enabled": false}, document{}},
	"softDeletePolicy":      {document{"retentionDurationSeconds": "0"}, document{"retentionDurationSeconds": "864000"}, document{}},
	"retentionPolicy":       {document{"retentionPeriod": "3600"}, document{}},
	"cors":                  {[]any{document{"origin": []any{"*"}, "maxAgeSeconds": number(60)}}, []any{}},
	"website":               {document{"mainPageSuffix": "index.html"}, document{}},
	"logging":               {document{"logBucket": "all-logs"}, document{"logBucket": "all-logs", "logObjectPrefix": "p"}},
	"billing":               {document{"requesterPays": true}},
	"defaultEventBasedHold": {true, false},
	"iamConfiguration": {
		document{"uniformBucketLevelAccess": document{"enabled": true}},
		document{"publicAccessPrevention": "enforced"},
		document{"bucketPolicyOnly": document{"enabled": true}},
	},
	"encryption": {document{"defaultKmsKeyName": "projects/p/locations/us/keyRings/r/cryptoKeys/k"}},
	"ipFilter":   {document{"mode": "Disabled"}},
	"rpo":        {"DEFAULT"},
	"lifecycle": {
		document{"rule": []any{}},
		document{"rule": []any{document{
			"action":    document{"type": "SetStorageClass", "storageClass": "coldline"},
			"condition": document{"age": number(0), "matchesPrefix": []any{}, "isLive": true},
		}}},
	},
}

// drawFields draws some of the fields of a bucket.
func drawFields(t *rapid.T, name string) document {
	drawn := document{}
	for field := range rapid.MapOf(rapid.SampledFrom(sortedFields), rapid.Bool()).Draw(t, name) {
		drawn[field] = rapid.SampledFrom(aspectSamples[field]).Draw(t, field)
	}
	return drawn
}

var sortedFields = func() []string {
	var fields []string
	for field := range maps.Keys(aspectSamples) {
		fields = append(fields, field)
	}
	return fields
}()

// TestReadingAndWritingBackChangesNothing: what a client read it can send
// back, as a patch and as an update.
func TestReadingAndWritingBackChangesNothing(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		config, err := newConfig("drawn", drawFields(t, "fields"), false, now)
		if err != nil {
			t.Fatalf("creating: %v", err)
		}
		b := bucket{Name: "drawn", Config: config, Metageneration: 1, Created: now, Updated: now}
		read, err := normalize(b.render(false), bucketType)
		if err != nil {
			t.Fatalf("what is shown is not of the API's form: %v", err)
		}
		for verb, decide := range map[string]func(string, document, document, time.Time) (document, error){
			http.MethodPatch: patchedConfig, http.MethodPut: replacedConfig,
		} {
			again, err := decide("drawn", config, read, now.Add(time.Hour))
			if err != nil {
				t.Fatalf("%s: %v", verb, err)
			}
			if diff := cmp.Diff(config, again); diff != "" {
				t.Fatalf("%s (-before +after):\n%s", verb, diff)
			}
		}
	})
}

// TestPatchesLeaveTheRestAlone: a patch of some fields changes no others,
// and changes nothing in place.
func TestPatchesLeaveTheRestAlone(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		config, err := newConfig("drawn", drawFields(t, "fields"), false, now)
		if err != nil {
			t.Fatalf("creating: %v", err)
		}
		before := clone(config)
		patch := drawFields(t, "patch")
		after, err := patchedConfig("drawn", config, patch, now)
		if err != nil {
			t.Fatalf("patching: %v", err)
		}
		if diff := cmp.Diff(before, config); diff != "" {
			t.Fatalf("the old configuration was changed (-before +after):\n%s", diff)
		}
		for field := range patch {
			delete(before, field)
			delete(after, field)
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("fields that the patch %v does not have (-before +after):\n%s", patch, diff)
		}
	})
}

// FuzzWrite: whatever is sent, the answer is never a failure of the service.
func FuzzWrite(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"labels": {"a": null}}`, `{"lifecycle": {"rule": [{}]}}`, `{"acl": [null]}`, `{"acl": [{}]}`,
		`{"iamConfiguration": null}`, `{"retentionPolicy": {"retentionPeriod": "1"}}`, `{"cors": [null]}`, `null`, `[]`,
		`{"lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": null, "matchesPrefix": [null]}}]}}`,
		`{"encryption": {"googleManagedEncryptionEnforcementConfig": {"restrictionMode": "FullyRestricted"}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		h := newHarness(t)
		h.create(t, "fuzzed", "")
		h.put(t, "fuzzed", "one", "1")
		for verb, path := range map[string]string{
			"PATCH": "/b/fuzzed", "PUT": "/b/fuzzed/iam", "POST": "/b?project=" + testProject,
		} {
			if a := h.do(t, verb, path, body); a.status >= http.StatusInternalServerError {
				t.Errorf("%s %s %q: %d %s", verb, path, body, a.status, a.body)
			}
		}
		if a := h.do(t, "PATCH", "/b/fuzzed/o/one", body); a.status >= http.StatusInternalServerError {
			t.Errorf("patching the object by %q: %d %s", body, a.status, a.body)
		}
		h.must(t, "GET", "/b/fuzzed?projection=full", "")
	})
}

func TestSelectFields(t *testing.T) {
	doc := document{
		"kind": "k", "nextPageToken": "t",
		"items": []any{document{"name": "a", "size": "1", "owner": document{"entity": "e", "x": "y"}}},
	}
	for fields, want := range map[string]document{
		"":                               doc,
		"kind":                           {"kind": "k"},
		"items/name":                     {"items": []any{document{"name": "a"}}},
		"items/name,items/size,kind":     {"kind": "k", "items": []any{document{"name": "a", "size": "1"}}},
		"items(name,size),nextPageToken": {"nextPageToken": "t", "items": []any{document{"name": "a", "size": "1"}}},
		"items/owner/entity":             {"items": []any{document{"owner": document{"entity": "e"}}}},
		"items(owner(entity)),kind":      {"kind": "k", "items": []any{document{"owner": document{"entity": "e"}}}},
		"items(owner/entity,name),kind":  {"kind": "k", "items": []any{document{"owner": document{"entity": "e"}, "name": "a"}}},
		"items/owner(entity,x)":          {"items": []any{document{"owner": document{"entity": "e", "x": "y"}}}},
		"items/*":                        {"items": doc["items"]},
		"nothing":                        {},
	} {
		if diff := cmp.Diff(want, selectFields(doc, fields)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", fields, diff)
		}
	}
}
