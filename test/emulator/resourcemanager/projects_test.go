package resourcemanager_test

import (
	"errors"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	apiv3 "cloud.google.com/go/resourcemanager/apiv3"
	pb "cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"github.com/google/go-cmp/cmp"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/holdfast-dev/holdfast/test/emulator/resourcemanager"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

func TestGetProject(t *testing.T) {
	eachTransport(t, func(t *testing.T, c *cloud, client *apiv3.ProjectsClient) {
		t.Helper()
		want := &pb.Project{
			Name: "projects/123", ProjectId: "my-project", DisplayName: "my-project",
			State: pb.Project_ACTIVE, Parent: resourcemanager.Organization,
		}
		for _, name := range []string{"projects/my-project", "projects/123"} {
			got, err := client.GetProject(t.Context(), &pb.GetProjectRequest{Name: name})
			if err != nil {
				t.Fatal(err)
			}
			ignored := protocmp.IgnoreFields(&pb.Project{}, "create_time", "update_time", "etag")
			if diff := cmp.Diff(want, got, protocmp.Transform(), ignored); diff != "" {
				t.Errorf("project (-want +got):\n%s", diff)
			}
			if got.GetCreateTime() == nil || got.GetEtag() == "" {
				t.Errorf("project without a time of creation or an etag: %v", got)
			}
		}
		call := traffic.Call{Service: "resourcemanager", Method: "Projects.GetProject", Project: "my-project", Resource: "my-project"}
		if n := c.control.Count(call); n != 2 {
			t.Errorf("%d calls were counted, want 2", n)
		}
	})
}

func TestProjectsOutOfReach(t *testing.T) {
	eachTransport(t, func(t *testing.T, _ *cloud, client *apiv3.ProjectsClient) {
		t.Helper()
		for _, name := range []string{"projects/unknown", "projects/theirs", "projects/456", "projects/789"} {
			_, err := client.GetProject(t.Context(), &pb.GetProjectRequest{Name: name})
			if got := status.Convert(err); got.Code() != codes.PermissionDenied || got.Message() != "The caller does not have permission" {
				t.Errorf("%s: got %v", name, err)
			}
			var detailed *apierror.APIError
			if !errors.As(err, &detailed) {
				t.Fatalf("%s: got %T", name, err)
			}
			if detailed.Reason() != "IAM_PERMISSION_DENIED" || detailed.Domain() != "cloudresourcemanager.googleapis.com" {
				t.Errorf("%s: reason %q of %q", name, detailed.Reason(), detailed.Domain())
			}
			want := map[string]string{"permission": "resourcemanager.projects.get", "resource": name}
			if diff := cmp.Diff(want, detailed.Metadata()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			response, err := client.TestIamPermissions(t.Context(), &iampb.TestIamPermissionsRequest{Resource: name, Permissions: []string{"resourcemanager.projects.get"}})
			if err != nil || len(response.GetPermissions()) > 0 {
				t.Errorf("permissions on %s: %v, %v", name, response, err)
			}
		}
	})
}

func TestSearchAndList(t *testing.T) {
	queries := map[string][]string{
		"":                            {"my-project", "other-project"},
		"id:my-*":                     {"my-project"},
		"projectId=OTHER-project":     {"other-project"},
		"name:*project":               nil,
		"state:ACTIVE id:my-project":  {"my-project"},
		"state:DELETE_REQUESTED id:*": nil,
		"parent:organizations/1":      {"my-project", "other-project"},
		"parent.type:organization parent.id:1 lifecycleState:ACTIVE": {"my-project", "other-project"},
		"labels.team:shop": {"other-project"},
		"labels.team:*":    {"other-project"},
	}
	eachTransport(t, func(t *testing.T, _ *cloud, client *apiv3.ProjectsClient) {
		t.Helper()
		for query, want := range queries {
			got := collect(t, client.SearchProjects(t.Context(), &pb.SearchProjectsRequest{Query: query, PageSize: 1}))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("search %q (-want +got):\n%s", query, diff)
			}
		}
		if _, err := client.SearchProjects(t.Context(), &pb.SearchProjectsRequest{Query: "colour:red"}).Next(); status.Code(err) != codes.InvalidArgument {
			t.Errorf("a query that makes no sense: %v", err)
		}
		got := collect(t, client.ListProjects(t.Context(), &pb.ListProjectsRequest{Parent: resourcemanager.Organization}))
		if diff := cmp.Diff(queries[""], got); diff != "" {
			t.Errorf("list (-want +got):\n%s", diff)
		}
		if _, err := client.ListProjects(t.Context(), &pb.ListProjectsRequest{Parent: "folders/1"}).Next(); status.Code(err) != codes.PermissionDenied {
			t.Errorf("list of an unknown parent: %v", err)
		}
	})
}

// collect returns the IDs of the projects of a list.
func collect(t *testing.T, list *apiv3.ProjectIterator) []string {
	t.Helper()
	var ids []string
	for {
		project, err := list.Next()
		if errors.Is(err, iterator.Done) {
			return ids
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, project.GetProjectId())
	}
}
