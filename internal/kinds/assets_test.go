package kinds_test

import (
	"testing"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// What Cloud Asset Inventory lists is known by the names that manifests have for it, in whatever project; what no manifest can mean is not.
//
// https://cloud.google.com/asset-inventory/docs/asset-names
func TestAssetsAreKnown(t *testing.T) {
	const accounts = "//iam.googleapis.com/projects/"
	cases := map[string]struct {
		kind    string
		asset   kind.Asset
		project string
		id      string
		unknown bool
	}{
		"a bucket": {kind: "Bucket", asset: kind.Asset{Name: "//storage.googleapis.com/logs", OwnName: "//storage.googleapis.com/logs"}, project: "shop", id: "logs"},
		"a bucket with dots, whatever its project": {
			kind: "Bucket", asset: kind.Asset{Name: "//storage.googleapis.com/logs.example.com"}, project: "example.com:shop", id: "logs.example.com",
		},
		"a topic": {
			kind: "Topic", asset: kind.Asset{Name: "//pubsub.googleapis.com/projects/shop/topics/orders", OwnName: "//pubsub.googleapis.com/projects/shop/topics/orders"},
			project: "shop", id: "orders",
		},
		"a topic by its name alone": {kind: "Topic", asset: kind.Asset{Name: "//pubsub.googleapis.com/projects/shop/topics/orders"}, project: "shop", id: "orders"},
		"a topic of another project": {
			kind: "Topic", asset: kind.Asset{Name: "//pubsub.googleapis.com/projects/bank/topics/orders"}, project: "shop", unknown: true,
		},
		"an account": {
			kind: "ServiceAccount", asset: kind.Asset{Name: accounts + "shop/serviceAccounts/1234", OwnName: accounts + "shop/serviceAccounts/orders@shop.iam.gserviceaccount.com"},
			project: "shop", id: "orders",
		},
		"an account of a project in a domain": {
			kind: "ServiceAccount", project: "example.com:shop", id: "orders",
			asset: kind.Asset{Name: accounts + "example.com:shop/serviceAccounts/1234", OwnName: accounts + "example.com:shop/serviceAccounts/orders@shop.example.com.iam.gserviceaccount.com"},
		},
		"an account by its unique ID alone": {kind: "ServiceAccount", asset: kind.Asset{Name: accounts + "shop/serviceAccounts/1234"}, project: "shop", unknown: true},
		"an account that Google made": {
			kind: "ServiceAccount", asset: kind.Asset{Name: accounts + "shop/serviceAccounts/1234", OwnName: accounts + "shop/serviceAccounts/42-compute@developer.gserviceaccount.com"},
			project: "shop", unknown: true,
		},
		"a project": {kind: "ProjectPolicy", asset: kind.Asset{Name: "//cloudresourcemanager.googleapis.com/projects/42", ProjectID: "shop"}, project: "shop"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			k, ok := kind.Named(kinds.All(nil), tc.kind)
			if !ok {
				t.Fatal("no such kind")
			}
			if id, known := k.IDOf(tc.asset, tc.project); id != tc.id || known == tc.unknown {
				t.Errorf("got %q, %v", id, known)
			}
		})
	}
}

// Each kind has a type of its own.
func TestAssetTypes(t *testing.T) {
	types := map[string]string{}
	for _, k := range kinds.All(nil) {
		if other := types[k.AssetType]; k.AssetType == "" || other != "" {
			t.Errorf("%s has the type %q, as %q", k.Kind, k.AssetType, other)
		}
		types[k.AssetType] = k.Kind
	}
}
