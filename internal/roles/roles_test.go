package roles

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

const folder = "../../config/gcp"

// TestConfigHasTheRoles holds config/gcp against what is declared.
func TestConfigHasTheRoles(t *testing.T) {
	got, want := map[string]string{}, map[string]string{}
	files, err := filepath.Glob(filepath.Join(folder, "roles", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(file)] = string(text)
	}
	for _, r := range All() {
		want[r.ID+".yaml"] = r.YAML()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run make manifests: config/gcp/roles differs from what is declared (-declared +written):\n%s", diff)
	}
	readme, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "\n"+Table(All())+"\n") {
		t.Error("run make manifests: the table in config/gcp/README.md differs from what is declared")
	}
	for _, name := range regexp.MustCompile(`holdfast\.[a-z]+(\.[a-zA-Z]+)?\b`).FindAllString(strings.ReplaceAll(string(readme), "holdfast.dev", ""), -1) {
		if _, err := Named(strings.TrimSuffix(name, ".yaml")); err != nil {
			t.Errorf("config/gcp/README.md: %v", err)
		}
	}
}

// TestEveryPermissionIsInARole, once for each kind, and there are no others.
func TestEveryPermissionIsInARole(t *testing.T) {
	declared, granted := map[string]bool{}, map[string]bool{}
	for _, m := range slices.Concat(gcp.Methods(), kinds.Methods()) {
		for _, permission := range m.Permissions {
			declared[permission] = true
		}
	}
	for _, r := range All() {
		for _, permission := range r.Permissions {
			granted[permission] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(declared)), slices.Sorted(maps.Keys(granted))); diff != "" {
		t.Errorf("permissions (-declared +granted):\n%s", diff)
	}
}

// TestObservingOnlyReads: a role to observe has no permission to change anything, and the one to manage none to delete or to grant.
func TestObservingOnlyReads(t *testing.T) {
	reads := regexp.MustCompile(`\.(get|list)[A-Za-z]*$`)
	for _, k := range kinds.All(nil) {
		observe, manage := named(t, k, kind.AccessObserve), named(t, k, kind.AccessManage)
		for _, permission := range observe.Permissions {
			if !reads.MatchString(permission) {
				t.Errorf("%s has %s", observe.ID, permission)
			}
			if !slices.Contains(manage.Permissions, permission) {
				t.Errorf("%s does not have %s, which %s has", manage.ID, permission, observe.ID)
			}
		}
		for _, permission := range manage.Permissions {
			policyAlone := k.Fields == nil
			if strings.HasSuffix(permission, ".delete") || strings.HasSuffix(permission, ".setIamPolicy") && !policyAlone {
				t.Errorf("%s has %s", manage.ID, permission)
			}
		}
	}
}

func named(t *testing.T, k kind.Kind, is kind.Access) Role {
	t.Helper()
	r, err := Named("holdfast." + k.Label() + "." + string(is))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestGoogleTakesTheRoles, as far as it says what it takes: https://cloud.google.com/iam/docs/reference/rest/v1/projects.roles.
func TestGoogleTakesTheRoles(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range All() {
		if !regexp.MustCompile(`^[a-zA-Z0-9_.]{3,64}$`).MatchString(r.ID) || ids[r.ID] {
			t.Errorf("the ID %q is not one, or there already", r.ID)
		}
		ids[r.ID] = true
		if len(r.Title) > 100 || len(r.Description) > 256 || len(r.Permissions) == 0 {
			t.Errorf("%s: the title has %d bytes, the description %d, and there are %d permissions", r.ID, len(r.Title), len(r.Description), len(r.Permissions))
		}
		if strings.ContainsAny(r.Title+r.Description, "{}`") {
			t.Errorf("%s: %q, %q", r.ID, r.Title, r.Description)
		}
	}
}
