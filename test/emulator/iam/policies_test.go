package iam_test

import (
	"net/http"
	"strings"
	"testing"

	goiam "cloud.google.com/go/iam"
	admin "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc/codes"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

const (
	user     = "roles/iam.workloadIdentityUser"
	workload = "serviceAccount:my-project.svc.id.goog[shop/web]"
)

func TestPolicyOfAnAccount(t *testing.T) {
	c := start(t)
	client := c.client(t)
	uid := create(t, client, project, "reader").GetUniqueId()
	byUID := project + "/serviceAccounts/" + uid
	first, err := client.GetIamPolicy(t.Context(), &iampb.GetIamPolicyRequest{Resource: reader})
	if err != nil {
		t.Fatal(err)
	}
	first.Add(workload, user)
	if _, err := client.SetIamPolicy(t.Context(), &admin.SetIamPolicyRequest{Resource: byUID, Policy: first}); err != nil {
		t.Fatal(err)
	}
	_, err = client.SetIamPolicy(t.Context(), &admin.SetIamPolicyRequest{Resource: reader, Policy: first})
	grpctest.WantRefusal(t, err, codes.Aborted, "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.")

	if status, answer := c.send(t, "POST", "/v1/"+reader+":getIamPolicy?options.requestedPolicyVersion=3", ""); status != http.StatusOK || !strings.Contains(answer, `"bindings":[{"role":"roles/iam.workloadIdentityUser","members":["serviceAccount:my-project.svc.id.goog[shop/web]"]}]`) {
		t.Errorf("over REST: %d %s", status, answer)
	}
	grpctest.Must(t, c.service.EditPolicy("reader@my-project.iam.gserviceaccount.com", func(p *iampb.Policy) { policy.Revoke(p, user, workload) }))
	if p, found := c.service.Policy(uid); !found || policy.Has(p, user, workload) {
		t.Errorf("after it was revoked: %v", p)
	}
	grpctest.Must(t, c.service.EditPolicy(uid, func(p *iampb.Policy) {
		policy.Grant(p, "roles/iam.serviceAccountUser", "serviceAccount:reader@my-project.iam.gserviceaccount.com")
	}))
	grpctest.Must(t, c.service.DeleteAccount(uid))
	_, err = client.GetIamPolicy(t.Context(), &iampb.GetIamPolicyRequest{Resource: reader})
	grpctest.WantRefusal(t, err, codes.NotFound, "Unknown service account")
	create(t, client, project, "reader")
	if again, err := client.GetIamPolicy(t.Context(), &iampb.GetIamPolicyRequest{Resource: reader}); err != nil || len(again.InternalProto.GetBindings()) > 0 {
		t.Errorf("the policy of another account of this name: %v, %v", again, err)
	}
	if p, _ := c.service.Policy(uid); !policy.Has(p, "roles/iam.serviceAccountUser", "deleted:serviceAccount:reader@my-project.iam.gserviceaccount.com?uid="+uid) {
		t.Errorf("the policy of the deleted account: %v", p)
	}
}

func TestPermissionsOnAnAccount(t *testing.T) {
	c := start(t)
	client := c.client(t)
	create(t, client, project, "reader")
	grpctest.Must(t, c.registry.Withhold("my-project", "iam.serviceAccounts.setIamPolicy"))
	held, err := client.TestIamPermissions(t.Context(), &iampb.TestIamPermissionsRequest{
		Resource: reader, Permissions: []string{"iam.serviceAccounts.getIamPolicy", "iam.serviceAccounts.setIamPolicy"},
	})
	if err != nil || len(held.GetPermissions()) != 1 || held.GetPermissions()[0] != "iam.serviceAccounts.getIamPolicy" {
		t.Errorf("held: %v, %v", held, err)
	}
	_, err = client.SetIamPolicy(t.Context(), &admin.SetIamPolicyRequest{Resource: reader, Policy: &goiam.Policy{}})
	grpctest.WantRefusal(t, err, codes.PermissionDenied, "Permission 'iam.serviceAccounts.setIamPolicy' denied on resource (or it may not exist).")
}

func TestCallsAreNamed(t *testing.T) {
	c := start(t)
	client := c.client(t)
	create(t, client, project, "reader")
	_, _ = client.GetIamPolicy(t.Context(), &iampb.GetIamPolicyRequest{Resource: "projects/-/serviceAccounts/reader@my-project.iam.gserviceaccount.com"})
	c.send(t, "PATCH", "/v1/"+reader, `{"serviceAccount": {"displayName": "x"}, "updateMask": "displayName"}`)
	c.send(t, "GET", "/v1/projects/123/serviceAccounts", "")
	c.send(t, "DELETE", "/v1/"+project+"/serviceAccounts/missing@my-project.iam.gserviceaccount.com", "")
	for _, call := range []traffic.Call{
		{Service: "iam", Method: "IAM.CreateServiceAccount", Project: "my-project", Resource: "reader"},
		{Service: "iam", Method: "IAM.GetIamPolicy", Project: "my-project", Resource: "reader"},
		{Service: "iam", Method: "IAM.PatchServiceAccount", Project: "my-project", Resource: "reader"},
		{Service: "iam", Method: "IAM.ListServiceAccounts", Project: "my-project"},
		{Service: "iam", Method: "IAM.DeleteServiceAccount", Project: "my-project", Resource: "missing"},
	} {
		if n := c.control.Count(call); n != 1 {
			t.Errorf("%+v: counted %d times", call, n)
		}
	}
	if total := c.control.Total("iam"); total != 5 {
		t.Errorf("%d calls in all: %v", total, c.control.Counts())
	}
}
