package serviceaccount

import (
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

func TestUnmanaged(t *testing.T) {
	account := &adminpb.ServiceAccount{DisplayName: "logs"}
	if got := (&Kind{}).Unmanaged(account); len(got) > 0 {
		t.Errorf("unmanaged %v, want nothing", got)
	}
	account.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 90, protowire.BytesType), "rain"))
	if d := cmp.Diff([]diff.Unmanaged{{Path: "spec.#90", Value: `"rain"`}}, (&Kind{}).Unmanaged(account)); d != "" {
		t.Errorf("unmanaged (-want +got):\n%s", d)
	}
}
