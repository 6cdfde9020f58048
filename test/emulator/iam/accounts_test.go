package iam_test

import (
	"errors"
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
)

const (
	project = "projects/my-project"
	reader  = project + "/serviceAccounts/reader@my-project.iam.gserviceaccount.com"
)

// noEtag leaves out the field that Google deprecates.
var noEtag = protocmp.IgnoreFields(&adminpb.ServiceAccount{}, "etag")

func TestLifeOfAnAccount(t *testing.T) {
	c := start(t)
	client := c.client(t)
	created, err := client.CreateServiceAccount(t.Context(), &adminpb.CreateServiceAccountRequest{
		Name: project, AccountId: "reader", ServiceAccount: &adminpb.ServiceAccount{DisplayName: "Reader", Description: "Reads."},
	})
	if err != nil {
		t.Fatal(err)
	}
	uid := created.GetUniqueId()
	want := &adminpb.ServiceAccount{
		Name: reader, ProjectId: "my-project", UniqueId: uid, Email: "reader@my-project.iam.gserviceaccount.com",
		DisplayName: "Reader", Description: "Reads.", Oauth2ClientId: uid,
	}
	if diff := cmp.Diff(want, created, protocmp.Transform(), noEtag); diff != "" || len(uid) != 21 {
		t.Errorf("created with unique ID %q (-want +got):\n%s", uid, diff)
	}
	for _, name := range []string{
		reader, "projects/-/serviceAccounts/reader@my-project.iam.gserviceaccount.com",
		"projects/my-project/serviceAccounts/" + uid, "projects/-/serviceAccounts/" + uid,
	} {
		got, err := client.GetServiceAccount(t.Context(), &adminpb.GetServiceAccountRequest{Name: name})
		if diff := cmp.Diff(want, got, protocmp.Transform(), noEtag); err != nil || diff != "" {
			t.Errorf("getting %s: %v (-want +got):\n%s", name, err, diff)
		}
	}

	patched, err := client.PatchServiceAccount(t.Context(), &adminpb.PatchServiceAccountRequest{
		ServiceAccount: &adminpb.ServiceAccount{Name: reader, DisplayName: "R", Description: "not in the mask"},
		UpdateMask:     &fieldmaskpb.FieldMask{Paths: []string{"display_name"}},
	})
	if diff := cmp.Diff(&adminpb.ServiceAccount{Name: reader, DisplayName: "R"}, patched, protocmp.Transform()); err != nil || diff != "" {
		t.Errorf("patching: %v (-want +got):\n%s", err, diff)
	}
	updated := &adminpb.ServiceAccount{Name: reader, DisplayName: "R2", Description: "not updated by this call"}
	want.DisplayName = "R2"
	if updated, err = client.UpdateServiceAccount(t.Context(), updated); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, updated, protocmp.Transform(), noEtag); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	if err := client.DisableServiceAccount(t.Context(), &adminpb.DisableServiceAccountRequest{Name: reader}); err != nil {
		t.Fatal(err)
	}
	want.Disabled = true
	list := client.ListServiceAccounts(t.Context(), &adminpb.ListServiceAccountsRequest{Name: project})
	listed, err := list.Next()
	if diff := cmp.Diff(want, listed, protocmp.Transform(), noEtag); err != nil || diff != "" {
		t.Errorf("listing: %v (-want +got):\n%s", err, diff)
	}
	if _, err := list.Next(); !errors.Is(err, iterator.Done) {
		t.Errorf("listing further: %v", err)
	}
	if err := client.EnableServiceAccount(t.Context(), &adminpb.EnableServiceAccountRequest{Name: reader}); err != nil {
		t.Fatal(err)
	}

	if err := client.DeleteServiceAccount(t.Context(), &adminpb.DeleteServiceAccountRequest{Name: reader}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{reader, "projects/my-project/serviceAccounts/" + uid} {
		_, err := client.GetServiceAccount(t.Context(), &adminpb.GetServiceAccountRequest{Name: name})
		grpctest.WantRefusal(t, err, codes.NotFound, "Unknown service account")
	}
	restored, err := client.UndeleteServiceAccount(t.Context(), &adminpb.UndeleteServiceAccountRequest{Name: "projects/-/serviceAccounts/" + uid})
	want.Disabled = false
	if diff := cmp.Diff(want, restored.GetRestoredAccount(), protocmp.Transform(), noEtag); err != nil || diff != "" {
		t.Errorf("undeleting: %v (-want +got):\n%s", err, diff)
	}
}
