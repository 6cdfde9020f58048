package api

import (
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// TestWhatIsObservedIsOneField: who manages each part of it would be stored beside it, in more room than it takes itself, and nobody but the
// operator writes it.
func TestWhatIsObservedIsOneField(t *testing.T) {
	for _, k := range kinds.All(nil) {
		t.Run(k.Kind, func(t *testing.T) {
			obj := manifest(t, k.Kind, "what-is-observed", "")
			if err := create(t, obj); err != nil {
				t.Fatal(err)
			}
			obj.Object["status"] = manifest(t, k.Kind, "", "status: {observed: {labels: {team: shop}, location: EU}}").Object["status"]
			if err := kube.Status().Update(t.Context(), obj); err != nil {
				t.Fatal(err)
			}
			for _, entry := range obj.GetManagedFields() {
				if entry.Subresource == "status" && !strings.Contains(string(entry.FieldsV1.GetRawBytes()), `"f:observed":{}`) {
					t.Errorf("%s manages %s", entry.Manager, entry.FieldsV1.GetRawBytes())
				}
			}
		})
	}
}
