package topic

import (
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/policytest"
)

func TestList(t *testing.T) {
	cloud := emulator.StartTest(t)
	impl := New(policytest.Clients(t, cloud, methods...).Topics)
	for _, name := range []string{"projects/some-project/topics/orders", "projects/some-project/topics/returns", "projects/other-project/topics/orders"} {
		if err := cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := policytest.List(t.Context(), impl, kind.Ref{Project: "some-project"})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"orders", "returns"}, got); d != "" {
		t.Errorf("topics (-want +got):\n%s", d)
	}
	cloud.Traffic.Inject(traffic.Fault{Status: 403})
	if _, err := policytest.List(t.Context(), impl, kind.Ref{Project: "some-project"}); !gcp.IsDenied(err) {
		t.Errorf("without permission: %v", err)
	}
}
