package gcp

import (
	"io"
	"net/http"
	"testing"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// testMethods are what these tests call. Those that the kinds declare are tested in internal/kinds.
var testMethods = []kind.Method{
	{Service: kind.ServiceStorage, Name: "buckets.get", Step: kind.StepObserve, Scope: kind.ScopeProject, Permissions: []string{"storage.buckets.get"}},
	{Service: kind.ServiceStorage, Name: "buckets.insert", Step: kind.StepCreate, Scope: kind.ScopeProject, Permissions: []string{"storage.buckets.create"}},
	{Service: kind.ServiceStorage, Name: "buckets.patch", Step: kind.StepUpdate, Scope: kind.ScopeBucket, Permissions: []string{"storage.buckets.update"}},
	{Service: kind.ServiceStorage, Name: "buckets.delete", Step: kind.StepDelete, Scope: kind.ScopeProject, Permissions: []string{"storage.buckets.delete"}},
	{Service: kind.ServicePubSub, Name: "Publisher.GetTopic", Step: kind.StepObserve, Scope: kind.ScopeProject, Permissions: []string{"pubsub.topics.get"}},
	{
		Service: kind.ServicePubSub, Name: "Publisher.CreateTopic", Step: kind.StepCreate, Scope: kind.ScopeProject,
		Permissions: []string{"pubsub.topics.create"}, OnProject: true,
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.GetServiceAccount", Step: kind.StepObserve, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.get"},
	},
	{
		Service: kind.ServiceIAM, Name: "IAM.CreateServiceAccount", Step: kind.StepCreate, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"iam.serviceAccounts.create"}, OnProject: true,
	},
	{
		Service: kind.ServiceResourceManager, Name: "Projects.SetIamPolicy", Step: kind.StepSetPolicy, Scope: kind.ScopeQuotaProject,
		Permissions: []string{"resourcemanager.projects.setIamPolicy"},
	},
}

func TestNewMethods(t *testing.T) {
	get := kind.Method{
		Service: kind.ServiceStorage, Name: "buckets.get", Step: kind.StepObserve, Scope: kind.ScopeProject, Permissions: []string{"storage.buckets.get"},
	}
	also := get
	also.Permissions, also.For = []string{"storage.buckets.getIamPolicy"}, "spec.iam"
	elsewhere := get
	elsewhere.Scope = kind.ScopeBucket
	otherwise, unknown := get, get
	otherwise.Step, unknown.Service = kind.StepList, "compute"
	cases := map[string]struct {
		declared []kind.Method
		want     methods
		err      string
	}{
		"none":                   {nil, methods{}, ""},
		"the first entry counts": {[]kind.Method{get, also}, methods{{kind.ServiceStorage, "buckets.get"}: get}, ""},
		"no scope": {
			[]kind.Method{{Service: kind.ServiceStorage, Name: "buckets.get", Step: kind.StepObserve, Permissions: []string{"storage.buckets.get"}}}, nil,
			`method storage buckets.get: no known scope, but ""`,
		},
		"two scopes": {
			[]kind.Method{get, elsewhere}, nil,
			`method storage buckets.get: declared as observe in the scope "project" and as observe in the scope "bucket"`,
		},
		"two steps": {
			[]kind.Method{get, otherwise}, nil,
			`method storage buckets.get: declared as observe in the scope "project" and as list in the scope "project"`,
		},
		"no quota": {[]kind.Method{unknown}, nil, `method compute buckets.get: no quota is known of compute for reads`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := newMethods(tc.declared)
			message := ""
			if err != nil {
				got, message = nil, err.Error()
			}
			if message != tc.err {
				t.Errorf("error %q, want %q", message, tc.err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(methodName{})); diff != "" {
				t.Errorf("methods (-want +got):\n%s", diff)
			}
		})
	}
	opts := allInsecure(t, "127.0.0.1:1")
	opts.Methods = []kind.Method{elsewhere, get}
	if _, err := NewClients(opts); err == nil {
		t.Error("there are clients in spite of the declaration")
	}
}

// What nobody declared is not sent, over HTTP as over gRPC.
func TestUndeclared(t *testing.T) {
	address, calls := storageServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) })
	cloud := &fakeCloud{}
	registry, opts := prometheus.NewRegistry(), allInsecure(t, cloud.serve(t))
	opts.Storage, opts.Registerer = insecure(t, address), registry
	clients := newClients(t, opts)
	buckets, err := clients.Storage(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	topics, err := clients.Topics(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	logs := buckets.Bucket("logs")
	cases := map[string]struct {
		call func() error
		want string
	}{
		"a method of storage": {func() error {
			_, err := logs.IAM().Policy(t.Context())
			return err
		}, "storage buckets.getIamPolicy"},
		"a path of storage": {func() error {
			_, err := logs.ACL().List(t.Context())
			return err
		}, "storage GET b/*/acl"},
		"an upload": {func() error {
			w := logs.Object("today").NewWriter(t.Context())
			_, err := io.WriteString(w, "hello")
			if err == nil {
				err = w.Close()
			}
			return err
		}, "storage POST /*/storage/*/b/*/o"},
		"a method of Pub/Sub": {func() error {
			return topics.DeleteTopic(t.Context(), &pubsubpb.DeleteTopicRequest{Topic: "projects/p/topics/t"})
		}, "pubsub Publisher.DeleteTopic"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := &Error{Class: kind.Invalid, Message: "no quota scope is declared for " + tc.want + ": add it to the kind's Methods"}
			if diff := cmp.Diff(want, Classify(tc.call()), cmpopts.IgnoreFields(Error{}, "Err")); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
	if n := calls.Load() + cloud.calls.Load(); n != 0 {
		t.Errorf("%d calls were made", n)
	}
	if got := sums(t, registry, "holdfast_gcp_requests_total", "code"); got["undeclared"] != float64(len(cases)) || len(got) > 1 {
		t.Errorf("counted: %v", got)
	}
}
