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
	if got := NameRoles(nil, roles); got != nil {
		t.Errorf("no error becomes %v", got)
	}
	other := rpcError(t, codes.PermissionDenied, "The caller does not have permission")
	if got := Classify(NameRoles(other, roles)); got.Roles != "" {
		t.Errorf("%v names %s", other, got.Roles)
	}
}
