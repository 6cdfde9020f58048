package serviceaccount

import (
	"context"
	"errors"
	"strings"
	"testing"

	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/type/expr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func livePolicy() *iampb.Policy {
	return &iampb.Policy{Version: 3, Etag: []byte("e1"), Bindings: []*iampb.Binding{
		{Role: "roles/iam.workloadIdentityUser", Members: []string{"serviceAccount:demo-project.svc.id.goog[shop/importer]"}},
		{Role: "roles/iam.serviceAccountUser", Members: []string{"user:ann@example.com"}, Condition: &expr.Expr{Title: "soon over", Expression: "false"}},
	}}
}

// calls are all that the kind makes, each with the one request that it sends.
var calls = map[string]struct {
	do   func(context.Context, *Kind) (any, error)
	want proto.Message
	// doing is what the error says.
	doing string
}{
	"observe": {
		func(ctx context.Context, k *Kind) (any, error) { return k.Observe(ctx, ref) },
		&adminpb.GetServiceAccountRequest{Name: byName}, `getting service account "importer"`,
	},
	"create": {
		func(ctx context.Context, k *Kind) (any, error) {
			return k.Create(ctx, ref, &v1alpha1.ServiceAccount{Spec: v1alpha1.ServiceAccountSpec{
				DisplayName: new("Importer"), Description: new("Imports."), Disabled: new(true),
			}})
		},
		&adminpb.CreateServiceAccountRequest{
			Name: "projects/demo-project", AccountId: "importer",
			ServiceAccount: &adminpb.ServiceAccount{DisplayName: "Importer", Description: "Imports."},
		}, `creating service account "importer"`,
	},
	"undelete": {
		func(ctx context.Context, k *Kind) (any, error) { return k.Undelete(ctx, ref, uid) },
		&adminpb.UndeleteServiceAccountRequest{Name: byUID}, `undeleting service account "importer"`,
	},
	"delete": {
		func(ctx context.Context, k *Kind) (any, error) { return nil, k.Delete(ctx, ref, liveAccount()) },
		&adminpb.DeleteServiceAccountRequest{Name: byUID}, `deleting service account "importer"`,
	},
	"get policy": {
		func(ctx context.Context, k *Kind) (any, error) { return k.GetPolicy(ctx, ref) },
		&iampb.GetIamPolicyRequest{Resource: byName, Options: &iampb.GetPolicyOptions{RequestedPolicyVersion: 3}},
		`getting the policy of service account "importer"`,
	},
	"set policy": {
		func(ctx context.Context, k *Kind) (any, error) {
			return k.SetPolicy(ctx, ref, gcp.PolicyFromProto(livePolicy()))
		},
		&iampb.SetIamPolicyRequest{Resource: byName, Policy: livePolicy()}, `setting the policy of service account "importer"`,
	},
}

func TestCalls(t *testing.T) {
	for name, tc := range calls {
		t.Run(name, func(t *testing.T) {
			s := &server{account: liveAccount(), policy: livePolicy()}
			got, err := tc.do(t.Context(), s.start(t))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]proto.Message{tc.want}, s.requests, protocmp.Transform()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{ref.Impersonate}, s.impersonated); diff != "" {
				t.Errorf("as whom (-want +got):\n%s", diff)
			}
			var want any
			switch got.(type) {
			case *adminpb.ServiceAccount:
				want = liveAccount()
			case iampolicy.Policy:
				want = gcp.PolicyFromProto(livePolicy())
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCallsFail(t *testing.T) {
	for name, tc := range calls {
		t.Run(name, func(t *testing.T) {
			s := &server{err: status.Error(codes.Unavailable, "The service is currently unavailable.")}
			if _, err := tc.do(t.Context(), s.start(t)); !gcp.IsUnavailable(err) || !strings.HasPrefix(err.Error(), tc.doing+": ") {
				t.Errorf("error %v", err)
			}
			if len(s.requests) != 1 {
				t.Errorf("%d requests, want 1: the engine retries, nobody else", len(s.requests))
			}
			closed := errors.New("closed")
			noClient := New(func(context.Context, string) (*iam.IamClient, error) { return nil, closed })
			if _, err := tc.do(t.Context(), noClient); !errors.Is(err, closed) || !strings.HasPrefix(err.Error(), tc.doing+": ") {
				t.Errorf("without a client: %v", err)
			}
		})
	}
}

// TestDeleteWhatIsNotFound: the account may be there all the same, and the next look tells.
func TestDeleteWhatIsNotFound(t *testing.T) {
	s := &server{err: status.Error(codes.NotFound, "Unknown service account")}
	if err := s.start(t).Delete(t.Context(), ref, liveAccount()); !gcp.IsNotFound(err) {
		t.Errorf("error %v", err)
	}
}

func TestNames(t *testing.T) {
	cases := map[string]struct {
		ref  kind.Ref
		want string
	}{
		"ordinary":            {ref, "//iam.googleapis.com/" + byName},
		"project in a domain": {kind.Ref{Project: "example.com:shop", ID: "importer"}, "//iam.googleapis.com/projects/example.com:shop/serviceAccounts/importer@shop.example.com.iam.gserviceaccount.com"},
	}
	for name, tc := range cases {
		if got := New(nil).ExternalName(tc.ref); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	want := kind.Identity{UID: uid}
	if diff := cmp.Diff(want, New(nil).Identify(liveAccount())); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

func TestPolicy(t *testing.T) {
	declared := &v1alpha1.IAMPolicy{Mode: v1alpha1.IAMAdditive}
	impl := New(nil)
	if policy, audit := impl.Policy(&v1alpha1.ServiceAccount{}); policy != nil || audit != nil {
		t.Errorf("of nothing: %v, %v", policy, audit)
	}
	if policy, _ := impl.Policy(&v1alpha1.ServiceAccount{Spec: v1alpha1.ServiceAccountSpec{IAM: declared}}); policy != declared {
		t.Errorf("got %v", policy)
	}
}
