package install

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/test/emulator"
)

// notRestored tells what is not restored as it was.
const notRestored = `cd "$FOLDER"
	get() { kubectl get -n leaving "$1" "$2" -o json | jq -r ".metadata | $3 // \"\""; }
	echo "broken by $(get topics orders '.annotations["holdfast.dev/break-glass-by"]')," \
		"approved by $(get buckets leaving-files '.annotations["holdfast.dev/approve-by"]')," \
		"destruction let through by $(get namespaces leaving '.annotations["holdfast.dev/allow-destructive-by"]')," \
		"owned by $(get gsa importer '.ownerReferences[0].name')"`

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
	s.sh(`ada="kubectl --as ada --as-group system:masters"
		$ada annotate -n leaving topic orders holdfast.dev/break-glass='INC-4711: partner needs access'
		$ada annotate -n leaving buckets leaving-files holdfast.dev/approve=0123456789abcdef
		$ada annotate namespace leaving holdfast.dev/allow-destructive-until="$(date -u -d '+1 hour' +%FT%TZ)"
		kubectl create configmap -n leaving owner
		uid=$(kubectl get configmap -n leaving owner -o jsonpath='{.metadata.uid}')
		kubectl patch -n leaving gsa importer --type=merge -p \
			'{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "'"$uid"'"}]}}'
		kubectl wait --for=condition=BreakGlass --timeout=2m -n leaving topic orders`)
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
	if got := other.sh(notRestored); got != "broken by admin, approved by , destruction let through by , owned by \n" {
		t.Errorf("restored as %s", got)
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
