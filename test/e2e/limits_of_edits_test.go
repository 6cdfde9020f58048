package e2e

import (
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// TestEditsWithinTheShippedLimits: an edit takes as many writes as it changes parts, and Google may count each by itself, as it does of a bucket.
// Neither may wait for both to be possible at once.
func TestEditsWithinTheShippedLimits(t *testing.T) {
	forEachKind(t, func(t *testing.T, k kind) {
		w := newWorld(t)
		w.quotaShare, w.timeout = gcp.DefaultQuotaShare, gcp.DefaultTimeout
		w.start()
		obj := k.manifest("orders", v1alpha1.CommonSpec{})
		setIAM(obj, granting(roleFor(k), "user:ada@example.com"))
		w.create(obj)
		w.ready(obj)
		if k.Fields != nil {
			edit(w, obj, func(obj v1alpha1.Object) { k.team(obj, "bank") })
			w.ready(obj)
		}
		edit(w, obj, func(obj v1alpha1.Object) {
			if k.Fields != nil {
				k.team(obj, "mall")
			}
			setIAM(obj, granting(roleFor(k), "user:ada@example.com", "user:bob@example.com"))
		})
		w.ready(obj)
	})
}
