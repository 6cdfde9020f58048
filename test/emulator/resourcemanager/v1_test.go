package resourcemanager_test

import (
	"net/http"
	"regexp"
	"testing"

	pb "cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"google.golang.org/grpc/codes"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

func TestVersion1(t *testing.T) {
	c := start(t)
	const denied = `{\s*"error": {\s*"code": 403,\s*"message": "The caller does not have permission",\s*"status": "PERMISSION_DENIED"\s*}\s*}`
	const made = `"createTime":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","labels":{"team":"shop"},"lifecycleState":"ACTIVE","name":"New","parent":{"id":"7","type":"folder"},"projectId":"new-project","projectNumber":"\d{12}"`
	for _, call := range []struct {
		fact               string
		method, path, body string
		status             int
		want               string
	}{
		{"a project", "GET", "/v1/projects/my-project?prettyPrint=false", "", 200, `{"createTime":"[^"]+","lifecycleState":"ACTIVE","name":"my-project","parent":{"id":"1","type":"organization"},"projectId":"my-project","projectNumber":"123"}`},
		{"a page of them", "GET", "/v1/projects?filter=lifecycleState:ACTIVE&pageSize=1&prettyPrint=false", "", 200, `{"nextPageToken":"[^"]+","projects":\[{.*"projectId":"my-project".*}\]}`},
		{"no page", "GET", "/v1/projects?pageSize=x", "", 400, `(?s).*Request contains an invalid argument.*`},
		{"one that is not there", "GET", "/v1/projects/new-project", "", 403, denied},
		{"making it", "POST", "/v1/projects?prettyPrint=false", `{"projectId": "new-project", "name": "New", "labels": {"team": "shop"}, "parent": {"type": "folder", "id": "7"}}`, 200, `{"name":"operations/cp\.1"}`},
		{"its operation", "GET", "/v1/operations/cp.1?prettyPrint=false", "", 200, `{"name":"operations/cp\.1","metadata":{"@type":"type.googleapis.com/google.cloud.resourcemanager.v3.CreateProjectMetadata"},"done":true,"response":{"@type":"type.googleapis.com/google.cloud.resourcemanager.v3.Project",.*"parent":"folders/7".*}}`},
		{"another operation", "GET", "/v1/operations/cp.2", "", 404, `(?s).*Requested entity was not found.*`},
		{"now it is there", "GET", "/v1/projects/new-project?prettyPrint=false", "", 200, "{" + made + "}"},
		{"making it again", "POST", "/v1/projects", `{"projectId": "new-project"}`, 409, `(?s).*"message": "Requested entity already exists".*`},
		{"making nothing", "POST", "/v1/projects", `{"projectId": "No Project"}`, 400, `(?s).*"status": "INVALID_ARGUMENT".*`},
		{"making nonsense", "POST", "/v1/projects", `[]`, 400, `(?s).*Invalid JSON payload received.*`},
		{"its policy", "POST", "/v1/projects/new-project:getIamPolicy?prettyPrint=false", `{"options": {"requestedPolicyVersion": 3}}`, 200, `{"etag":"ACAB"}`},
		{"setting it", "POST", "/v1/projects/new-project:setIamPolicy?prettyPrint=false", `{"policy": {"etag": "ACAB", "bindings": [{"role": "roles/viewer", "members": ["user:a@example.com"]}]}}`, 200, `{"version":1,"bindings":\[{"role":"roles/viewer","members":\["user:a@example.com"\]}\],"etag":"[^"]{12}"}`},
		{"a stale etag", "POST", "/v1/projects/new-project:setIamPolicy", `{"policy": {"etag": "ACAB"}}`, 409, `(?s).*"status": "ABORTED".*`},
		{"permissions", "POST", "/v1/projects/new-project:testIamPermissions?prettyPrint=false", `{"permissions": ["resourcemanager.projects.get"]}`, 200, `{"permissions":\["resourcemanager.projects.get"\]}`},
		{"deleting it", "DELETE", "/v1/projects/new-project", "", 200, `{}`},
		{"deleting it again", "DELETE", "/v1/projects/new-project", "", 400, `(?s).*"status": "FAILED_PRECONDITION".*`},
		{"a deleted project is still shown", "GET", "/v1/projects/new-project?prettyPrint=false", "", 200, `{.*"lifecycleState":"DELETE_REQUESTED".*}`},
		{"taking that back", "POST", "/v1/projects/new-project:undelete", `{}`, 200, `{}`},
		{"taking it back again", "POST", "/v1/projects/new-project:undelete", `{}`, 400, `(?s).*"status": "FAILED_PRECONDITION".*`},
		{"it is as before", "GET", "/v1/projects/new-project?prettyPrint=false", "", 200, "{" + made + "}"},
		{"a verb that there is not", "POST", "/v1/projects/new-project:rename", `{}`, 404, `(?s).*`},
	} {
		status, answer := c.Send(t, call.method, call.path, call.body)
		if status != call.status || !regexp.MustCompile("^"+call.want+"\n$").MatchString(answer) {
			t.Errorf("%s: %d %s\nwant %d %s", call.fact, status, answer, call.status, call.want)
		}
	}
	for method, want := range map[string]int{
		"Projects.GetProject": 5, "Projects.UndeleteProject": 2, "Projects.SearchProjects": 1, "Projects.CreateProject": 3, "Projects.DeleteProject": 2,
		"Projects.GetIamPolicy": 1, "Projects.SetIamPolicy": 2, "Projects.TestIamPermissions": 1, "Operations.GetOperation": 2,
	} {
		if n := c.control.Count(traffic.Call{Service: "resourcemanager", Method: method}); n != want {
			t.Errorf("%s was counted %d times, want %d", method, n, want)
		}
	}
}

// TestFlagsInQueries: gcloud writes them as Python does.
func TestFlagsInQueries(t *testing.T) {
	c := start(t)
	for flag, want := range map[string]int{"true": 200, "false": 200, "True": 200, "False": 200, "yes": 400} {
		if status, answer := c.Send(t, "GET", "/v3/projects?parent=organizations/1&showDeleted="+flag, ""); status != want {
			t.Errorf("showDeleted=%s: %d %s, want %d", flag, status, answer, want)
		}
	}
}

// TestAncestry is of a project in an organization; what is above a folder is
// not known here.
func TestAncestry(t *testing.T) {
	c := start(t)
	for name, call := range map[string]struct {
		project string
		status  int
		want    string
	}{
		"in the organization": {
			"my-project", 200,
			`{"ancestor":[{"resourceId":{"id":"my-project","type":"project"}},{"resourceId":{"id":"1","type":"organization"}}]}` + "\n",
		},
		"one that is not there": {"nobodys", 403, ""},
	} {
		status, answer := c.Send(t, "POST", "/v1/projects/"+call.project+":getAncestry?prettyPrint=false", "")
		if status != call.status || call.want != "" && answer != call.want {
			t.Errorf("%s: %d %s, want %d %s", name, status, answer, call.status, call.want)
		}
	}
}

func TestVersion1UnderFaults(t *testing.T) {
	c := start(t)
	c.control.Inject(traffic.Fault{Match: traffic.Call{Method: "Projects.GetProject"}, Status: http.StatusServiceUnavailable, Times: 1})
	if status, answer := c.Send(t, "GET", "/v1/projects/my-project", ""); status != http.StatusServiceUnavailable {
		t.Errorf("a refused call: %d %s", status, answer)
	}
	c.control.Inject(traffic.Fault{Match: traffic.Call{Method: "Projects.DeleteProject"}, LoseReply: true, Times: 1})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, c.URL+"/v1/projects/my-project", http.NoBody)
	grpctest.Must(t, err)
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
		t.Errorf("an answer came: %s", response.Status)
	}
	if p, _ := c.registry.Known("my-project"); !p.Deleted {
		t.Error("a call whose answer was lost was not carried out")
	}
}

// TestOperations waits for operations as the real client does.
func TestOperations(t *testing.T) {
	c := start(t)
	client := c.client(t)
	create, err := client.CreateProject(t.Context(), &pb.CreateProjectRequest{Project: &pb.Project{ProjectId: "new-project"}})
	grpctest.Must(t, err)
	project, err := create.Wait(t.Context())
	if err != nil || project.GetProjectId() != "new-project" {
		t.Fatalf("made %v, %v", project, err)
	}
	remove, err := client.DeleteProject(t.Context(), &pb.DeleteProjectRequest{Name: "projects/new-project"})
	grpctest.Must(t, err)
	if project, err = remove.Wait(t.Context()); err != nil || project.GetState() != pb.Project_DELETE_REQUESTED {
		t.Errorf("deleted %v, %v", project, err)
	}
	restore, err := client.UndeleteProject(t.Context(), &pb.UndeleteProjectRequest{Name: "projects/new-project"})
	grpctest.Must(t, err)
	if project, err = restore.Wait(t.Context()); err != nil || project.GetState() != pb.Project_ACTIVE {
		t.Errorf("restored %v, %v", project, err)
	}
	_, err = client.DeleteProject(t.Context(), &pb.DeleteProjectRequest{Name: "projects/theirs"})
	grpctest.WantRefusal(t, err, codes.PermissionDenied, "The caller does not have permission")
}
