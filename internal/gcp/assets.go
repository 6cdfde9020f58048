package gcp

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	asset "cloud.google.com/go/asset/apiv1"
	"cloud.google.com/go/asset/apiv1/assetpb"
	"google.golang.org/api/iterator"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// assetPage is how many assets are listed with one call: as many as Google allows.
const assetPage = 1000

// The pauses before a page is asked for again that was throttled grow from the first to the last.
const (
	firstAssetPause = time.Second
	lastAssetPause  = time.Minute
)

// assetPermissions are what each content takes on the scope.
var assetPermissions = map[kind.AssetContent]string{
	kind.AssetResources: "cloudasset.assets.listResource",
	kind.AssetPolicies:  "cloudasset.assets.listIamPolicy",
}

var assetContents = map[kind.AssetContent]assetpb.ContentType{
	kind.AssetResources: assetpb.ContentType_RESOURCE,
	kind.AssetPolicies:  assetpb.ContentType_IAM_POLICY,
}

// ListAssets yields what Cloud Asset Inventory shows of the resources of some types in Options.AssetScope, page by page, to the manager's own
// credentials. Among policies is only what has one. What it shows may be old. A page that is throttled is asked for again, with growing
// pauses, as long as the context lasts; any other error ends the list.
func (c *Clients) ListAssets(ctx context.Context, types []string, content kind.AssetContent, yield func(page []kind.Asset)) error {
	client, err := c.assets.get(ctx, "")
	if err != nil {
		return fmt.Errorf("listing the %s of %s: %w", content, c.opts.AssetScope, err)
	}
	request := &assetpb.ListAssetsRequest{Parent: c.opts.AssetScope, AssetTypes: types, ContentType: assetContents[content]}
	for {
		page, next, err := patiently(ctx, client, request)
		if err != nil {
			return fmt.Errorf("listing the %s of %s: %w", content, c.opts.AssetScope, nameAssetDenial(err, content, c.opts.AssetScope))
		}
		assets := make([]kind.Asset, 0, len(page))
		for _, a := range page {
			assets = append(assets, assetOf(a))
		}
		yield(assets)
		if next == "" {
			return nil
		}
		request.PageToken = next
	}
}

// patiently asks for a page until the answer is another than that it is throttled.
func patiently(ctx context.Context, client *asset.Client, request *assetpb.ListAssetsRequest) (page []*assetpb.Asset, next string, err error) {
	for pause := firstAssetPause; ; pause = min(2*pause, lastAssetPause) {
		page = nil
		next, err = iterator.NewPager(client.ListAssets(ctx, request), assetPage, request.GetPageToken()).NextPage(&page)
		if !IsThrottled(err) {
			return page, next, err
		}
		timer := time.NewTimer(max(pause, Classify(err).RetryAfter))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, "", err
		}
	}
}

// nameAssetDenial says which permission is missing on the scope, which Google leaves out.
func nameAssetDenial(err error, content kind.AssetContent, scope string) error {
	refusal := Classify(err)
	if refusal.Class != kind.Denied || refusal.Denial != (kind.Denial{}) {
		return err
	}
	named := *refusal
	// What was made of an answer without a name goes by the method alone.
	if named.Permission == "" || named.Permission == assetPermissions[kind.AssetResources] {
		named.Permission = assetPermissions[content]
	}
	named.Resource, named.Err = cmp.Or(named.Resource, scope), err
	return &named
}

func assetOf(a *assetpb.Asset) kind.Asset {
	out := kind.Asset{Type: a.GetAssetType(), Name: a.GetName(), Print: printOf(a)}
	for _, ancestor := range a.GetAncestors() {
		if number, ok := strings.CutPrefix(ancestor, "projects/"); ok {
			out.ProjectNumber = number
		}
	}
	data := a.GetResource().GetData().GetFields()
	if a.GetAssetType() == kind.ProjectAsset {
		out.ProjectID = data["projectId"].GetStringValue()
		return out
	}
	if name := data["name"].GetStringValue(); name != "" {
		service, _, _ := strings.Cut(a.GetAssetType(), "/")
		out.OwnName = "//" + service + "/" + name
	}
	return out
}

var seed = maphash.MakeSeed()

// printOf tells an asset's content from any other that it had. What the inventory says beside the content, such as where the resource's
// schema is, is left out: it can change for all resources at once.
func printOf(a *assetpb.Asset) uint64 {
	var content proto.Message = a.GetResource().GetData()
	if a.GetResource() == nil {
		content = a.GetIamPolicy()
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(content)
	if err != nil { // text that is not UTF-8, which came by the same encoding
		return 1
	}
	return max(1, maphash.Bytes(seed, encoded))
}
