package gcp

import (
	"context"
	"fmt"

	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"
	"cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"google.golang.org/api/iterator"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// organizationPage is how many projects or folders are listed with one call. Google allows fewer if it likes.
const organizationPage = 300

// forOrganizations is the case in which folders, and the projects in them, are listed.
const forOrganizations = "`kubectl holdfast import --organization`"

// OrganizationMethods are those of Google's methods that ListProjects and ListFolders call. The operator calls neither.
func OrganizationMethods() []kind.Method {
	return []kind.Method{
		{
			Service: kind.ServiceResourceManager, Name: "Projects.ListProjects", Step: kind.StepList, Scope: kind.ScopeQuotaProject,
			Permissions: []string{"resourcemanager.projects.list"}, For: forOrganizations,
		},
		{
			Service: kind.ServiceResourceManager, Name: "Folders.ListFolders", Step: kind.StepList, Scope: kind.ScopeQuotaProject,
			Permissions: []string{"resourcemanager.folders.list"}, For: forOrganizations,
		},
	}
}

// ListProjects lists the IDs of the active projects that are in an organization or a folder, such as organizations/123, but not in a folder
// of it. https://cloud.google.com/resource-manager/reference/rest/v3/projects/list
func (c *Clients) ListProjects(ctx context.Context, parent string) ([]string, error) {
	return children(ctx, c.Projects, "projects", parent,
		func(client *resourcemanager.ProjectsClient) *iterator.Pager {
			return iterator.NewPager(client.ListProjects(ctx, &resourcemanagerpb.ListProjectsRequest{Parent: parent}), organizationPage, "")
		},
		func(project *resourcemanagerpb.Project) (string, bool) {
			return project.GetProjectId(), project.GetState() == resourcemanagerpb.Project_ACTIVE
		})
}

// ListFolders lists the active folders, such as folders/123, that are in an organization or a folder, but not in a folder of it.
// https://cloud.google.com/resource-manager/reference/rest/v3/folders/list
func (c *Clients) ListFolders(ctx context.Context, parent string) ([]string, error) {
	return children(ctx, c.folders.get, "folders", parent,
		func(client *resourcemanager.FoldersClient) *iterator.Pager {
			return iterator.NewPager(client.ListFolders(ctx, &resourcemanagerpb.ListFoldersRequest{Parent: parent}), organizationPage, "")
		},
		func(folder *resourcemanagerpb.Folder) (string, bool) {
			return folder.GetName(), folder.GetState() == resourcemanagerpb.Folder_ACTIVE
		})
}

// children lists what is in a parent, page by page, by the names of those that count.
func children[C, T any](
	ctx context.Context, client func(ctx context.Context, impersonate string) (C, error), what, parent string,
	pager func(C) *iterator.Pager, name func(T) (string, bool),
) ([]string, error) {
	return With(ctx, client, "", fmt.Sprintf("listing the %s in %s", what, parent), func(client C) ([]string, error) {
		var names []string
		for pages := pager(client); ; {
			var page []T
			next, err := pages.NextPage(&page)
			if err != nil {
				return nil, err
			}
			for _, child := range page {
				if name, counts := name(child); counts {
					names = append(names, name)
				}
			}
			if next == "" {
				return names, nil
			}
		}
	})
}
