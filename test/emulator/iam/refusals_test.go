package iam_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	admin "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/iterator"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/iam"
)

func create(t *testing.T, client *admin.IamClient, project, id string) *adminpb.ServiceAccount {
	t.Helper()
	created, err := client.CreateServiceAccount(t.Context(), &adminpb.CreateServiceAccountRequest{Name: project, AccountId: id})
	if err != nil {
		t.Fatalf("creating %s: %v", id, err)
	}
	return created
}

func TestRefusals(t *testing.T) {
	c := start(t)
	client := c.client(t)
	create(t, client, project, "reader")
	createAs := func(project, id string, a *adminpb.ServiceAccount) func() error {
		return func() error {
			_, err := client.CreateServiceAccount(t.Context(), &adminpb.CreateServiceAccountRequest{Name: project, AccountId: id, ServiceAccount: a})
			return err
		}
	}
	get := func(name string) func() error {
		return func() error {
			_, err := client.GetServiceAccount(t.Context(), &adminpb.GetServiceAccountRequest{Name: name})
			return err
		}
	}
	patch := func(name string, paths ...string) func() error {
		return func() error {
			_, err := client.PatchServiceAccount(t.Context(), &adminpb.PatchServiceAccountRequest{
				ServiceAccount: &adminpb.ServiceAccount{Name: name, DisplayName: "x"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths},
			})
			return err
		}
	}
	list := func(request *adminpb.ListServiceAccountsRequest) func() error {
		return func() error {
			_, err := client.ListServiceAccounts(t.Context(), request).Next()
			return err
		}
	}
	const missing = project + "/serviceAccounts/missing@my-project.iam.gserviceaccount.com"
	for name, c := range map[string]struct {
		call    func() error
		code    codes.Code
		message string
	}{
		"five letters":         {createAs(project, "short", nil), codes.InvalidArgument, `The account ID "short" does not have a length between 6 and 30.`},
		"31 letters":           {createAs(project, strings.Repeat("a", 31), nil), codes.InvalidArgument, `The account ID "` + strings.Repeat("a", 31) + `" does not have a length between 6 and 30.`},
		"a capital":            {createAs(project, "Reader", nil), codes.InvalidArgument, `The account ID "Reader" must match the regular expression [a-z]([-a-z0-9]*[a-z0-9]).`},
		"a hyphen at the end":  {createAs(project, "reader-", nil), codes.InvalidArgument, `The account ID "reader-" must match the regular expression [a-z]([-a-z0-9]*[a-z0-9]).`},
		"a long display name":  {createAs(project, "writer", &adminpb.ServiceAccount{DisplayName: strings.Repeat("é", 51)}), codes.InvalidArgument, "The display name must be at most 100 UTF-8 bytes long."},
		"a long description":   {createAs(project, "writer", &adminpb.ServiceAccount{Description: strings.Repeat("d", 257)}), codes.InvalidArgument, "The description must be at most 256 UTF-8 bytes long."},
		"one that is there":    {createAs(project, "reader", nil), codes.AlreadyExists, "Service account reader already exists within project projects/my-project."},
		"in others' project":   {createAs("projects/theirs", "reader", nil), codes.PermissionDenied, "Permission 'iam.serviceAccounts.create' denied on resource (or it may not exist)."},
		"in no project":        {createAs("my-project", "reader", nil), codes.InvalidArgument, `Invalid project name "my-project": want projects/PROJECT_ID.`},
		"not there":            {get(missing), codes.NotFound, "Unknown service account"},
		"not there, anywhere":  {get("projects/-/serviceAccounts/missing@my-project.iam.gserviceaccount.com"), codes.PermissionDenied, "Permission 'iam.serviceAccounts.get' denied on resource (or it may not exist)."},
		"of another project":   {get("projects/example.com:scoped/serviceAccounts/reader@my-project.iam.gserviceaccount.com"), codes.NotFound, "Unknown service account"},
		"in a strange project": {get("projects/nowhere/serviceAccounts/reader@my-project.iam.gserviceaccount.com"), codes.PermissionDenied, "Permission 'iam.serviceAccounts.get' denied on resource (or it may not exist)."},
		"no name":              {get("projects/my-project/accounts/reader"), codes.InvalidArgument, `Invalid service account name "projects/my-project/accounts/reader": want projects/PROJECT_ID/serviceAccounts/ACCOUNT.`},
		"no mask":              {patch(reader), codes.InvalidArgument, "The update mask must be set."},
		"a mask of outputs":    {patch(reader, "display_name", "disabled"), codes.InvalidArgument, "Invalid update mask: disabled cannot be updated, only display_name and description."},
		"patching nothing":     {patch(missing, "display_name"), codes.NotFound, "Unknown service account"},
		"no page":              {list(&adminpb.ListServiceAccountsRequest{Name: project, PageToken: "?"}), codes.InvalidArgument, "Request contains an invalid argument."},
		"others' accounts":     {list(&adminpb.ListServiceAccountsRequest{Name: "projects/theirs"}), codes.PermissionDenied, "Permission 'iam.serviceAccounts.list' denied on resource (or it may not exist)."},
		"deleting nothing": {
			func() error {
				return client.DeleteServiceAccount(t.Context(), &adminpb.DeleteServiceAccountRequest{Name: missing})
			}, codes.NotFound, "Unknown service account",
		},
	} {
		t.Run(name, func(t *testing.T) { grpctest.WantRefusal(t, c.call(), c.code, c.message) })
	}
}

func TestUndeleting(t *testing.T) {
	c := start(t)
	client := c.client(t)
	undelete := func(key string) error {
		_, err := client.UndeleteServiceAccount(t.Context(), &adminpb.UndeleteServiceAccountRequest{Name: "projects/-/serviceAccounts/" + key})
		return err
	}
	first := create(t, client, project, "reader")
	grpctest.WantRefusal(t, undelete(first.GetUniqueId()), codes.FailedPrecondition, "Service account "+first.GetUniqueId()+" is not deleted.")
	grpctest.Must(t, c.service.DeleteAccount(first.GetEmail()))
	grpctest.WantRefusal(t, undelete(first.GetEmail()), codes.PermissionDenied, "Permission 'iam.serviceAccounts.undelete' denied on resource (or it may not exist).")
	second := create(t, client, project, "reader")
	if second.GetUniqueId() == first.GetUniqueId() {
		t.Errorf("both are %s", first.GetUniqueId())
	}
	grpctest.WantRefusal(t, undelete(first.GetUniqueId()), codes.FailedPrecondition,
		"Service account "+first.GetUniqueId()+" cannot be undeleted, since another one with the e-mail address "+first.GetEmail()+" exists.")
	grpctest.Must(t, c.service.DeleteAccount(second.GetUniqueId()))
	c.now = c.now.Add(30*24*time.Hour - time.Second)
	grpctest.Must(t, undelete(first.GetUniqueId()))
	c.now = c.now.Add(time.Second)
	grpctest.Must(t, c.service.DeleteAccount(first.GetUniqueId()))
	grpctest.WantRefusal(t, undelete(second.GetUniqueId()), codes.NotFound, "Unknown service account")
}

func TestQuota(t *testing.T) {
	c := start(t)
	client := c.client(t)
	for i := range iam.DefaultQuota {
		create(t, client, project, fmt.Sprintf("account-%d", i))
	}
	_, err := client.CreateServiceAccount(t.Context(), &adminpb.CreateServiceAccountRequest{Name: project, AccountId: "one-more"})
	grpctest.WantRefusal(t, err, codes.ResourceExhausted, "Maximum number of service accounts on project reached.")
	if retry, ok := status.Convert(err).Details()[0].(*errdetails.RetryInfo); !ok || retry.GetRetryDelay().GetSeconds() != 86401 {
		t.Errorf("details %v", status.Convert(err).Details())
	}
	create(t, client, "projects/example.com:scoped", "elsewhere")
	deleted := "account-0@my-project.iam.gserviceaccount.com"
	uid, _ := c.service.Account(deleted)
	grpctest.Must(t, c.service.DeleteAccount(deleted))
	create(t, client, project, "one-more")
	grpctest.WantRefusal(t, c.service.UndeleteAccount(uid.GetUniqueId()), codes.ResourceExhausted, "Maximum number of service accounts on project reached.")
	c.service.Set(iam.Settings{Quota: iam.DefaultQuota + 1})
	grpctest.Must(t, c.service.UndeleteAccount(uid.GetUniqueId()))
}

func TestPages(t *testing.T) {
	c := start(t)
	client := c.client(t)
	var want, got []string
	for i := range 45 {
		want = append(want, create(t, client, project, fmt.Sprintf("account-%02d", i)).GetEmail())
	}
	create(t, client, "projects/example.com:scoped", "elsewhere")
	accounts := client.ListServiceAccounts(t.Context(), &adminpb.ListServiceAccountsRequest{Name: project})
	pager := iterator.NewPager(accounts, 20, "")
	var sizes []int
	for token := "x"; token != ""; {
		var part []*adminpb.ServiceAccount
		var err error
		if token, err = pager.NextPage(&part); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(part))
		for _, a := range part {
			got = append(got, a.GetEmail())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{20, 20, 5}, sizes); diff != "" {
		t.Errorf("sizes of pages (-want +got):\n%s", diff)
	}
}

func TestProjectInADomain(t *testing.T) {
	c := start(t)
	created := create(t, c.client(t), "projects/example.com:scoped", "reader")
	want := "reader@scoped.example.com.iam.gserviceaccount.com"
	if created.GetEmail() != want || created.GetName() != "projects/example.com:scoped/serviceAccounts/"+want {
		t.Errorf("created %v", created)
	}
}

// TestVisibility: a new account is there, but nobody finds it for a while.
func TestVisibility(t *testing.T) {
	c := start(t)
	client := c.client(t)
	c.service.Set(iam.Settings{Quota: 1, VisibilityDelay: time.Minute})
	create(t, client, project, "reader")
	_, err := client.GetServiceAccount(t.Context(), &adminpb.GetServiceAccountRequest{Name: reader})
	grpctest.WantRefusal(t, err, codes.NotFound, "Service account "+reader+" does not exist.")
	if _, err := client.ListServiceAccounts(t.Context(), &adminpb.ListServiceAccountsRequest{Name: project}).Next(); !errors.Is(err, iterator.Done) {
		t.Errorf("listed already: %v", err)
	}
	grpctest.WantRefusal(t, client.DisableServiceAccount(t.Context(), &adminpb.DisableServiceAccountRequest{Name: reader}), codes.NotFound, "Service account "+reader+" does not exist.")
	_, err = client.CreateServiceAccount(t.Context(), &adminpb.CreateServiceAccountRequest{Name: project, AccountId: "reader"})
	grpctest.WantRefusal(t, err, codes.AlreadyExists, "Service account reader already exists within project projects/my-project.")
	c.now = c.now.Add(time.Minute)
	if _, err := client.GetServiceAccount(t.Context(), &adminpb.GetServiceAccountRequest{Name: reader}); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// TestSightings has calls about a new account in the order in which Google was
// seen to answer them.
func TestSightings(t *testing.T) {
	c := start(t)
	client := c.client(t)
	c.service.Set(iam.Settings{Quota: 1, Sightings: iam.RecordedSightings()})
	create(t, client, project, "reader")
	get := func() codes.Code {
		_, err := client.GetServiceAccount(t.Context(), &adminpb.GetServiceAccountRequest{Name: reader})
		return status.Code(err)
	}
	createAgain := func() codes.Code {
		_, err := client.CreateServiceAccount(t.Context(), &adminpb.CreateServiceAccountRequest{Name: project, AccountId: "reader"})
		return status.Code(err)
	}
	disable := func() codes.Code {
		return status.Code(client.DisableServiceAccount(t.Context(), &adminpb.DisableServiceAccountRequest{Name: reader}))
	}
	for i, call := range []struct {
		do   func() codes.Code
		want codes.Code
	}{
		{get, codes.OK}, {get, codes.NotFound}, {get, codes.OK}, {disable, codes.NotFound},
		{createAgain, codes.AlreadyExists}, {get, codes.NotFound}, {createAgain, codes.AlreadyExists}, {get, codes.NotFound},
		{get, codes.OK}, {disable, codes.OK}, {get, codes.OK},
	} {
		if got := call.do(); got != call.want {
			t.Errorf("call %d: %v, want %v", i+1, got, call.want)
		}
	}
	if _, found := c.service.Account("reader@my-project.iam.gserviceaccount.com"); !found {
		t.Error("not there in the console")
	}
}

func TestErrorsOverREST(t *testing.T) {
	c := start(t)
	for name, call := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"not there": {
			"GET", "/v1/" + reader, "", http.StatusNotFound,
			`{"error":{"code":404,"errors":[{"domain":"global","message":"Unknown service account","reason":"notFound"}],"message":"Unknown service account","status":"NOT_FOUND"}}`,
		},
		"no account": {
			"POST", "/v1/" + project + "/serviceAccounts", `{"accountId": "x"}`, http.StatusBadRequest,
			`{"error":{"code":400,"errors":[{"domain":"global","message":"The account ID \"x\" does not have a length between 6 and 30.","reason":"badRequest"}],"message":"The account ID \"x\" does not have a length between 6 and 30.","status":"INVALID_ARGUMENT"}}`,
		},
		"keys": {
			"GET", "/v1/" + reader + "/keys", "", http.StatusNotImplemented,
			`{"error":{"code":501,"errors":[{"domain":"global","message":"method ListServiceAccountKeys not implemented","reason":"notImplemented"}],"message":"method ListServiceAccountKeys not implemented","status":"UNIMPLEMENTED"}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := c.send(t, call.method, call.path, call.body)
			if status != call.status || answer != call.want {
				t.Errorf("%d %s\nwant %d %s", status, answer, call.status, call.want)
			}
		})
	}
}
