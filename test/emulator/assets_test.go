package emulator

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	assetapi "cloud.google.com/go/asset/apiv1"
	"cloud.google.com/go/asset/apiv1/assetpb"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/iterator"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

const (
	allResources = assetpb.ContentType_RESOURCE
	allPolicies  = assetpb.ContentType_IAM_POLICY
)

// inventoried is a cloud with a project right in the organization, one in a folder and somebody else's, and something in each.
func inventoried(t *testing.T, o Options) (*Emulator, *assetapi.Client) {
	t.Helper()
	o.Projects, o.Strict = []projects.Project{
		{ID: "shop", Number: 11}, {ID: "bank", Number: 22, Parent: "folders/7"}, {ID: "theirs", Number: 33, Foreign: true},
	}, true
	e := StartTest(t, o)
	for _, project := range []string{"shop", "bank", "theirs"} {
		grpctest.Must(t, e.Storage.CreateBucket(project, map[string]any{"name": project + "-logs"}))
	}
	grpctest.Must(t, e.PubSub.PutTopic(&pubsubpb.Topic{Name: "projects/shop/topics/orders", Labels: map[string]string{"team": "shop"}}))
	_, err := e.IAM.CreateAccount("bank", "teller")
	grpctest.Must(t, err)
	endpoints := grpctest.Endpoints{URL: e.URL(), Addr: e.GRPCAddr()}
	return e, grpctest.Open(t, assetapi.NewClient, endpoints.GRPC())
}

// listed returns the assets by their names, with the unique IDs of accounts left out.
func listed(t *testing.T, client *assetapi.Client, request *assetpb.ListAssetsRequest) (names []string, assets map[string]*assetpb.Asset) {
	t.Helper()
	assets = map[string]*assetpb.Asset{}
	for asset, err := range client.ListAssets(t.Context(), request).All() {
		grpctest.Must(t, err)
		name := asset.GetName()
		if before, _, ok := strings.Cut(name, "/serviceAccounts/"); ok {
			name = before + "/serviceAccounts/UID"
		}
		names = append(names, name)
		assets[name] = asset
	}
	return names, assets
}

func TestAssetsOfEachScope(t *testing.T) {
	_, client := inventoried(t, Options{})
	shop := []string{
		"//cloudresourcemanager.googleapis.com/projects/11", "//pubsub.googleapis.com/projects/shop/topics/orders", "//storage.googleapis.com/shop-logs",
	}
	bank := []string{
		"//cloudresourcemanager.googleapis.com/projects/22", "//iam.googleapis.com/projects/bank/serviceAccounts/UID", "//storage.googleapis.com/bank-logs",
	}
	all := []string{shop[0], bank[0], bank[1], shop[1], bank[2], shop[2]}
	cases := map[string]struct {
		request *assetpb.ListAssetsRequest
		want    []string
	}{
		"an organization":                    {&assetpb.ListAssetsRequest{Parent: "organizations/1"}, all},
		"a folder":                           {&assetpb.ListAssetsRequest{Parent: "folders/7"}, bank},
		"a project":                          {&assetpb.ListAssetsRequest{Parent: "projects/shop"}, shop},
		"a project by its number":            {&assetpb.ListAssetsRequest{Parent: "projects/22"}, bank},
		"one type":                           {&assetpb.ListAssetsRequest{Parent: "organizations/1", AssetTypes: []string{"storage.googleapis.com/Bucket"}}, []string{bank[2], shop[2]}},
		"types by a pattern":                 {&assetpb.ListAssetsRequest{Parent: "organizations/1", AssetTypes: []string{".*Topic", "iam.*"}}, []string{bank[1], shop[1]}},
		"policies, of what has one":          {&assetpb.ListAssetsRequest{Parent: "organizations/1", ContentType: allPolicies}, []string{bank[2], shop[2]}},
		"many pages, none of them with more": {&assetpb.ListAssetsRequest{Parent: "organizations/1", PageSize: 1}, all},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, _ := listed(t, client, tc.request)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("assets (-want +got):\n%s", d)
			}
		})
	}
}

// The last page says that it is the last: there are as many calls as full pages.
func TestPagesOfAssets(t *testing.T) {
	e, client := inventoried(t, Options{})
	for i := range 10 {
		grpctest.Must(t, e.PubSub.PutTopic(&pubsubpb.Topic{Name: fmt.Sprintf("projects/shop/topics/more-%d", i)}))
	}
	mark := e.Traffic.Mark()
	pager := iterator.NewPager(client.ListAssets(t.Context(), &assetpb.ListAssetsRequest{
		Parent: "projects/shop", ContentType: allResources, AssetTypes: []string{"pubsub.googleapis.com/Topic"},
	}), 11, "")
	var page []*assetpb.Asset
	next, err := pager.NextPage(&page)
	grpctest.Must(t, err)
	if len(page) != 11 || next != "" {
		t.Errorf("%d of 11 topics, and the token %q", len(page), next)
	}
	if calls := len(e.Traffic.Since(mark)); calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestWhatAnAssetShows(t *testing.T) {
	e, client := inventoried(t, Options{})
	grpctest.Must(t, e.ResourceManager.EditPolicy("shop", func(p *iampb.Policy) { policy.Grant(p, "roles/viewer", "user:eve@example.com") }))
	_, resources := listed(t, client, &assetpb.ListAssetsRequest{Parent: "organizations/1", ContentType: allResources})
	data := func(name, field string) any { return resources[name].GetResource().GetData().AsMap()[field] }
	account := "//iam.googleapis.com/projects/bank/serviceAccounts/UID"
	uid, _ := e.IAM.Account("teller@bank.iam.gserviceaccount.com")
	got := map[string]any{
		"the bucket's project":         data("//storage.googleapis.com/shop-logs", "projectNumber"),
		"the bucket's class":           data("//storage.googleapis.com/shop-logs", "storageClass"),
		"the topic's labels":           data("//pubsub.googleapis.com/projects/shop/topics/orders", "labels"),
		"the account's e-mail":         data(account, "email"),
		"the account's name":           resources[account].GetName(),
		"the project's ID":             data("//cloudresourcemanager.googleapis.com/projects/22", "projectId"),
		"the ancestors in a folder":    strings.Join(resources[account].GetAncestors(), " "),
		"the ancestors elsewhere":      strings.Join(resources["//storage.googleapis.com/shop-logs"].GetAncestors(), " "),
		"the parent of a resource":     resources[account].GetResource().GetParent(),
		"the parent of a project":      resources["//cloudresourcemanager.googleapis.com/projects/22"].GetResource().GetParent(),
		"the policy among resources":   resources["//cloudresourcemanager.googleapis.com/projects/11"].GetIamPolicy(),
		"the type of what is listed":   resources[account].GetAssetType(),
		"the schema of what is listed": resources[account].GetResource().GetDiscoveryName(),
	}
	want := map[string]any{
		"the bucket's project": 11.0, "the bucket's class": "STANDARD", "the topic's labels": map[string]any{"team": "shop"},
		"the account's e-mail":         "teller@bank.iam.gserviceaccount.com",
		"the account's name":           "//iam.googleapis.com/projects/bank/serviceAccounts/" + uid.GetUniqueId(),
		"the project's ID":             "bank",
		"the ancestors in a folder":    "projects/22 folders/7 organizations/1",
		"the ancestors elsewhere":      "projects/11 organizations/1",
		"the parent of a resource":     "//cloudresourcemanager.googleapis.com/projects/22",
		"the parent of a project":      "//cloudresourcemanager.googleapis.com/folders/7",
		"the policy among resources":   (*iampb.Policy)(nil),
		"the type of what is listed":   "iam.googleapis.com/ServiceAccount",
		"the schema of what is listed": "ServiceAccount",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("shown (-want +got):\n%s", d)
	}
	_, policies := listed(t, client, &assetpb.ListAssetsRequest{Parent: "organizations/1", ContentType: allPolicies})
	project := policies["//cloudresourcemanager.googleapis.com/projects/11"]
	if !policy.Has(project.GetIamPolicy(), "roles/viewer", "user:eve@example.com") || project.GetResource() != nil {
		t.Errorf("among policies: %v", project)
	}
}

func TestRefusedListsOfAssets(t *testing.T) {
	e, client := inventoried(t, Options{})
	grpctest.Must(t, e.Projects.Withhold("bank", "cloudasset.assets.listIamPolicy"))
	e.Assets.Withhold("folders/7", "cloudasset.assets.listResource")
	const missing = "The caller does not have permission"
	cases := map[string]struct {
		request *assetpb.ListAssetsRequest
		code    codes.Code
		message string
	}{
		"no number":                {&assetpb.ListAssetsRequest{Parent: "organizations/example.com"}, codes.InvalidArgument, "Invalid parent in request."},
		"another collection":       {&assetpb.ListAssetsRequest{Parent: "billingAccounts/1"}, codes.InvalidArgument, "Invalid parent in request."},
		"an organization not seen": {&assetpb.ListAssetsRequest{Parent: "organizations/2"}, codes.PermissionDenied, missing},
		"somebody else's project":  {&assetpb.ListAssetsRequest{Parent: "projects/theirs"}, codes.PermissionDenied, missing},
		"no such project":          {&assetpb.ListAssetsRequest{Parent: "projects/none"}, codes.PermissionDenied, missing},
		"no policies":              {&assetpb.ListAssetsRequest{Parent: "projects/bank", ContentType: allPolicies}, codes.PermissionDenied, missing},
		"no resources":             {&assetpb.ListAssetsRequest{Parent: "folders/7", ContentType: allResources}, codes.PermissionDenied, missing},
		"too large a page":         {&assetpb.ListAssetsRequest{Parent: "projects/shop", PageSize: 1001}, codes.InvalidArgument, "Invalid page size 1001: want 1 to 1000."},
		"a type that is none": {
			&assetpb.ListAssetsRequest{Parent: "projects/shop", AssetTypes: []string{"compute.googleapis.com/Disk"}}, codes.InvalidArgument,
			"No supported asset type matches: compute.googleapis.com/Disk.",
		},
		"a token that is none": {&assetpb.ListAssetsRequest{Parent: "projects/shop", PageToken: "?"}, codes.InvalidArgument, "Invalid page token."},
		"the past": {
			&assetpb.ListAssetsRequest{Parent: "projects/shop", ReadTime: timestamppb.New(time.Unix(0, 0))}, codes.Unimplemented,
			"The emulator lists resources and IAM policies, and those of the present only.",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := client.ListAssets(t.Context(), tc.request).Next()
			grpctest.WantRefusal(t, err, tc.code, tc.message)
		})
	}
	if _, err := client.ListAssets(t.Context(), &assetpb.ListAssetsRequest{Parent: "projects/bank", ContentType: allResources}).Next(); err != nil {
		t.Errorf("with the other permission: %v", err)
	}
}

// TestStaleAssets: what is listed is as old as it is told to be, whatever happened since.
func TestStaleAssets(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	e, client := inventoried(t, Options{Now: func() time.Time { return now }, AssetStaleness: 5 * time.Minute})
	name := func() string {
		_, assets := listed(t, client, &assetpb.ListAssetsRequest{Parent: "projects/bank", ContentType: allResources})
		account := assets["//iam.googleapis.com/projects/bank/serviceAccounts/UID"]
		return account.GetResource().GetData().AsMap()["email"].(string) + " " + fmt.Sprint(account.GetResource().GetData().AsMap()["displayName"])
	}
	rename := func(to string) {
		grpctest.Must(t, e.IAM.EditAccount("teller@bank.iam.gserviceaccount.com", func(a *adminpb.ServiceAccount) { a.DisplayName = to }))
	}
	expect := func(when, want string) {
		t.Helper()
		if got := name(); got != "teller@bank.iam.gserviceaccount.com "+want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	rename("one")
	expect("at first", "one")
	rename("two")
	expect("at once", "one")
	now = now.Add(5 * time.Minute)
	expect("when it is old", "two")
	rename("three")
	e.Assets.Refresh()
	expect("refreshed", "three")
	grpctest.Must(t, e.IAM.DeleteAccount("teller@bank.iam.gserviceaccount.com"))
	expect("deleted", "three")
	_, err := e.IAM.CreateAccount("bank", "teller")
	grpctest.Must(t, err)

	console := func(method, path, body string) {
		t.Helper()
		if code, answer := send(t, e, method, "/emulator/asset/"+path, "", body); code != http.StatusOK {
			t.Fatalf("%s %s: %d %v", method, path, code, answer)
		}
	}
	console(http.MethodPut, "settings", `{"staleness": "0s"}`)
	expect("without staleness", "<nil>")
	console(http.MethodPut, "settings", `{"frozen": true}`)
	rename("four")
	now = now.Add(time.Hour)
	expect("frozen", "<nil>")
	console(http.MethodPost, "view:refresh", "")
	rename("five")
	expect("refreshed while frozen", "four")
	console(http.MethodPut, "settings", `{"frozen": false}`)
	expect("thawed", "five")
	if code, _ := send(t, e, http.MethodPut, "/emulator/asset/settings", "", `{"staleness": "soon"}`); code != http.StatusBadRequest {
		t.Errorf("a staleness that is none: %d", code)
	}
}

// TestAssetsOverREST: gcloud lists assets so.
func TestAssetsOverREST(t *testing.T) {
	e, _ := inventoried(t, Options{})
	client := grpctest.Open(t, assetapi.NewRESTClient, grpctest.Endpoints{URL: e.URL()}.REST())
	first, err := client.ListAssets(t.Context(), &assetpb.ListAssetsRequest{Parent: "folders/7", ContentType: allPolicies}).Next()
	grpctest.Must(t, err)
	if first.GetName() != "//storage.googleapis.com/bank-logs" || len(first.GetIamPolicy().GetBindings()) == 0 {
		t.Errorf("got %v", first)
	}
}

// TestAssetsTakeAPermission: where IAM is enforced, the project's policy says who lists its assets.
func TestAssetsTakeAPermission(t *testing.T) {
	e, client := inventoried(t, Options{EnforceIAM: true})
	list := func() codes.Code {
		_, err := client.ListAssets(t.Context(), &assetpb.ListAssetsRequest{Parent: "projects/bank", ContentType: allResources}).Next()
		return status.Code(err)
	}
	if code := list(); code != codes.PermissionDenied {
		t.Errorf("without a role: %v", code)
	}
	grpctest.Must(t, e.ResourceManager.EditPolicy("bank", func(p *iampb.Policy) {
		policy.Grant(p, "roles/cloudasset.viewer", "serviceAccount:caller@emulator.iam.gserviceaccount.com")
	}))
	if code := list(); code != codes.OK {
		t.Errorf("with the role: %v", code)
	}
}
