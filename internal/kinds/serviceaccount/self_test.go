package serviceaccount

import (
	"context"
	"errors"
	"strings"
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestNoSelfLockout(t *testing.T) {
	const own, tenant = "holdfast@ops.iam.gserviceaccount.com", "shop@ops.iam.gserviceaccount.com"
	identity := func(_ context.Context, impersonate string) (string, error) {
		switch impersonate {
		case "":
			return own, nil
		case "nobody":
			return "", errors.New("unknown")
		default:
			return impersonate, nil
		}
	}
	cases := map[string]struct {
		email, impersonate string
		refused            bool
	}{
		"the manager's own account":          {own, "", true},
		"in another letter case":             {"Holdfast@ops.iam.gserviceaccount.com", "", true},
		"the manager's, acting as another":   {own, tenant, true},
		"the account that is acted as":       {tenant, tenant, true},
		"somebody else's":                    {tenant, "", false},
		"somebody's, and who we are unknown": {tenant, "nobody", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			impl := New(nil, identity)
			err := impl.keepSelf(t.Context(), "deleting", kind.Ref{Impersonate: tc.impersonate}, &adminpb.ServiceAccount{Email: tc.email})
			if (err != nil) != tc.refused {
				t.Fatalf("got %v", err)
			}
			if err != nil && (!gcp.IsInvalid(err) || !strings.Contains(err.Error(), "lock Holdfast out")) {
				t.Errorf("got %v", err)
			}
		})
	}
}
