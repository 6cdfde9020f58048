package bucket

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// observed reads a bucket as Google answers it.
func observed(t *testing.T, text string) *Live {
	t.Helper()
	impl, cloud := newCloud(t)
	if err := json.Unmarshal([]byte(text), &cloud.bucket); err != nil {
		t.Fatal(err)
	}
	live, err := impl.Observe(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return live
}

func TestDescribe(t *testing.T) {
	cases := map[string]struct{ live, want string }{
		"by default: what a bucket can be without is left out": {
			live: bare,
			want: `{"location":"EU","storageClass":"STANDARD","labels":{},"versioning":{"enabled":false},"softDeletePolicy":{"retentionSeconds":604800},
				"autoclass":{"enabled":false},"rpo":"DEFAULT","hierarchicalNamespace":{"enabled":false},"uniformBucketLevelAccess":{"enabled":false},
				"publicAccessPrevention":"inherited","requesterPays":false,"defaultEventBasedHold":false}`,
		},
		"with everything: neither Google's labels nor ours": {
			live: furnished,
			want: `{"location":"EU","storageClass":"NEARLINE","labels":{"team":"payments"},"versioning":{"enabled":true},
				"lifecycle":{"rules":[{"action":{"type":"Delete"},"condition":{"age":7}}]},"softDeletePolicy":{"retentionSeconds":700000},
				"retentionPolicy":{"retentionSeconds":3600,"locked":false},"autoclass":{"enabled":true,"terminalStorageClass":"ARCHIVE"},"rpo":"ASYNC_TURBO",
				"hierarchicalNamespace":{"enabled":false},"uniformBucketLevelAccess":{"enabled":true},"publicAccessPrevention":"enforced",
				"cors":[{"origin":["*"],"method":["GET"]}],"website":{"mainPageSuffix":"index.html","notFoundPage":"404.html"},
				"logging":{"logBucket":"audit","logObjectPrefix":"some/prefix"},
				"encryption":{"defaultKMSKeyName":"projects/p/locations/europe/keyRings/r/cryptoKeys/k",
					"googleManagedEncryptionEnforcementConfig":{"restrictionMode":"FullyRestricted"}},
				"ipFilter":{"mode":"Enabled","publicNetworkSource":{"allowedIPCIDRRanges":["192.0.2.0/24","2001:db8::/32"]},
					"vpcNetworkSources":[{"network":"projects/p/global/networks/n","allowedIPCIDRRanges":["10.0.0.0/8"]}],
					"allowCrossOrgVPCs":false,"allowAllServiceAgentAccess":true},
				"requesterPays":true,"defaultEventBasedHold":true}`,
		},
		"a prefix of logs that go nowhere": {
			live: `{"name":"logs","logging":{"logObjectPrefix":"some/prefix"}}`,
			want: `{"labels":{},"versioning":{"enabled":false},"autoclass":{"enabled":false},"hierarchicalNamespace":{"enabled":false},
				"uniformBucketLevelAccess":{"enabled":false},"publicAccessPrevention":"inherited","logging":{"logObjectPrefix":"some/prefix"},
				"requesterPays":false,"defaultEventBasedHold":false}`,
		},
		"a filter that is left over": {
			live: `{"name":"logs","ipFilter":{"mode":"Disabled","allowCrossOrgVpcs":false,"allowAllServiceAgentAccess":false}}`,
			want: `{"labels":{},"versioning":{"enabled":false},"autoclass":{"enabled":false},"hierarchicalNamespace":{"enabled":false},
				"uniformBucketLevelAccess":{"enabled":false},"publicAccessPrevention":"inherited",
				"ipFilter":{"mode":"Disabled","allowCrossOrgVPCs":false,"allowAllServiceAgentAccess":false},"requesterPays":false,"defaultEventBasedHold":false}`,
		},
		"a region, folders, object retention, old words": {
			live: `{"name":"logs","location":"europe-west3","storageClass":"REGIONAL","hierarchicalNamespace":{"enabled":true},
				"objectRetention":{"mode":"Enabled"},"iamConfiguration":{"publicAccessPrevention":"unspecified"},
				"logging":{"logBucket":"audit","logObjectPrefix":"logs"},"autoclass":{"enabled":false,"toggleTime":"2026-01-02T03:04:05Z","terminalStorageClass":"ARCHIVE"},
				"retentionPolicy":{"retentionPeriod":"60","effectiveTime":"2026-01-02T03:04:05Z","isLocked":true},
				"encryption":{"customerManagedEncryptionEnforcementConfig":{"restrictionMode":"NotRestricted"}}}`,
			want: `{"location":"EUROPE-WEST3","storageClass":"REGIONAL","labels":{},"versioning":{"enabled":false},
				"retentionPolicy":{"retentionSeconds":60,"locked":true},"objectRetention":{"mode":"Enabled"},"autoclass":{"enabled":false},
				"hierarchicalNamespace":{"enabled":true},"uniformBucketLevelAccess":{"enabled":false},"publicAccessPrevention":"inherited",
				"logging":{"logBucket":"audit"},"requesterPays":false,"defaultEventBasedHold":false}`,
		},
		"every condition": {
			live: `{"name":"logs","location":"US","lifecycle":{"rule":[{"action":{"type":"SetStorageClass","storageClass":"ARCHIVE"},"condition":{
				"age":0,"createdBefore":"2026-01-31","customTimeBefore":"2026-02-01","daysSinceCustomTime":1,"daysSinceNoncurrentTime":2,"isLive":false,
				"matchesPrefix":["a"],"matchesSuffix":["b"],"matchesStorageClass":["NEARLINE"],"noncurrentTimeBefore":"2026-02-02","numNewerVersions":3,
				"matchesPattern":"^tmp/","sizeAboveBytes":"5","sizeBelowBytes":"9007199254740993"}}]}}`,
			want: `{"location":"US","labels":{},"versioning":{"enabled":false},"lifecycle":{"rules":[{"action":{"type":"SetStorageClass","storageClass":"ARCHIVE"},"condition":{
				"age":0,"createdBefore":"2026-01-31","customTimeBefore":"2026-02-01","daysSinceCustomTime":1,"daysSinceNoncurrentTime":2,"withState":"ARCHIVED",
				"matchesPrefix":["a"],"matchesSuffix":["b"],"matchesStorageClass":["NEARLINE"],"noncurrentTimeBefore":"2026-02-02","numNewerVersions":3,
				"matchesPattern":"^tmp/","sizeAboveBytes":5,"sizeBelowBytes":9007199254740993}}]},
				"autoclass":{"enabled":false},"hierarchicalNamespace":{"enabled":false},"uniformBucketLevelAccess":{"enabled":false},
				"publicAccessPrevention":"inherited","requesterPays":false,"defaultEventBasedHold":false}`,
		},
		"numbers that are 0, not absent": {
			live: `{"name":"logs","softDeletePolicy":{"retentionDurationSeconds":"0"},"cors":[{"maxAgeSeconds":0}],"lifecycle":{"rule":[{"action":{"type":"Delete"},
				"condition":{"age":0,"daysSinceCustomTime":0,"daysSinceNoncurrentTime":0,"numNewerVersions":0,"sizeAboveBytes":"0","sizeBelowBytes":"0"}}]}}`,
			want: `{"labels":{},"versioning":{"enabled":false},"softDeletePolicy":{"retentionSeconds":0},"cors":[{"maxAgeSeconds":0}],
				"lifecycle":{"rules":[{"action":{"type":"Delete"},"condition":{"age":0,"daysSinceCustomTime":0,"daysSinceNoncurrentTime":0,"numNewerVersions":0,"sizeAboveBytes":0,"sizeBelowBytes":0}}]},
				"autoclass":{"enabled":false},"hierarchicalNamespace":{"enabled":false},"uniformBucketLevelAccess":{"enabled":false},
				"publicAccessPrevention":"inherited","requesterPays":false,"defaultEventBasedHold":false}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var want, got object
			if err := json.Unmarshal([]byte(tc.want), &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(mustEncode((&Kind{}).Describe(observed(t, tc.live)).Spec)), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

// A condition of 0 that the manifest does not have is a difference: it makes the rule apply to fewer objects.
func TestZeroConditionDiffers(t *testing.T) {
	obj := &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{Lifecycle: &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{{
		Action: v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleDelete}, Condition: v1alpha1.LifecycleCondition{Age: new(int64(7))},
	}}}}}
	live := observed(t, `{"name":"logs","lifecycle":{"rule":[{"action":{"type":"Delete"},"condition":{"age":7,"daysSinceNoncurrentTime":0}}]}}`)
	if changes := compare(obj, live, nil).Changes; !changes.Has("spec.lifecycle.rules") {
		t.Errorf("changes %v; want the rules", changes)
	}
}

// Two ways to write the same are no difference.
func TestMeansTheSame(t *testing.T) {
	cases := map[string]struct {
		live string
		spec v1alpha1.BucketSpec
	}{
		"location in lower case": {live: bare, spec: v1alpha1.BucketSpec{Location: "eu"}},
		"data locations in another order and case": {
			live: `{"name":"logs","location":"EU","customPlacementConfig":{"dataLocations":["EUROPE-WEST1","EUROPE-WEST4"]}}`,
			spec: v1alpha1.BucketSpec{CustomPlacementConfig: &v1alpha1.CustomPlacementConfig{DataLocations: []string{"europe-west4", "EUROPE-WEST1"}}},
		},
		"withState ANY": {
			live: furnished,
			spec: v1alpha1.BucketSpec{Lifecycle: &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{{
				Action: v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleDelete}, Condition: v1alpha1.LifecycleCondition{Age: new(int64(7)), WithState: v1alpha1.LifecycleAny},
			}}}},
		},
		"maxAgeSeconds 0": {
			live: furnished, spec: v1alpha1.BucketSpec{CORS: []v1alpha1.CORS{{Origin: []string{"*"}, Method: []string{"GET"}, MaxAgeSeconds: new(int64(0))}}},
		},
		"rpo DEFAULT where there is none": {live: `{"name":"logs","location":"EUROPE-WEST3"}`, spec: v1alpha1.BucketSpec{RPO: v1alpha1.RPODefault}},
		"no restriction where there is none": {live: bare, spec: v1alpha1.BucketSpec{Encryption: &v1alpha1.BucketEncryption{
			GoogleManagedEncryptionEnforcementConfig: &v1alpha1.EncryptionEnforcementConfig{RestrictionMode: v1alpha1.RestrictionNone},
		}}},
		"Google's terminal class": {
			live: `{"name":"logs","autoclass":{"enabled":true,"toggleTime":"2026-01-02T03:04:05Z"}}`,
			spec: v1alpha1.BucketSpec{Autoclass: &v1alpha1.Autoclass{Enabled: new(true), TerminalStorageClass: "NEARLINE"}},
		},
		"ranges and networks in another order, and addresses as they may be written": {
			live: `{"name":"logs","ipFilter":{"mode":"Enabled","publicNetworkSource":{"allowedIpCidrRanges":["2001:db8::/32","192.0.2.0/24"]},
				"vpcNetworkSources":[{"network":"projects/p/global/networks/one","allowedIpCidrRanges":["10.0.0.0/8","172.16.0.0/12"]},
					{"network":"projects/p/global/networks/two","allowedIpCidrRanges":["0.0.0.0/0"]}]}}`,
			spec: v1alpha1.BucketSpec{IPFilter: &v1alpha1.IPFilter{
				Mode:                v1alpha1.IPFilterEnabled,
				PublicNetworkSource: &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{"192.0.2.0/24", "2001:0DB8:0::/32"}},
				VPCNetworkSources: []v1alpha1.VPCNetworkSource{
					{Network: "projects/p/global/networks/two", AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{"0.0.0.0/0"}},
					{Network: "projects/p/global/networks/one", AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{"172.16.0.0/12", "10.0.0.0/8"}},
				},
				AllowCrossOrgVPCs: new(false), AllowAllServiceAgentAccess: new(false),
			}},
		},
		"a filter that lets everybody in where there is none": {live: bare, spec: v1alpha1.BucketSpec{IPFilter: &v1alpha1.IPFilter{
			Mode: v1alpha1.IPFilterDisabled, PublicNetworkSource: &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{}},
			VPCNetworkSources: []v1alpha1.VPCNetworkSource{}, AllowCrossOrgVPCs: new(false), AllowAllServiceAgentAccess: new(false),
		}}},
		"explicit empties": {live: bare, spec: v1alpha1.BucketSpec{
			Labels: v1alpha1.Labels{}, Lifecycle: &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{}}, RetentionPolicy: &v1alpha1.RetentionPolicy{},
			CORS: []v1alpha1.CORS{}, Website: &v1alpha1.Website{}, Logging: &v1alpha1.Logging{}, Encryption: &v1alpha1.BucketEncryption{},
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			obj := &v1alpha1.Bucket{Spec: tc.spec}
			if changes := compare(obj, observed(t, tc.live), diff.Managed(obj, fields)).Changes; len(changes) > 0 {
				t.Errorf("changes %v; want none", changes)
			}
		})
	}
}

func TestLockIsHeld(t *testing.T) {
	const path = "spec.retentionPolicy.locked"
	if fields.Hold(diff.Change{Path: path, From: "false", To: "true"}) == "" {
		t.Error("locking is not held")
	}
	if why := fields.Hold(diff.Change{Path: path, From: "true", To: "false"}); why != "" {
		t.Errorf("what locks nothing is held: %s", why)
	}
}

func TestImmutable(t *testing.T) {
	for path, want := range map[string]bool{
		"spec.location": true, "spec.customPlacementConfig.dataLocations": true, "spec.hierarchicalNamespace.enabled": true,
		"spec.objectRetention.mode": true, "spec.storageClass": false, "spec.labels[team]": false,
	} {
		if got := fields.Immutable(path) != ""; got != want {
			t.Errorf("%s is immutable: %v; want %v", path, got, want)
		}
	}
}

func TestIdentify(t *testing.T) {
	want := kind.Identity{
		UID: "123/2026-01-02T03:04:05.678Z", ProjectNumber: 123,
		Labels: map[string]string{"holdfast-owner": "cluster", "holdfast-namespace": "default", "holdfast-name": "logs"},
	}
	if diff := cmp.Diff(want, (&Kind{}).Identify(observed(t, bare))); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
}

func TestExternalName(t *testing.T) {
	if got, want := (&Kind{}).ExternalName(ref), "//storage.googleapis.com/logs"; got != want {
		t.Errorf("%q; want %q", got, want)
	}
}

func TestReport(t *testing.T) {
	second := func(s string) *metav1.Time {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return new(metav1.NewTime(at))
	}
	live := observed(t, `{"name":"logs","selfLink":"https://www.googleapis.com/storage/v1/b/logs","location":"EU","locationType":"dual-region","projectNumber":"123","metageneration":"7",
		"timeCreated":"2026-01-02T03:04:05.678Z","updated":"2026-01-02T03:04:06.999Z","customPlacementConfig":{"dataLocations":["EUROPE-WEST1","EUROPE-WEST4"]},
		"hierarchicalNamespace":{"enabled":true},"objectRetention":{"mode":"Enabled"},"retentionPolicy":{"isLocked":true,"retentionPeriod":"60","effectiveTime":"2026-01-02T03:04:05Z"},
		"iamConfiguration":{"uniformBucketLevelAccess":{"enabled":true,"lockedTime":"2026-04-02T03:04:05.5Z"}}}`)
	want := v1alpha1.BucketStatus{
		URL: "gs://logs", SelfLink: "https://www.googleapis.com/storage/v1/b/logs", Metageneration: 7,
		Location: "EU", LocationType: "dual-region", DataLocations: []string{"EUROPE-WEST1", "EUROPE-WEST4"},
		HierarchicalNamespace: new(true), ObjectRetention: "Enabled", RetentionPolicyLocked: new(true),
		UniformBucketLevelAccessLockedTime: second("2026-04-02T03:04:05Z"), ProjectNumber: 123,
		TimeCreated: second("2026-01-02T03:04:05Z"), Updated: second("2026-01-02T03:04:06Z"),
	}
	obj := &v1alpha1.Bucket{}
	(&Kind{}).Report(obj, live)
	if diff := cmp.Diff(want, obj.Status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	(&Kind{}).Report(obj, observed(t, `{"name":"logs","location":"US"}`))
	want = v1alpha1.BucketStatus{
		URL: "gs://logs", Location: "US",
		HierarchicalNamespace: new(false), RetentionPolicyLocked: new(false),
	}
	if diff := cmp.Diff(want, obj.Status); diff != "" {
		t.Errorf("status of another bucket (-want +got):\n%s", diff)
	}
}
