package storage

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hierarchical = `"hierarchicalNamespace": {"enabled": true}, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`

// folderNames returns what a list of folders has.
func folderNames(t *testing.T, h *harness, path string) []string {
	t.Helper()
	var names []string
	for _, item := range list(h.must(t, "GET", path, ""), "items") {
		names = append(names, text(item.(document), "name"))
	}
	return names
}

func TestFolders(t *testing.T) {
	h := newHarness(t)
	h.create(t, "kept", hierarchical)
	one := func(name string) string { return "/b/kept/folders/" + url.PathEscape(name) }
	refused := func(what string, status int, a answer) {
		t.Helper()
		if a.status != status {
			t.Errorf("%s: %d %s, want %d", what, a.status, a.body, status)
		}
	}
	h.put(t, "kept", "a/b/object", "1")
	h.must(t, "POST", "/b/kept/folders", `{"name": "a/c"}`)
	refused("a folder in one that is not there", http.StatusNotFound, h.do(t, "POST", "/b/kept/folders", `{"name": "d/e/"}`))
	h.must(t, "POST", "/b/kept/folders?recursive=true", `{"name": "d/e/"}`)
	refused("one that is there", http.StatusConflict, h.do(t, "POST", "/b/kept/folders", `{"name": "d/e/"}`))
	refused("one without a name", http.StatusBadRequest, h.do(t, "POST", "/b/kept/folders", `{}`))
	if diff := cmp.Diff([]string{"a/", "a/b/", "a/c/", "d/", "d/e/"}, folderNames(t, h, "/b/kept/folders")); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a/", "a/b/"}, folderNames(t, h, "/b/kept/folders?prefix=a/&pageSize=2")); diff != "" {
		t.Errorf("a page (-want +got):\n%s", diff)
	}
	h.must(t, "GET", one("a/b/"), "")
	refused("one with an object", http.StatusConflict, h.do(t, "DELETE", one("a/b/"), ""))
	h.must(t, "DELETE", "/b/kept/o/"+url.PathEscape("a/b/object"), "")
	refused("one with folders", http.StatusConflict, h.do(t, "DELETE", one("a/"), ""))
	refused("a bucket with folders only", http.StatusConflict, h.do(t, "DELETE", "/b/kept", ""))
	for _, name := range []string{"a/b/", "a/c/", "a/", "d/e/", "d/"} {
		h.must(t, "DELETE", one(name), "")
		refused("one that is gone", http.StatusNotFound, h.do(t, "DELETE", one(name), ""))
		refused("one that is gone", http.StatusNotFound, h.do(t, "GET", one(name), ""))
	}
	h.must(t, "POST", "/b/kept/folders", `{"name": "m/"}`)
	h.must(t, "POST", "/b/kept/managedFolders", `{"name": "m/"}`)
	refused("one that is not as it was", http.StatusPreconditionFailed, h.do(t, "DELETE", one("m/")+"?ifMetagenerationMatch=2", ""))
	h.must(t, "DELETE", one("m/")+"?ifMetagenerationMatch=1", "")
	if left := folderNames(t, h, "/b/kept/managedFolders"); len(left) > 0 {
		t.Errorf("with the folder goes the managed one; there are %q", left)
	}
	h.must(t, "DELETE", "/b/kept", "")
}

func TestManagedFolders(t *testing.T) {
	h := newHarness(t)
	h.create(t, "kept", `"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}`)
	h.create(t, "plain", "")
	h.put(t, "kept", "a/object", "1")
	h.must(t, "POST", "/b/kept/managedFolders", `{"name": "a/"}`)
	if diff := cmp.Diff([]string{"a/"}, folderNames(t, h, "/b/kept/managedFolders")); diff != "" {
		t.Errorf("managed folders (-want +got):\n%s", diff)
	}
	one := "/b/kept/managedFolders/" + url.PathEscape("a/")
	for _, c := range []struct {
		fact, verb, path string
		status           int
	}{
		{"without uniform access", "GET", "/b/plain/managedFolders", http.StatusPreconditionFailed},
		{"folders without a hierarchy", "GET", "/b/kept/folders", http.StatusConflict},
		{"one with an object", "DELETE", one, http.StatusConflict},
		{"even so", "DELETE", one + "?allowNonEmpty=true", http.StatusNoContent},
		{"again", "DELETE", one, http.StatusNotFound},
	} {
		if a := h.do(t, c.verb, c.path, ""); a.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.fact, a.status, a.body, c.status)
		}
	}
	h.must(t, "POST", "/b/kept/managedFolders", `{"name": "b/"}`)
	h.must(t, "POST", "/b/kept/managedFolders", `{"name": "b/c/"}`)
	if a := h.do(t, "DELETE", "/b/kept/managedFolders/"+url.PathEscape("b/"), ""); a.status != http.StatusConflict {
		t.Errorf("one with another in it: %d", a.status)
	}
	h.must(t, "DELETE", "/b/kept/o/"+url.PathEscape("a/object"), "")
	if a := h.do(t, "DELETE", "/b/kept", ""); a.status != http.StatusConflict {
		t.Errorf("a bucket with a managed folder: %d", a.status)
	}
}
