package e2e

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// The tests call from 127.0.0.1, over the internet as far as the emulator knows.
const (
	here      = "127.0.0.0/8"
	elsewhere = "192.0.2.0/24"
)

// exemptIPFilter exempts a caller from IP filters, for some methods.
const exemptIPFilter = "storage.buckets.exemptFromIpFilter"

// filterFor is an enabled IP filter that lets ranges in.
func filterFor(ranges ...v1alpha1.IPCIDRRange) *v1alpha1.IPFilter {
	return &v1alpha1.IPFilter{Mode: v1alpha1.IPFilterEnabled, PublicNetworkSource: &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: ranges}}
}

// consoleFilter is such a filter as the console sets it.
func consoleFilter(ranges ...any) map[string]any {
	return map[string]any{"ipFilter": map[string]any{
		"mode": "Enabled", "allowAllServiceAgentAccess": false, "publicNetworkSource": map[string]any{"allowedIpCidrRanges": ranges},
	}}
}

// withhold says which permissions the operator lacks in the project.
func (w *world) withhold(permissions ...string) {
	w.t.Helper()
	w.must(w.cloud.Projects.Add(projects.Project{ID: w.project, Withheld: permissions}))
}

// expectFilter checks the live IP filter of a bucket: its mode, whom it lets in from the internet, and the rest.
func (w *world) expectFilter(name, mode string, ranges []any, rest map[string]any) {
	w.t.Helper()
	want := map[string]any{"mode": mode, "vpcNetworkSources": []any{}, "publicNetworkSource": map[string]any{"allowedIpCidrRanges": ranges}}
	maps.Copy(want, rest)
	if d := cmp.Diff(any(want), w.settings(name)["ipFilter"]); d != "" {
		w.t.Errorf("live ipFilter of %s (-want +got):\n%s", name, d)
	}
}

func TestTheIPFilterOfABucket(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("logs", v1alpha1.BucketSpec{IPFilter: filterFor(elsewhere, here)})
	w.create(bucket)
	w.ready(bucket)
	w.expectFilter("logs", "Enabled", []any{elsewhere, here}, nil)

	t.Log("edited: in another order, which is no difference, and with more")
	mark := w.cloud.Traffic.Mark()
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.IPFilter = filterFor(here, elsewhere) })
	w.settled(bucket)
	w.ready(bucket)
	w.noWrites(mark)
	edit(w, bucket, func(b *v1alpha1.Bucket) {
		b.Spec.IPFilter.VPCNetworkSources = []v1alpha1.VPCNetworkSource{{
			Network: "projects/net/global/networks/n", AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{"10.0.0.0/8"},
		}}
		b.Spec.IPFilter.AllowAllServiceAgentAccess = new(true)
	})
	w.ready(bucket)
	rest := map[string]any{
		"allowAllServiceAgentAccess": true,
		"vpcNetworkSources":          []any{map[string]any{"network": "projects/net/global/networks/n", "allowedIpCidrRanges": []any{"10.0.0.0/8"}}},
	}
	w.expectFilter("logs", "Enabled", []any{elsewhere, here}, rest)

	t.Log("drifted")
	w.must(w.cloud.Storage.EditBucket("logs", consoleFilter("0.0.0.0/0")))
	w.settled(bucket)
	w.ready(bucket)
	w.expectFilter("logs", "Enabled", []any{here, elsewhere}, rest)

	t.Log("narrowed: what the manifest does not name any more is reset")
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.IPFilter = filterFor(here) })
	w.ready(bucket)
	w.expectFilter("logs", "Enabled", []any{here}, nil)

	t.Log("gone from the manifest")
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.IPFilter = nil })
	w.ready(bucket)
	w.expectFilter("logs", "Disabled", []any{}, nil)
	mark = w.cloud.Traffic.Mark()
	w.settled(bucket)
	w.ready(bucket)
	w.noWrites(mark)
}

// A filter that the manifest does not mention is left alone, and what is left of one that is off is none.
func TestABucketWithAnIPFilterIsAdopted(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	filter := consoleFilter(here)
	filter["name"] = "logs"
	w.must(w.cloud.Storage.CreateBucket(w.project, filter))
	w.must(w.cloud.Storage.CreateBucket(w.project, map[string]any{"name": "off", "ipFilter": map[string]any{"mode": "Disabled"}}))
	mark := w.cloud.Traffic.Mark()
	logs := aBucket("logs", v1alpha1.BucketSpec{})
	off := aBucket("off", v1alpha1.BucketSpec{IPFilter: &v1alpha1.IPFilter{
		Mode: v1alpha1.IPFilterDisabled, PublicNetworkSource: &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{}},
		AllowCrossOrgVPCs: new(false),
	}})
	for _, bucket := range []*v1alpha1.Bucket{logs, off} {
		w.create(bucket)
		w.ready(bucket)
	}
	w.noWrites(mark)
	if shown := string(logs.Status.Observed.Raw); !strings.Contains(shown, `"allowedIPCIDRRanges":["`+here+`"]`) || len(logs.Status.Unmanaged) > 0 {
		t.Errorf("status.observed: %s, status.unmanaged: %v", shown, logs.Status.Unmanaged)
	}
}

// A filter that does not let Holdfast in locks it out, unless its account is exempt.
func TestHoldfastIsLockedOutByAnIPFilter(t *testing.T) {
	t.Parallel()
	for name, help := range map[string]func(w *world){
		"exempted":                func(w *world) { w.withhold() },
		"let in from the console": func(w *world) { w.must(w.cloud.Storage.EditBucket("logs", consoleFilter(here))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWorld(t)
			w.withhold(exemptIPFilter)
			bucket := aBucket("logs", v1alpha1.BucketSpec{IPFilter: filterFor(here)})
			w.create(bucket)
			w.ready(bucket)
			edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.IPFilter = filterFor(elsewhere) })
			w.settled(bucket) // the write still goes through
			w.settled(bucket)
			w.reason(bucket, v1alpha1.ReasonDenied)
			for _, want := range []string{"IP filtering condition", "Let its address or network in", "grant " + exemptIPFilter} {
				if got := condition(bucket, v1alpha1.ConditionReady).Message; !strings.Contains(got, want) {
					t.Errorf("the message does not say %q: %s", want, got)
				}
			}
			edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.IPFilter = filterFor(elsewhere, here) })
			help(w)
			w.settled(bucket)
			w.ready(bucket)
			w.expectFilter("logs", "Enabled", []any{elsewhere, here}, nil)
		})
	}
}

// Nobody is exempt where it is about the bucket's IAM policy.
func TestThePolicyOfABucketWithAnIPFilter(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	bucket := aBucket("logs", v1alpha1.BucketSpec{
		IPFilter: filterFor(elsewhere),
		IAM:      &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{granting("roles/storage.objectViewer", "user:ann@example.com")}},
	})
	w.create(bucket)
	w.settled(bucket)
	w.reason(bucket, v1alpha1.ReasonDenied)
	if got := condition(bucket, v1alpha1.ConditionReady).Message; !strings.Contains(got, "IP filtering condition") {
		t.Errorf("the message does not say why: %s", got)
	}
	edit(w, bucket, func(b *v1alpha1.Bucket) { b.Spec.IPFilter = filterFor(elsewhere, here) })
	w.settled(bucket)
	w.ready(bucket)
	w.readers(bucket, "user:ann@example.com")
}

// Without the permission to see it Google shows no filter: Holdfast says that it does not see what it wrote, and writes it no
// more often than it looks: when asked, and once more for the change of the status.
func TestAnIPFilterThatHoldfastMayNotSee(t *testing.T) {
	t.Parallel()
	w := startWorld(t)
	w.withhold("storage.buckets.getIpFilter")
	bucket := aBucket("logs", v1alpha1.BucketSpec{IPFilter: filterFor(here)})
	w.create(bucket)
	w.settled(bucket)
	for range 3 {
		mark := w.cloud.Traffic.Mark()
		w.settled(bucket)
		w.reason(bucket, v1alpha1.ReasonNotApplied)
		if writes := w.writes(mark); len(writes) > 2 {
			t.Errorf("written over and over: %v", writes)
		}
	}
	w.expectFilter("logs", "Enabled", []any{here}, nil)
	w.withhold()
	w.settled(bucket)
	w.ready(bucket)
}
