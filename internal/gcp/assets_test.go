package gcp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

const listAssets = "AssetService.ListAssets"

// inventoried is a cloud with a bucket, a topic and an account in one project, and clients that list its organization's assets.
func inventoried(t *testing.T, change func(*Options)) (*emulator.Emulator, *Clients) {
	t.Helper()
	cloud := emulator.StartTest(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(cloud.AddProject("shop", 4711))
	must(cloud.Storage.CreateBucket("shop", map[string]any{"name": "logs"}))
	must(cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: "projects/shop/topics/orders"}))
	_, err := cloud.IAM.CreateAccount("shop", "teller")
	must(err)
	opts := allInsecure(t, cloud.GRPCAddr())
	opts.Storage, opts.Asset, opts.AssetScope = insecure(t, cloud.StorageEndpoint()), insecure(t, cloud.GRPCAddr()), "organizations/1"
	opts.QuotaShare = 1000
	if change != nil {
		change(&opts)
	}
	return cloud, newClients(t, opts)
}

var assetTypes = []string{
	"storage.googleapis.com/Bucket", "pubsub.googleapis.com/Topic", "iam.googleapis.com/ServiceAccount", kind.ProjectAsset,
}

func listed(ctx context.Context, t *testing.T, clients *Clients, content kind.AssetContent, types ...string) []kind.Asset {
	t.Helper()
	var all []kind.Asset
	if err := clients.ListAssets(ctx, types, content, func(page []kind.Asset) { all = append(all, page...) }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestListAssets(t *testing.T) {
	cloud, clients := inventoried(t, nil)
	uid, _ := cloud.IAM.Account("teller@shop.iam.gserviceaccount.com")
	want := []kind.Asset{
		{Type: kind.ProjectAsset, Name: "//cloudresourcemanager.googleapis.com/projects/4711", ProjectNumber: "4711", ProjectID: "shop"},
		{
			Type: "iam.googleapis.com/ServiceAccount", Name: "//iam.googleapis.com/projects/shop/serviceAccounts/" + uid.GetUniqueId(),
			OwnName: "//iam.googleapis.com/projects/shop/serviceAccounts/teller@shop.iam.gserviceaccount.com", ProjectNumber: "4711",
		},
		{
			Type: "pubsub.googleapis.com/Topic", Name: "//pubsub.googleapis.com/projects/shop/topics/orders",
			OwnName: "//pubsub.googleapis.com/projects/shop/topics/orders", ProjectNumber: "4711",
		},
		{
			Type: "storage.googleapis.com/Bucket", Name: "//storage.googleapis.com/logs", OwnName: "//storage.googleapis.com/logs",
			ProjectNumber: "4711",
		},
	}
	got := listed(t.Context(), t, clients, kind.AssetResources, assetTypes...)
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(kind.Asset{}, "Print")); d != "" {
		t.Errorf("resources (-want +got):\n%s", d)
	}
	policies := listed(t.Context(), t, clients, kind.AssetPolicies, assetTypes...)
	want = []kind.Asset{{Type: "storage.googleapis.com/Bucket", Name: "//storage.googleapis.com/logs", ProjectNumber: "4711"}}
	if d := cmp.Diff(want, policies, cmpopts.IgnoreFields(kind.Asset{}, "Print")); d != "" {
		t.Errorf("policies (-want +got):\n%s", d)
	}
}

// Whatever changes of a resource or its policy changes its print, and nothing else does.
func TestPrintsOfAssets(t *testing.T) {
	cloud, clients := inventoried(t, nil)
	prints := func() map[string]uint64 {
		all := map[string]uint64{}
		for _, content := range []kind.AssetContent{kind.AssetResources, kind.AssetPolicies} {
			for _, a := range listed(t.Context(), t, clients, content, assetTypes...) {
				all[string(content)+" "+a.Type] = a.Print
			}
		}
		return all
	}
	changed := func(do func() error) []string {
		t.Helper()
		before := prints()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		var differ []string
		for name, after := range prints() {
			if before[name] != after {
				differ = append(differ, name)
			}
		}
		return differ
	}
	grant := func(p *iampb.Policy) { policy.Grant(p, "roles/pubsub.publisher", "user:eve@example.com") }
	cases := map[string]struct {
		do   func() error
		want []string
	}{
		"nothing": {func() error { return nil }, nil},
		"a field": {func() error {
			return cloud.PubSub.EditTopic("projects/shop/topics/orders", func(topic *pubsubpb.Topic) { topic.Labels = map[string]string{"a": "b"} })
		}, []string{"resources pubsub.googleapis.com/Topic"}},
		"a policy, first of all": {
			func() error { return cloud.PubSub.EditPolicy("projects/shop/topics/orders", grant) }, []string{"IAM policies pubsub.googleapis.com/Topic"},
		},
		"the project's policy": {func() error {
			return cloud.ResourceManager.EditPolicy("shop", func(p *iampb.Policy) { policy.Grant(p, "roles/viewer", "user:eve@example.com") })
		}, []string{"IAM policies " + kind.ProjectAsset}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, changed(tc.do)); d != "" {
				t.Errorf("prints that differ (-want +got):\n%s", d)
			}
		})
	}
}

// A page is a thousand assets, however large they are: more than the 4 MiB that gRPC takes unless it is told otherwise.
func TestPagesOfAssets(t *testing.T) {
	cloud, clients := inventoried(t, nil)
	const more = 2500
	for i := range more {
		if err := cloud.PubSub.PutTopic(&pubsubpb.Topic{Name: fmt.Sprintf("projects/shop/topics/more-%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	mark := cloud.Traffic.Mark()
	if got := len(listed(t.Context(), t, clients, kind.AssetResources, "pubsub.googleapis.com/Topic")); got != more+1 {
		t.Errorf("%d topics", got)
	}
	if calls := len(cloud.Traffic.Since(mark)); calls != 3 {
		t.Errorf("%d calls for %d topics", calls, more+1)
	}
	for i := range 50 {
		cors := []any{map[string]any{"origin": []any{strings.Repeat("x", 100_000)}, "method": []any{"GET"}, "maxAgeSeconds": 1}}
		if err := cloud.Storage.CreateBucket("shop", map[string]any{"name": fmt.Sprintf("large-%d", i), "cors": cors}); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(listed(t.Context(), t, clients, kind.AssetResources, "storage.googleapis.com/Bucket")); got != 51 {
		t.Errorf("%d buckets", got)
	}
}

// What Google denies without a name says which permission is missing where; what it explains stays as it is.
func TestDeniedAssets(t *testing.T) {
	cloud, clients := inventoried(t, nil)
	refuse := func(content kind.AssetContent) *Error {
		t.Helper()
		err := clients.ListAssets(t.Context(), assetTypes, content, func([]kind.Asset) {})
		if !IsDenied(err) {
			t.Fatalf("got %v", err)
		}
		return Classify(err)
	}
	for content, permission := range map[kind.AssetContent]string{
		kind.AssetResources: "cloudasset.assets.listResource", kind.AssetPolicies: "cloudasset.assets.listIamPolicy",
	} {
		cloud.Assets.Withhold("organizations/1", permission)
		got := refuse(content)
		if got.Permission != permission || got.Resource != "organizations/1" {
			t.Errorf("%s: permission %q on %q", content, got.Permission, got.Resource)
		}
		if got.Message != "The caller does not have permission" {
			t.Errorf("%s: %q", content, got.Message)
		}
	}
	cloud.Assets.Withhold("organizations/1")
	cloud.Traffic.Inject(traffic.Fault{
		Match: traffic.Call{Method: listAssets}, Times: 1, Status: http.StatusForbidden,
		Message: "Cloud Asset API has not been used in project 42 before or it is disabled.",
	})
	if got := refuse(kind.AssetResources); got.Permission != "" || !strings.Contains(got.Explain("", ""), "is disabled in project 42") {
		t.Errorf("a disabled API: %+v", got)
	}
}

// A page that is throttled is asked for again; no other error is waited out.
func TestThrottledAssets(t *testing.T) {
	registry := prometheus.NewRegistry()
	cloud, clients := inventoried(t, func(o *Options) { o.Registerer = registry })
	cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Method: listAssets}, Times: 1, Status: http.StatusTooManyRequests, RetryAfter: time.Second})
	if got := len(listed(t.Context(), t, clients, kind.AssetResources, assetTypes...)); got != 4 {
		t.Errorf("%d assets", got)
	}
	cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Method: listAssets}, Status: http.StatusServiceUnavailable})
	mark := cloud.Traffic.Mark()
	if err := clients.ListAssets(t.Context(), assetTypes, kind.AssetResources, func([]kind.Asset) {}); !IsUnavailable(err) {
		t.Errorf("got %v", err)
	}
	if calls := len(cloud.Traffic.Since(mark)); calls != 1 {
		t.Errorf("%d calls", calls)
	}
	cloud.Traffic.RemoveAll()
	cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Method: listAssets}, Status: http.StatusTooManyRequests, RetryAfter: time.Minute})
	bounded, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := clients.ListAssets(bounded, assetTypes, kind.AssetResources, func([]kind.Asset) {}); !IsThrottled(err) || bounded.Err() == nil {
		t.Errorf("got %v", err)
	}
	if got := sums(t, registry, "holdfast_gcp_throttled_total", "service"); got["asset"] != 2 {
		t.Errorf("throttled: %v", got)
	}
}

// The endpoint is needed, and asked for, only where assets are listed.
func TestAssetsNeedAScope(t *testing.T) {
	opts := allInsecure(t, "127.0.0.1:1") // Asset is Google's own
	newClients(t, opts)
	_, clients := inventoried(t, func(o *Options) { o.Asset = insecure(t, "127.0.0.1:1") })
	err := clients.Probe(t.Context())
	if unreachable := new(Unreachable); !errors.As(err, &unreachable) || unreachable.Service != kind.ServiceAsset {
		t.Errorf("got %v", err)
	}
}
