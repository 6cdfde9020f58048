package gcp

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestNameRoles(t *testing.T) {
	roles := func() string { return "roles/owner" }
	limited := fmt.Errorf("setting the policy: %w", rpcError(t, codes.PermissionDenied, "Policy update access denied."))
	named := NameRoles(limited, roles)
	refusal := Classify(named)
	said := refusal.Explain("shop", "holdfast@ops.iam.gserviceaccount.com")
	if !strings.Contains(said, "which roles holdfast@ops.iam.gserviceaccount.com may grant and revoke, and this write has others: roles/owner. Allow them") {
		t.Errorf("it says: %s", said)
	}
	if refusal.Class != kind.Denied || named.Error() != limited.Error() {
		t.Errorf("class %s, error %q", refusal.Class, named)
	}
	for _, other := range []error{nil, rpcError(t, codes.PermissionDenied, "The caller does not have permission")} {
		if got := NameRoles(other, roles); got != other {
			t.Errorf("%v becomes %v", other, got)
		}
	}
}
