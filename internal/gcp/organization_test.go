package gcp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

func TestListsOfAnOrganization(t *testing.T) {
	cloud := emulator.StartTest(t, emulator.Options{Projects: []projects.Project{
		{ID: "direct"}, {ID: "shut-down", Deleted: true}, {ID: "inside", Parent: "folders/1"}, {ID: "theirs", Foreign: true},
	}})
	for _, f := range []projects.Folder{
		{Name: "folders/1", Parent: "organizations/1"}, {Name: "folders/2", Parent: "organizations/1", Deleted: true},
		{Name: "folders/3", Parent: "folders/1", Foreign: true},
	} {
		cloud.Projects.SetFolder(f)
	}
	endpoint := insecure(t, cloud.GRPCAddr())
	clients, err := NewClients(Options{
		Storage: insecure(t, cloud.StorageEndpoint()), PubSub: endpoint, IAM: endpoint, ResourceManager: endpoint, QuotaShare: 100,
		Methods: OrganizationMethods(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clients.Close(); err != nil {
			t.Errorf("closing the clients: %v", err)
		}
	})
	for parent, want := range map[string]struct{ projects, folders []string }{
		"organizations/1": {[]string{"direct"}, []string{"folders/1"}},
		"folders/1":       {[]string{"inside"}, []string{"folders/3"}},
	} {
		inProjects, err := clients.ListProjects(t.Context(), parent)
		if diff := cmp.Diff(want.projects, inProjects); diff != "" || err != nil {
			t.Errorf("projects in %s: %v (-want +got):\n%s", parent, err, diff)
		}
		inFolders, err := clients.ListFolders(t.Context(), parent)
		if diff := cmp.Diff(want.folders, inFolders); diff != "" || err != nil {
			t.Errorf("folders in %s: %v (-want +got):\n%s", parent, err, diff)
		}
	}
	_, err = clients.ListProjects(t.Context(), "folders/3")
	if got := Classify(err); got.Class != kind.Denied || got.Permission != "resourcemanager.projects.list" || got.Resource != "folders/3" || !strings.HasPrefix(err.Error(), "listing the projects in folders/3: ") {
		t.Errorf("a folder that may not be listed: %v", err)
	}
	if _, err = clients.ListFolders(t.Context(), "folders/3"); Classify(err).Permission != "resourcemanager.folders.list" {
		t.Errorf("a folder that may not be listed: %v", err)
	}
}
