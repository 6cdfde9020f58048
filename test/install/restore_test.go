package install

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/test/emulator"
)

// TestRestore: what was backed up as the README says is restored in another cluster, where the operator goes on without a write, and knows
// which grants are its own.
func TestRestore(t *testing.T) {
	const image = "IMG=registry.example.com/holdfast:v0.1.0"
	s, cloud := newSite(t), emulator.StartTest(t)
	const there = "cd \"$FOLDER\"\n" // where the files are
	s.readme("Install with kustomize", image)
	s.apply(fleet)
	operator := s.operate(cloud)
	s.sh(ready)
	s.sh(there + s.commands("Back up"))
	s.must(operator.Stop())

	other := newSite(t)
	other.readme("Install with kustomize", image)
	other.taken()
	owner := s.sh(there + `cp namespaces.json manifests.json records.json "` + other.folder + `"; cat owner-id`)
	other.sh(there + other.commands("Restore"))
	const record = `kubectl get buckets,topics,gsa,gcppolicy -n leaving -o json | jq -S '[.items[].status | del(.conditions, .observedGeneration)]'`
	if diff := cmp.Diff(s.sh(record), other.sh(record)); diff != "" {
		t.Errorf("on record (-before +after):\n%s", diff)
	}
	mark := cloud.Traffic.Mark()
	other.operate(cloud, "--owner-id="+owner)
	other.sh(ready)
	other.sh("kubectl annotate -n leaving buckets,topics,gsa,gcppolicy --all holdfast.dev/reconcile-requested-at=now")
	other.sh(ready)
	for _, call := range cloud.Traffic.WritesSince(mark) {
		t.Errorf("it called %s of %s", call.Method, call.Resource)
	}
}
