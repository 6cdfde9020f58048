package serviceaccount

import (
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// TestUpdate starts from a manifest that was applied in full, edits it, and checks the requests and the account that comes
// out: the live one but for what the edit changes, whatever Google leaves out of its answer.
func TestUpdate(t *testing.T) {
	patch := func(account *adminpb.ServiceAccount, paths ...string) proto.Message {
		account.Name = byUID
		return &adminpb.PatchServiceAccountRequest{ServiceAccount: account, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}}
	}
	for name, tc := range map[string]struct {
		edit     func(*v1alpha1.ServiceAccountSpec)
		requests []proto.Message
		want     func(*adminpb.ServiceAccount)
	}{
		"the name": {
			edit:     func(s *v1alpha1.ServiceAccountSpec) { s.DisplayName = new("Reader") },
			requests: []proto.Message{patch(&adminpb.ServiceAccount{DisplayName: "Reader", Description: "Imports."}, "display_name")},
			want:     func(a *adminpb.ServiceAccount) { a.DisplayName = "Reader" },
		},
		"the name is reset": {
			edit:     func(s *v1alpha1.ServiceAccountSpec) { s.DisplayName = nil },
			requests: []proto.Message{patch(&adminpb.ServiceAccount{Description: "Imports."}, "display_name")},
			want:     func(a *adminpb.ServiceAccount) { a.DisplayName = "" },
		},
		"the name is emptied": {
			edit:     func(s *v1alpha1.ServiceAccountSpec) { s.DisplayName = new("") },
			requests: []proto.Message{patch(&adminpb.ServiceAccount{Description: "Imports."}, "display_name")},
			want:     func(a *adminpb.ServiceAccount) { a.DisplayName = "" },
		},
		"the description": {
			edit:     func(s *v1alpha1.ServiceAccountSpec) { s.Description = new("Reads.") },
			requests: []proto.Message{patch(&adminpb.ServiceAccount{DisplayName: "Importer", Description: "Reads."}, "description")},
			want:     func(a *adminpb.ServiceAccount) { a.Description = "Reads." },
		},
		"enabling": {
			edit:     func(s *v1alpha1.ServiceAccountSpec) { s.Disabled = new(false) },
			requests: []proto.Message{&adminpb.EnableServiceAccountRequest{Name: byUID}},
			want:     func(a *adminpb.ServiceAccount) { a.Disabled = false },
		},
		"disabled is reset": {
			edit:     func(s *v1alpha1.ServiceAccountSpec) { s.Disabled = nil },
			requests: []proto.Message{&adminpb.EnableServiceAccountRequest{Name: byUID}},
			want:     func(a *adminpb.ServiceAccount) { a.Disabled = false },
		},
		"all of it": {
			edit: func(s *v1alpha1.ServiceAccountSpec) {
				s.DisplayName, s.Description, s.Disabled = new("R"), new("r"), new(false)
			},
			requests: []proto.Message{
				patch(&adminpb.ServiceAccount{DisplayName: "R", Description: "r"}, "display_name", "description"),
				&adminpb.EnableServiceAccountRequest{Name: byUID},
			},
			want: func(a *adminpb.ServiceAccount) { a.DisplayName, a.Description, a.Disabled = "R", "r", false },
		},
		"IAM, which is no business of this": {
			edit: func(s *v1alpha1.ServiceAccountSpec) { s.IAM = &v1alpha1.IAMPolicy{} },
			want: func(*adminpb.ServiceAccount) {},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{}
			impl := s.start(t)
			live, want := liveAccount(), liveAccount()
			tc.want(want)
			desired := impl.Describe(live)
			applied := diff.Compare(desired, impl.Describe(live), nil, fields).Managed
			tc.edit(&desired.Spec)
			compared := diff.Compare(desired, impl.Describe(live), applied, fields)
			s.account = answerTo(want)
			for _, call := range impl.Update(ref, compared.Want, compared.Changes) {
				var err error
				if live, err = call.Do(t.Context(), live); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tc.requests, s.requests, protocmp.Transform()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, live, protocmp.Transform()); diff != "" {
				t.Errorf("account (-want +got):\n%s", diff)
			}
		})
	}
}

// answerTo is all that Google answers to a patch.
func answerTo(account *adminpb.ServiceAccount) *adminpb.ServiceAccount {
	return &adminpb.ServiceAccount{Name: account.GetName(), DisplayName: account.GetDisplayName(), Description: account.GetDescription()}
}

func TestDisabling(t *testing.T) {
	s := &server{}
	live := liveAccount()
	live.Disabled = false
	for _, call := range s.start(t).Update(ref, New(nil).Describe(liveAccount()), diff.Changes{{Path: "spec.disabled", From: "false", To: "true"}}) {
		var err error
		if live, err = call.Do(t.Context(), live); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]proto.Message{&adminpb.DisableServiceAccountRequest{Name: byUID}}, s.requests, protocmp.Transform()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(liveAccount(), live, protocmp.Transform()); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
}

// An account that was replaced by a namesake is not found, by its unique ID.
func TestUpdateOfWhatWasReplaced(t *testing.T) {
	s := &server{err: status.Error(codes.NotFound, "Unknown service account")}
	impl := s.start(t)
	changes := diff.Changes{{Path: "spec.description"}, {Path: "spec.disabled"}}
	for _, call := range impl.Update(ref, impl.Describe(liveAccount()), changes) {
		live := liveAccount()
		if _, err := call.Do(t.Context(), live); !gcp.IsNotFound(err) {
			t.Errorf("%s: %v", call.Name, err)
		}
		if diff := cmp.Diff(liveAccount(), live, protocmp.Transform()); diff != "" {
			t.Errorf("%s touched what is live (-want +got):\n%s", call.Name, diff)
		}
	}
}
