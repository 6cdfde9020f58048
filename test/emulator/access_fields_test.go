package emulator

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/asset/apiv1/assetpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/genproto/googleapis/type/expr"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
)

const eve, herRole = "user:eve@example.com", "projects/shop/roles/maker"

// caller makes calls with eve's token, over HTTP and gRPC.
type caller struct {
	t          *testing.T
	cloud      *Emulator
	token      string
	connection *grpc.ClientConn
}

// newCaller is eve in a project that has a bucket, a topic and a schema. What she may do her role says.
func newCaller(t *testing.T) *caller {
	t.Helper()
	e := StartTest(t, Options{EnforceIAM: true, EnforceRequesterPays: true})
	e.Projects.Lookup("shop")
	grpctest.Must(t, e.Storage.CreateBucket("shop", map[string]any{"name": "logs", "ipFilter": map[string]any{"mode": "Disabled"}}))
	grpctest.Must(t, e.PubSub.PutTopic(&pubsubpb.Topic{Name: "projects/shop/topics/orders"}))
	const admin = "user:ada@example.com"
	grpctest.Must(t, e.ResourceManager.EditPolicy("shop", func(p *iampb.Policy) {
		policy.Grant(p, herRole, eve)
		policy.Grant(p, "roles/pubsub.admin", admin)
	}))
	const schema = `{"type": "AVRO", "definition": "{\"type\": \"record\", \"name\": \"Order\", \"fields\": []}"}`
	if code, _ := send(t, e, http.MethodPost, "/v1/projects/shop/schemas?schemaId=order", e.Access.Token(admin), schema); code != http.StatusOK {
		t.Fatalf("making a schema: %d", code)
	}
	connection, err := grpc.NewClient(e.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	grpctest.Must(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	return &caller{t, e, e.Access.Token(eve), connection}
}

// http makes a call over HTTP; its status is that of gRPC.
func (c *caller) http(method, path, body string) error {
	c.t.Helper()
	var answer struct{ Error struct{ Message string } }
	switch code := exchange(c.t, c.cloud, method, path, c.token, body, &answer); code {
	case http.StatusOK:
		return nil
	case http.StatusForbidden:
		return status.Error(codes.PermissionDenied, answer.Error.Message)
	default:
		return status.Errorf(codes.Unknown, "%d %s", code, answer.Error.Message)
	}
}

// rpc makes a call over gRPC, with pairs of metadata.
func (c *caller) rpc(method string, request, response any, pairs ...string) error {
	ctx := metadata.AppendToOutgoingContext(c.t.Context(), append(pairs, "authorization", "Bearer "+c.token)...)
	return c.connection.Invoke(ctx, method, request, response)
}

// TestFieldsTakePermissions: what the content of a call needs besides the permission of its method, over HTTP and gRPC.
func TestFieldsTakePermissions(t *testing.T) {
	buckets := []string{"storage.buckets.create", "storage.buckets.update", "storage.buckets.get"}
	topics := []string{"pubsub.topics.create", "pubsub.topics.update"}
	settings := &pubsubpb.SchemaSettings{Schema: "projects/shop/schemas/order", Encoding: pubsubpb.Encoding_JSON}
	over := func(method, path, body string) func(*caller) error {
		return func(c *caller) error { return c.http(method, path, body) }
	}
	cases := map[string]struct {
		has     []string
		missing string
		call    func(*caller) error
	}{
		"a bucket with an IP filter": {
			buckets, "storage.buckets.setIpFilter", over(http.MethodPost, "/storage/v1/b?project=shop", `{"name": "new", "ipFilter": {"mode": "Disabled"}}`),
		},
		"an IP filter": {buckets, "storage.buckets.setIpFilter", over(http.MethodPatch, "/storage/v1/b/logs", `{"ipFilter": {"mode": "Disabled"}}`)},
		"public access prevention": {
			buckets, "storage.buckets.setIamPolicy", over(http.MethodPatch, "/storage/v1/b/logs", `{"iamConfiguration": {"publicAccessPrevention": "enforced"}}`),
		},
		"object retention": {
			buckets, "storage.buckets.enableObjectRetention", over(http.MethodPost, "/storage/v1/b?project=shop&enableObjectRetention=true", `{"name": "new"}`),
		},
		"billing a project": {buckets, "serviceusage.services.use", over(http.MethodGet, "/storage/v1/b/logs?userProject=shop", ``)},
		"a topic with a schema, over HTTP": {
			topics, "pubsub.schemas.attach", over(http.MethodPut, "/v1/projects/shop/topics/new", `{"schemaSettings": {"schema": "projects/shop/schemas/order", "encoding": "JSON"}}`),
		},
		"a topic with a schema": {topics, "pubsub.schemas.attach", func(c *caller) error {
			return c.rpc(pubsubpb.Publisher_CreateTopic_FullMethodName, &pubsubpb.Topic{Name: "projects/shop/topics/new", SchemaSettings: settings}, &pubsubpb.Topic{})
		}},
		"a schema": {topics, "pubsub.schemas.attach", func(c *caller) error {
			return c.rpc(pubsubpb.Publisher_UpdateTopic_FullMethodName, &pubsubpb.UpdateTopicRequest{
				Topic:      &pubsubpb.Topic{Name: "projects/shop/topics/orders", SchemaSettings: settings},
				UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"schema_settings"}},
			}, &pubsubpb.Topic{})
		}},
		"policies in the inventory": {[]string{"cloudasset.assets.listResource"}, "cloudasset.assets.listIamPolicy", func(c *caller) error {
			return c.rpc(assetpb.AssetService_ListAssets_FullMethodName,
				&assetpb.ListAssetsRequest{Parent: "projects/shop", ContentType: allPolicies}, &assetpb.ListAssetsResponse{})
		}},
		"the quota of a project": {topics, "serviceusage.services.use", func(c *caller) error {
			return c.rpc(pubsubpb.Publisher_CreateTopic_FullMethodName, &pubsubpb.Topic{Name: "projects/shop/topics/new"}, &pubsubpb.Topic{},
				"x-goog-user-project", "shop")
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCaller(t)
			c.cloud.Access.SetRole(herRole, tc.has...)
			err := tc.call(c)
			named := strings.Contains(status.Convert(err).Message(), "eve@example.com does not have "+tc.missing+" access to the Google Cloud ")
			if status.Code(err) != codes.PermissionDenied || named != slices.Equal(tc.has, buckets) {
				t.Errorf("without %s: %v; Cloud Storage names it: %v", tc.missing, err, named)
			}
			c.cloud.Access.SetRole(herRole, append(slices.Clone(tc.has), tc.missing)...)
			if err = tc.call(c); err != nil {
				t.Errorf("with %s: %v", tc.missing, err)
			}
		})
	}
}

// TestAnIPFilterIsShownToWhoMaySeeIt, and Google does not say that there is one to others.
func TestAnIPFilterIsShownToWhoMaySeeIt(t *testing.T) {
	c := newCaller(t)
	for _, seen := range []bool{false, true} {
		c.cloud.Access.SetRole(herRole, "storage.buckets.get")
		if seen {
			c.cloud.Access.SetRole(herRole, "storage.buckets.get", "storage.buckets.getIpFilter")
		}
		var bucket map[string]any
		if code := fetch(t, c.cloud, "/storage/v1/b/logs", c.token, &bucket); code != http.StatusOK {
			t.Fatalf("reading the bucket: %d", code)
		}
		if _, shown := bucket["ipFilter"]; shown != seen {
			t.Errorf("the filter is shown: %v, want %v", shown, seen)
		}
	}
}

// TestALimitOnGrants: whoever may grant some roles changes a policy as long as nobody's other roles change.
func TestALimitOnGrants(t *testing.T) {
	c := newCaller(t)
	c.cloud.Access.SetRole(herRole, "resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy")
	grpctest.Must(t, c.cloud.ResourceManager.EditPolicy("shop", func(p *iampb.Policy) {
		mine := slices.IndexFunc(p.GetBindings(), func(b *iampb.Binding) bool { return b.GetRole() == herRole })
		p.Bindings[mine].Condition = &expr.Expr{
			Title: "limited", Expression: `api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/pubsub.publisher'])`,
		}
		policy.Grant(p, "roles/viewer", "user:ada@example.com")
	}))
	write := func(edit func(*iampb.Policy)) error {
		current := &iampb.Policy{}
		grpctest.Must(t, c.rpc("/google.cloud.resourcemanager.v3.Projects/GetIamPolicy", &iampb.GetIamPolicyRequest{
			Resource: "projects/shop", Options: &iampb.GetPolicyOptions{RequestedPolicyVersion: 3},
		}, current))
		edit(current)
		return c.rpc("/google.cloud.resourcemanager.v3.Projects/SetIamPolicy", &iampb.SetIamPolicyRequest{Resource: "projects/shop", Policy: current}, &iampb.Policy{})
	}
	granted := func(role string) func(*iampb.Policy) {
		return func(p *iampb.Policy) { policy.Grant(p, role, "user:bob@example.com") }
	}
	revoked := func(p *iampb.Policy) {
		p.Bindings = slices.DeleteFunc(p.GetBindings(), func(b *iampb.Binding) bool { return b.GetRole() == "roles/viewer" })
	}
	grpctest.Must(t, write(granted("roles/pubsub.publisher")))
	const refused = "Policy update access denied."
	grpctest.WantRefusal(t, write(granted("roles/viewer")), codes.PermissionDenied, refused)
	grpctest.WantRefusal(t, write(granted("roles/owner")), codes.PermissionDenied, refused)
	grpctest.WantRefusal(t, write(revoked), codes.PermissionDenied, refused)
}
