package gcp

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/grpc/metadata"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestScopes(t *testing.T) {
	c := call{service: kind.ServiceStorage, account: tenant, project: "p", bucket: "b"}
	cases := map[string]struct {
		call  call
		step  kind.Step
		scope kind.Scope
		want  []scope
		say   string // of the last
	}{
		"project": {
			c, kind.StepObserve, kind.ScopeProject, []scope{{kind.ScopeProject, kind.ServiceStorage, bucketReads, "p"}},
			"storage reads of buckets for project p",
		},
		"creation": {
			c, kind.StepCreate, kind.ScopeProject, []scope{{kind.ScopeProject, kind.ServiceStorage, bucketCreates, "p"}},
			"storage creations and deletions of buckets for project p",
		},
		"unknown project": {
			call{service: kind.ServicePubSub}, kind.StepObserve, kind.ScopeProject, []scope{{kind.ScopeProject, kind.ServicePubSub, pubSubOperations, ""}},
			"pubsub administrator operations for an unknown project",
		},
		"bucket": {
			c, kind.StepUpdate, kind.ScopeBucket,
			[]scope{{kind.ScopeProject, kind.ServiceStorage, bucketWrites, "p"}, {kind.ScopeBucket, kind.ServiceStorage, bucketUpdates, "b"}},
			"storage updates for bucket b",
		},
		"contents of a bucket": {
			c, kind.StepEmpty, kind.ScopeContents, []scope{{kind.ScopeContents, kind.ServiceStorage, bucketsContents, "b"}},
			"storage calls for contents of the bucket b",
		},
		"quota project": {
			call{service: kind.ServiceIAM, account: tenant}, kind.StepCreate, kind.ScopeQuotaProject,
			[]scope{{kind.ScopeQuotaProject, kind.ServiceIAM, iamWrites, "tenant"}}, "iam writes for quota project tenant",
		},
		"own quota project": {
			call{service: kind.ServiceIAM}, kind.StepGetPolicy, kind.ScopeQuotaProject, []scope{{kind.ScopeQuotaProject, kind.ServiceIAM, iamReads, ""}},
			"iam reads for the quota project of Holdfast's own credentials",
		},
		"unlimited": {c, kind.StepObserve, kind.ScopeUnlimited, nil, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.call.scopes(kind.Method{Service: tc.call.service, Step: tc.step, Scope: tc.scope})
			if diff := cmp.Diff(tc.want, got, byValue); diff != "" {
				t.Errorf("scopes (-want +got):\n%s", diff)
			}
			if len(got) > 0 && got[len(got)-1].String() != tc.say {
				t.Errorf("says %q, want %q", got[len(got)-1], tc.say)
			}
		})
	}
}

func TestStorageCall(t *testing.T) {
	of := func(method, project, bucket string) call {
		return call{service: kind.ServiceStorage, method: method, account: tenant, project: project, bucket: bucket}
	}
	cases := map[string]struct {
		verb, url, project string
		want               call
	}{
		"get":              {verb: "GET", url: "b/logs?alt=json", want: of("buckets.get", "", "logs")},
		"get, project set": {verb: "GET", url: "b/logs", project: "p", want: of("buckets.get", "p", "logs")},
		"insert":           {verb: "POST", url: "b?project=p", want: of("buckets.insert", "p", "")},
		"list":             {verb: "GET", url: "b?project=p", want: of("buckets.list", "p", "")},
		"patch":            {verb: "PATCH", url: "b/logs", project: "p", want: of("buckets.patch", "p", "logs")},
		"lock":             {verb: "POST", url: "b/logs/lockRetentionPolicy", want: of("buckets.lockRetentionPolicy", "", "logs")},
		"get policy":       {verb: "GET", url: "b/logs/iam?optionsRequestedPolicyVersion=3", project: "p", want: of("buckets.getIamPolicy", "p", "logs")},
		"set policy":       {verb: "PUT", url: "b/logs/iam", project: "p", want: of("buckets.setIamPolicy", "p", "logs")},
		"delete":           {verb: "DELETE", url: "b/logs", project: "p", want: of("buckets.delete", "p", "logs")},
		"bucket called b":  {verb: "GET", url: "b/b", want: of("buckets.get", "", "b")},
		"list objects":     {verb: "GET", url: "b/logs/o", want: of("objects.list", "", "logs")},
		"object":           {verb: "DELETE", url: "b/logs/o/a%2Fb?generation=1", want: of("objects.delete", "", "logs")},
		"list folders":     {verb: "GET", url: "b/logs/folders?pageSize=1", want: of("folders.list", "", "logs")},
		"folder":           {verb: "DELETE", url: "b/logs/folders/a%2Fb%2F", want: of("folders.delete", "", "logs")},
		"managed folder":   {verb: "DELETE", url: "b/logs/managedFolders/a%2F", want: of("managedFolders.delete", "", "logs")},
		"list caches":      {verb: "GET", url: "b/logs/anywhereCaches", want: of("anywhereCaches.list", "", "logs")},
		"disable a cache":  {verb: "POST", url: "b/logs/anywhereCaches/us-central1-a/disable", want: of("anywhereCaches.disable", "", "logs")},
		"something else": {verb: "GET", url: "b/logs/acl/allUsers", want: call{
			service: kind.ServiceStorage, method: "other", unnamed: "GET b/*/acl/*", account: tenant, bucket: "logs",
		}},
		"something odd": {verb: "BREW", url: "coffee", want: call{
			service: kind.ServiceStorage, method: "other", unnamed: "BREW coffee", account: tenant,
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tc.verb, "https://storage.googleapis.com/storage/v1/"+tc.url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if tc.project != "" {
				req = req.WithContext(WithProject(req.Context(), tc.project))
			}
			if diff := cmp.Diff(tc.want, storageCall(req, "/storage/v1/", tenant), cmpopts.EquateComparable(call{})); diff != "" {
				t.Errorf("call (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRPCCall(t *testing.T) {
	cases := map[string]struct{ header, project, want string }{
		"get":                   {"topic=projects%2Fp%2Ftopics%2Ft", "", "p"},
		"update":                {"topic.name=projects%2Fp%2Ftopics%2Ft", "", "p"},
		"list":                  {"project=projects%2Fp", "", "p"},
		"no name":               {"a=b", "", ""},
		"no sense":              {"%zz", "", ""},
		"no name, project set":  {"a=b", "p", "p"},
		"the name says it best": {"project=projects%2Fp", "q", "p"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			ctx := metadata.AppendToOutgoingContext(t.Context(), "x-goog-request-params", tc.header)
			if tc.project != "" {
				ctx = WithProject(ctx, tc.project)
			}
			got := rpcCall(ctx, kind.ServicePubSub, "/google.pubsub.v1.Publisher/GetTopic", tenant)
			want := call{service: kind.ServicePubSub, method: "Publisher.GetTopic", account: tenant, project: tc.want}
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(call{})); diff != "" {
				t.Errorf("call (-want +got):\n%s", diff)
			}
		})
	}
}
