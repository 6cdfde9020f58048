package serviceaccount

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

func TestList(t *testing.T) {
	impl, cloud := emulate(t)
	for _, id := range []string{"orders-writer", "orders-reader"} {
		if _, err := cloud.IAM.CreateAccount("some-project", id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := cloud.IAM.CreateAccount("other-project", "elsewhere"); err != nil {
		t.Fatal(err)
	}
	got, err := policytest.List(t.Context(), impl, kind.Ref{Project: "some-project"})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if d := cmp.Diff([]string{"orders-reader", "orders-writer"}, got); d != "" {
		t.Errorf("accounts (-want +got):\n%s", d)
	}
	cloud.Traffic.Inject(traffic.Fault{Status: 403})
	_, err = policytest.List(t.Context(), impl, kind.Ref{Project: "some-project"})
	if !gcp.IsDenied(err) || !strings.HasPrefix(err.Error(), `listing the service accounts of project "some-project": `) {
		t.Errorf("without permission: %v", err)
	}
}
