package plugin

import "testing"

// TestBringingInWhatExists: what the README shows of import runs as it stands, and writes nothing to Google Cloud.
func TestBringingInWhatExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "bringing")
	there := 0
	for _, project := range []string{"my-project", "my-other-project"} {
		there += fillCloud(w, project)
		grantIn(w, project)
	}
	mark := w.cloud.Traffic.Mark()
	w.newShell("false").followsReadme("Bringing in what exists")
	if writes := w.cloud.Traffic.WritesSince(mark); len(writes) > 0 {
		t.Errorf("it wrote: %+v", writes)
	}
	if n := len(w.files("manifests")); n < there {
		t.Errorf("%d files for %d resources", n, there)
	}
}
