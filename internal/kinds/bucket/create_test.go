package bucket

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	raw "google.golang.org/api/storage/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

const marks = `"labels":{"holdfast-name":"logs","holdfast-namespace":"default","holdfast-owner":"cluster"`

func TestCreateOnTheWire(t *testing.T) {
	cases := map[string]struct {
		spec      v1alpha1.BucketSpec
		url, body string
	}{
		"nothing set": {
			body: `{` + marks + `},"lifecycle":{"rule":[]},"location":"US","name":"logs"}`,
		},
		"explicit empties": {
			spec: v1alpha1.BucketSpec{
				Lifecycle: &v1alpha1.Lifecycle{}, RetentionPolicy: &v1alpha1.RetentionPolicy{}, CORS: []v1alpha1.CORS{},
				Website: &v1alpha1.Website{}, Logging: &v1alpha1.Logging{}, Encryption: &v1alpha1.BucketEncryption{}, Labels: v1alpha1.Labels{},
				Versioning: &v1alpha1.Versioning{Enabled: new(false)}, Autoclass: &v1alpha1.Autoclass{Enabled: new(false)},
				HierarchicalNamespace: &v1alpha1.HierarchicalNamespace{Enabled: new(false)}, RequesterPays: new(false),
				SoftDeletePolicy: &v1alpha1.SoftDeletePolicy{RetentionSeconds: new(int64(0))},
				IPFilter:         &v1alpha1.IPFilter{Mode: v1alpha1.IPFilterDisabled, VPCNetworkSources: []v1alpha1.VPCNetworkSource{}},
			},
			body: `{` + marks + `},"lifecycle":{"rule":[]},"location":"US","name":"logs","softDeletePolicy":{"retentionDurationSeconds":"0"}}`,
		},
		"a filter": {
			spec: v1alpha1.BucketSpec{IPFilter: &v1alpha1.IPFilter{
				Mode: v1alpha1.IPFilterEnabled, PublicNetworkSource: &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{"192.0.2.0/24"}},
			}},
			body: `{"ipFilter":{"allowAllServiceAgentAccess":false,"allowCrossOrgVpcs":false,"mode":"Enabled","publicNetworkSource":{"allowedIpCidrRanges":["192.0.2.0/24"]},` +
				`"vpcNetworkSources":[]},` + marks + `},"lifecycle":{"rule":[]},"location":"US","name":"logs"}`,
		},
		"a dual-region in lower case": {
			spec: v1alpha1.BucketSpec{Location: "eu", CustomPlacementConfig: &v1alpha1.CustomPlacementConfig{DataLocations: []string{"europe-west1", "europe-west4"}}},
			body: `{"customPlacementConfig":{"dataLocations":["EUROPE-WEST1","EUROPE-WEST4"]},` + marks + `},"lifecycle":{"rule":[]},"location":"EU","name":"logs"}`,
		},
		"a lock is not for now": {
			spec: v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(60)), Locked: new(true)}},
			body: `{` + marks + `},"lifecycle":{"rule":[]},"location":"US","name":"logs","retentionPolicy":{"retentionPeriod":"60"}}`,
		},
		"an event-based hold by default": {
			spec: v1alpha1.BucketSpec{DefaultEventBasedHold: new(true)},
			body: `{"defaultEventBasedHold":true,` + marks + `},"lifecycle":{"rule":[]},"location":"US","name":"logs"}`,
		},
		"folders": {
			spec: v1alpha1.BucketSpec{
				HierarchicalNamespace:    &v1alpha1.HierarchicalNamespace{Enabled: new(true)},
				UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)},
			},
			body: `{"hierarchicalNamespace":{"enabled":true},"iamConfiguration":{"uniformBucketLevelAccess":{"enabled":true}},` + marks + `},"lifecycle":{"rule":[]},"location":"US","name":"logs"}`,
		},
		"object retention": {
			spec: v1alpha1.BucketSpec{ObjectRetention: &v1alpha1.ObjectRetention{Mode: "Enabled"}},
			url:  "/b?enableObjectRetention=true&project=some-project",
			body: `{` + marks + `},"lifecycle":{"rule":[]},"location":"US","name":"logs"}`,
		},
		"logging with Google's prefix": {
			spec: v1alpha1.BucketSpec{Logging: &v1alpha1.Logging{LogBucket: "audit"}},
			body: `{` + marks + `},"lifecycle":{"rule":[]},"location":"US","logging":{"logBucket":"audit","logObjectPrefix":"logs"},"name":"logs"}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			impl, cloud := newCloud(t)
			live, err := impl.Create(t.Context(), ref, &v1alpha1.Bucket{Spec: tc.spec})
			if err != nil {
				t.Fatal(err)
			}
			if tc.url == "" {
				tc.url = "/b?project=some-project"
			}
			want := []request{{Method: "POST", URL: tc.url, Body: tc.body}}
			if diff := cmp.Diff(want, cloud.requests); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if live.Metageneration != 1 || live.ProjectNumber != 123456789 || live.TimeCreated.IsZero() {
				t.Errorf("live %+v lacks what Google answered", live)
			}
		})
	}
}

func TestCreateRefused(t *testing.T) {
	impl, cloud := newCloud(t)
	cloud.fail = func(request) (int, string) {
		return http.StatusConflict, `{"error":{"code":409,"message":"The requested bucket name is not available.","errors":[{"reason":"conflict"}]}}`
	}
	_, err := impl.Create(t.Context(), ref, &v1alpha1.Bucket{})
	if err == nil || !strings.HasPrefix(err.Error(), `creating bucket "logs": `) {
		t.Errorf("error %v; want it to say what was tried", err)
	}
	if len(cloud.requests) != 1 {
		t.Errorf("%d requests; want 1: nothing is retried here", len(cloud.requests))
	}
}

// An answer that breaks off says nothing: whether the bucket is there is for the next look.
func TestCreateAnswerLost(t *testing.T) {
	lost := errors.New("connection reset")
	impl := New(clients{roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(io.MultiReader(strings.NewReader(`{"na`), brokenReader{lost}))}, nil
	})})
	if _, err := impl.Create(t.Context(), ref, &v1alpha1.Bucket{}); !errors.Is(err, lost) {
		t.Errorf("error %v; want %v", err, lost)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }

// noClients says why there are none.
type noClients struct{ err error }

func (n noClients) StorageService(context.Context, string) (*gcp.StorageService, error) {
	return nil, n.err
}

func TestNoClient(t *testing.T) {
	refused := errors.New("impersonating somebody")
	impl := New(noClients{refused})
	live := &Live{Metageneration: 1}
	listing := impl.List(t.Context(), ref, nil)
	_, gettingPolicy := impl.GetPolicy(t.Context(), ref)
	_, settingPolicy := impl.SetPolicy(t.Context(), ref, iampolicy.Policy{Etag: []byte("read")})
	_, observing := impl.Observe(t.Context(), ref)
	_, creating := impl.Create(t.Context(), ref, &v1alpha1.Bucket{})
	contents := impl.Contents(ref, live)[0]
	_, _, listingContents := contents.List(t.Context(), "")
	_, locking := impl.lock(t.Context(), ref, live)
	_, updating := impl.patch(t.Context(), ref, live, &raw.Bucket{StorageClass: "ARCHIVE"})
	for what, err := range map[string]error{
		"observing": observing, "creating": creating, "listing contents": listingContents, "locking": locking, "updating": updating,
		"listing": listing, "getting the policy": gettingPolicy, "setting the policy": settingPolicy,
		"deleting": impl.Delete(t.Context(), ref, live),
	} {
		if !errors.Is(err, refused) {
			t.Errorf("%s: %v; want %v", what, err, refused)
		}
	}
}

func TestObserveNotFound(t *testing.T) {
	impl, _ := newCloud(t)
	if _, err := impl.Observe(t.Context(), ref); !gcp.IsNotFound(err) || !strings.HasPrefix(err.Error(), `getting bucket "logs": `) {
		t.Errorf("error %v; want not found, and what was tried", err)
	}
}
