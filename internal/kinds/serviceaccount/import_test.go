package serviceaccount

import (
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/imported"
)

// TestImported: the manifest of whatever account changes nothing about it.
func TestImported(t *testing.T) {
	impl := New(nil)
	rapid.Check(t, func(t *rapid.T) {
		live := &adminpb.ServiceAccount{
			DisplayName: rapid.StringN(0, 100, 100).Draw(t, "display name"), Description: rapid.StringN(0, 256, 256).Draw(t, "description"),
			Disabled: rapid.Bool().Draw(t, "disabled"), UniqueId: "1",
		}
		ref := kind.Ref{Project: "my-project", ID: rapid.StringMatching(`[a-z][a-z0-9-]{4,28}[a-z0-9]`).Draw(t, "ID")}
		imported.Check(t, kind.Of(impl), ref, kind.Live{Object: impl.Describe(live), Unmanaged: impl.Unmanaged(live), Identity: impl.Identify(live)})
	})
}
