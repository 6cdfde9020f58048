package bucket

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

func TestList(t *testing.T) {
	cloud := emulator.StartTest(t)
	impl, want := New(policytest.Clients(t, cloud, methods...)), []string{}
	for i := range pageSize + 1 {
		name := fmt.Sprintf("logs-%04d", i)
		if err := cloud.Storage.CreateBucket("some-project", map[string]any{"name": name}); err != nil {
			t.Fatal(err)
		}
		want = append(want, name)
	}
	if err := cloud.Storage.CreateBucket("other-project", map[string]any{"name": "elsewhere"}); err != nil {
		t.Fatal(err)
	}
	got, err := policytest.List(t.Context(), impl, kind.Ref{Project: "some-project"})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("buckets (-want +got):\n%s", d)
	}
	if calls := cloud.Traffic.Count(traffic.Call{Method: "buckets.list"}); calls != 2 {
		t.Errorf("%d calls, want one a page", calls)
	}
	cloud.Traffic.Inject(traffic.Fault{Status: 403})
	if _, err := policytest.List(t.Context(), impl, kind.Ref{Project: "some-project"}); !gcp.IsDenied(err) {
		t.Errorf("without permission: %v", err)
	}
}
