package storage

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// roles returns the roles of a list of entries by their entities.
func roles(entries []any) map[string]string {
	all := map[string]string{}
	for _, item := range entries {
		all[text(item.(document), "entity")] = text(item.(document), "role")
	}
	return all
}

func TestAccessListEntries(t *testing.T) {
	for _, field := range []string{"acl", "defaultObjectAcl"} {
		t.Run(field, func(t *testing.T) {
			h := newHarness(t)
			h.create(t, "listed", "")
			path := "/b/listed/" + field
			start := map[string]string{
				"project-owners-111222333444": "OWNER", "project-editors-111222333444": "OWNER", "project-viewers-111222333444": "READER",
			}
			if diff := cmp.Diff(start, roles(list(h.must(t, "GET", path, ""), "items"))); diff != "" {
				t.Errorf("at the start (-want +got):\n%s", diff)
			}
			if a := h.do(t, "GET", path+"/allAuthenticatedUsers", ""); a.status != http.StatusNotFound || a.message() != "The specified key does not exist." {
				t.Errorf("an entity that has no entry: %d %s", a.status, a.message())
			}
			h.must(t, "POST", path, `{"bucket": "listed", "entity": "allAuthenticatedUsers", "role": "READER"}`)
			h.must(t, "PUT", path+"/allAuthenticatedUsers", `{"entity": "allAuthenticatedUsers", "role": "OWNER"}`)
			h.must(t, "PATCH", path+"/project-viewers-111222333444", `{"role": "OWNER"}`)
			h.must(t, "DELETE", path+"/project-editors-111222333444", "")
			want := map[string]string{
				"project-owners-111222333444": "OWNER", "project-viewers-111222333444": "OWNER", "allAuthenticatedUsers": "OWNER",
			}
			shown := h.must(t, "GET", "/b/listed?projection=full", "")
			if diff := cmp.Diff(want, roles(list(shown, field))); diff != "" {
				t.Errorf("at the end (-want +got):\n%s", diff)
			}
			if text(shown, "metageneration") != "5" {
				t.Errorf("metageneration %s after four changes", text(shown, "metageneration"))
			}
		})
	}
}

// TestEmptyAccessList stays empty, though a bucket without a list of its own
// has the usual one.
func TestEmptyAccessList(t *testing.T) {
	h := newHarness(t)
	h.create(t, "listed", `"defaultObjectAcl": [{"entity": "allUsers", "role": "READER"}]`)
	h.must(t, "DELETE", "/b/listed/defaultObjectAcl/allUsers", "")
	h.must(t, "PATCH", "/b/listed", `{"labels": {"a": "1"}}`)
	if got := list(h.must(t, "GET", "/b/listed/defaultObjectAcl", ""), "items"); len(got) > 0 {
		t.Errorf("came back: %v", got)
	}
}

func TestUniformAccessHasNoLists(t *testing.T) {
	h := newHarness(t)
	uniform := `"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`
	for what, shown := range map[string]document{
		"created": h.create(t, "listed", uniform),
		"patched": h.must(t, "PATCH", "/b/listed?projection=full", `{"labels": {"a": "1"}}`),
		"updated": h.must(t, "PUT", "/b/listed", `{`+uniform+`}`),
		"read":    h.must(t, "GET", "/b/listed?projection=full", ""),
	} {
		for _, field := range []string{"acl", "defaultObjectAcl", "owner"} {
			if shown[field] != nil {
				t.Errorf("%s with %s: %v", what, field, shown[field])
			}
		}
	}
}
