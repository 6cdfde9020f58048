package bucket

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	raw "google.golang.org/api/storage/v1"
)

// What Live has no field for is in Raw, in the answer to a write as in that to a read.
func TestRawIsWhole(t *testing.T) {
	impl, cloud := newCloud(t)
	cloud.bucket = object{"name": "logs", "metageneration": "7", "ipFilter": object{"mode": "Enabled"}}
	read, err := impl.Observe(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	written, err := impl.patch(t.Context(), ref, read, &raw.Bucket{StorageClass: "ARCHIVE"})
	if err != nil {
		t.Fatal(err)
	}
	for name, live := range map[string]*Live{"read": read, "written": written} {
		var whole object
		if err := json.Unmarshal(live.Raw, &whole); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(object{"mode": "Enabled"}, whole["ipFilter"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLiveIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no object":       `"logs"`,
		"no time":         `{"timeCreated":"yesterday"}`,
		"a broken number": `{"metageneration":"x"}`,
	} {
		if err := json.Unmarshal([]byte(text), &Live{}); err == nil {
			t.Errorf("%s: %s is taken for a bucket", name, text)
		}
	}
}
