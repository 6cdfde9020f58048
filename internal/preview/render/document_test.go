package render

import (
	"encoding/json"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/preview"
)

// A plan that a server made ends with the exit code of one that was made here: what it is decided by is in the document.
func TestADocumentFailsAlsoAfterItsWayAsJSON(t *testing.T) {
	for name, failed := range map[string]bool{"all was looked at": false, "a part was not": true} {
		t.Run(name, func(t *testing.T) {
			d := Document{Resources: []Resource{{Kind: "Bucket", Effect: preview.Update, Failed: failed}}, Summary: Summary{Update: 1}}
			text, err := d.JSON()
			if err != nil {
				t.Fatal(err)
			}
			var got Document
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			if got.Fails() != failed || !got.Changes() {
				t.Errorf("fails: %v, want %v; changes: %v, want true\n%s", got.Fails(), failed, got.Changes(), text)
			}
		})
	}
}
