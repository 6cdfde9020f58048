package serviceaccount

import (
	"cloud.google.com/go/iam/admin/apiv1/adminpb"

	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// Unmanaged implements kind.Fielded: the fields that the client library does not know. The census holds that the spec, or the status,
// has all others.
func (*Kind) Unmanaged(live *adminpb.ServiceAccount) []diff.Unmanaged {
	out := gcp.Unknown(live)
	for i := range out {
		out[i].Path = "spec." + out[i].Path
	}
	return out
}
