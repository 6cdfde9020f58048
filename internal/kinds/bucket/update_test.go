package bucket

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// furnished is a live bucket that has everything.
const furnished = `{
	"name": "logs", "location": "EU", "storageClass": "NEARLINE", "metageneration": "7",
	"projectNumber": "123", "timeCreated": "2026-01-02T03:04:05.678Z",
	"labels": {"team": "payments", "goog-managed": "x", "holdfast-owner": "cluster", "holdfast-namespace": "default", "holdfast-name": "logs"},
	"versioning": {"enabled": true},
	"lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 7}}]},
	"softDeletePolicy": {"retentionDurationSeconds": "700000"},
	"retentionPolicy": {"retentionPeriod": "3600", "effectiveTime": "2026-01-02T03:04:05.678Z"},
	"autoclass": {"enabled": true, "terminalStorageClass": "ARCHIVE", "toggleTime": "2026-01-02T03:04:05.678Z"},
	"rpo": "ASYNC_TURBO",
	"iamConfiguration": {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": {"enabled": true}},
	"cors": [{"origin": ["*"], "method": ["GET"]}],
	"website": {"mainPageSuffix": "index.html", "notFoundPage": "404.html"},
	"logging": {"logBucket": "audit", "logObjectPrefix": "some/prefix"},
	"encryption": {"defaultKmsKeyName": "projects/p/locations/europe/keyRings/r/cryptoKeys/k",
		"googleManagedEncryptionEnforcementConfig": {"restrictionMode": "FullyRestricted"}},
	"ipFilter": {"mode": "Enabled", "publicNetworkSource": {"allowedIpCidrRanges": ["192.0.2.0/24", "2001:db8::/32"]},
		"vpcNetworkSources": [{"network": "projects/p/global/networks/n", "allowedIpCidrRanges": ["10.0.0.0/8"]}],
		"allowCrossOrgVpcs": false, "allowAllServiceAgentAccess": true},
	"billing": {"requesterPays": true},
	"defaultEventBasedHold": true
}`

// bare is a live bucket as Google makes it by default.
const bare = `{
	"name": "logs", "location": "EU", "storageClass": "STANDARD", "metageneration": "7", "rpo": "DEFAULT",
	"projectNumber": "123", "timeCreated": "2026-01-02T03:04:05.678Z",
	"labels": {"holdfast-owner": "cluster", "holdfast-namespace": "default", "holdfast-name": "logs"},
	"softDeletePolicy": {"retentionDurationSeconds": "604800"},
	"iamConfiguration": {"publicAccessPrevention": "inherited", "uniformBucketLevelAccess": {"enabled": false}}
}`

// The body of each patch, for each field: changed, cleared by an explicit empty value, and reset after it was applied.
func TestUpdateOnTheWire(t *testing.T) {
	cases := map[string]struct {
		live    string
		spec    v1alpha1.BucketSpec
		applied []string
		want    []string // the bodies
	}{
		"nothing": {live: furnished},
		"storage class changed": {
			live: bare, spec: v1alpha1.BucketSpec{StorageClass: "COLDLINE"},
			want: []string{`{"storageClass":"COLDLINE"}`},
		},
		"storage class reset": {
			live: furnished, applied: []string{"spec.storageClass"},
			want: []string{`{"storageClass":"STANDARD"}`},
		},
		"a label added, one changed, one removed": {
			live: furnished, spec: v1alpha1.BucketSpec{Labels: v1alpha1.Labels{"stage": "test"}}, applied: []string{"spec.labels[team]"},
			want: []string{`{"labels":{"stage":"test","team":null}}`},
		},
		"a label changed": {
			live: furnished, spec: v1alpha1.BucketSpec{Labels: v1alpha1.Labels{"team": "billing"}},
			want: []string{`{"labels":{"team":"billing"}}`},
		},
		"a prefix of logs that go nowhere, cleared": {
			live: `{"name":"logs","metageneration":"7","labels":{"holdfast-owner":"cluster","holdfast-namespace":"default","holdfast-name":"logs"},"logging":{"logObjectPrefix":"some/prefix"}}`,
			spec: v1alpha1.BucketSpec{Logging: &v1alpha1.Logging{}},
			want: []string{`{"logging":null}`},
		},
		"a log bucket, to which the prefix that nobody manages goes": {
			live: `{"name":"logs","metageneration":"7","labels":{"holdfast-owner":"cluster","holdfast-namespace":"default","holdfast-name":"logs"},"logging":{"logObjectPrefix":"some/prefix"}}`,
			spec: v1alpha1.BucketSpec{Logging: &v1alpha1.Logging{LogBucket: "audit"}},
			want: []string{`{"logging":{"logBucket":"audit","logObjectPrefix":"some/prefix"}}`},
		},
		"a filter added": {
			live: bare, spec: v1alpha1.BucketSpec{IPFilter: &v1alpha1.IPFilter{
				Mode: v1alpha1.IPFilterEnabled, PublicNetworkSource: &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{"192.0.2.0/24"}},
			}},
			want: []string{`{"ipFilter":{"allowAllServiceAgentAccess":false,"allowCrossOrgVpcs":false,"mode":"Enabled",` +
				`"publicNetworkSource":{"allowedIpCidrRanges":["192.0.2.0/24"]},"vpcNetworkSources":[]}}`},
		},
		"a filter changed, the rest of it is not managed": {
			live: furnished, spec: v1alpha1.BucketSpec{IPFilter: &v1alpha1.IPFilter{
				Mode: v1alpha1.IPFilterEnabled, PublicNetworkSource: &v1alpha1.PublicNetworkSource{AllowedIPCIDRRanges: []v1alpha1.IPCIDRRange{}},
			}},
			want: []string{`{"ipFilter":{"allowAllServiceAgentAccess":true,"allowCrossOrgVpcs":false,"mode":"Enabled","publicNetworkSource":{"allowedIpCidrRanges":[]},` +
				`"vpcNetworkSources":[{"allowedIpCidrRanges":["10.0.0.0/8"],"network":"projects/p/global/networks/n"}]}}`},
		},
		"a filter disabled, its ranges kept": {
			live: furnished, spec: v1alpha1.BucketSpec{IPFilter: &v1alpha1.IPFilter{Mode: v1alpha1.IPFilterDisabled}},
			want: []string{`{"ipFilter":{"allowAllServiceAgentAccess":true,"allowCrossOrgVpcs":false,"mode":"Disabled","publicNetworkSource":{"allowedIpCidrRanges":["192.0.2.0/24","2001:db8::/32"]},` +
				`"vpcNetworkSources":[{"allowedIpCidrRanges":["10.0.0.0/8"],"network":"projects/p/global/networks/n"}]}}`},
		},
		"a filter reset": {
			live: furnished, applied: []string{
				"spec.ipFilter.allowAllServiceAgentAccess", "spec.ipFilter.allowCrossOrgVPCs", "spec.ipFilter.mode",
				"spec.ipFilter.publicNetworkSource.allowedIPCIDRRanges", "spec.ipFilter.vpcNetworkSources",
			},
			want: []string{`{"ipFilter":{"allowAllServiceAgentAccess":false,"allowCrossOrgVpcs":false,"mode":"Disabled","publicNetworkSource":{"allowedIpCidrRanges":[]},"vpcNetworkSources":[]}}`},
		},
		"versioning changed": {
			live: bare, spec: v1alpha1.BucketSpec{Versioning: &v1alpha1.Versioning{Enabled: new(true)}},
			want: []string{`{"versioning":{"enabled":true}}`},
		},
		"versioning disabled": {
			live: furnished, spec: v1alpha1.BucketSpec{Versioning: &v1alpha1.Versioning{Enabled: new(false)}},
			want: []string{`{"versioning":{"enabled":false}}`},
		},
		"versioning reset": {
			live: furnished, applied: []string{"spec.versioning.enabled"},
			want: []string{`{"versioning":{"enabled":false}}`},
		},
		"rules changed": {
			live: furnished, spec: v1alpha1.BucketSpec{Lifecycle: &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{{
				Action:    v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleSetStorageClass, StorageClass: "ARCHIVE"},
				Condition: v1alpha1.LifecycleCondition{Age: new(int64(0)), WithState: v1alpha1.LifecycleArchived},
			}}}},
			want: []string{`{"lifecycle":{"rule":[{"action":{"storageClass":"ARCHIVE","type":"SetStorageClass"},"condition":{"age":0,"isLive":false}}]}}`},
		},
		"conditions that are 0, not absent": {
			live: furnished, spec: v1alpha1.BucketSpec{Lifecycle: &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{{
				Action: v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleDelete},
				Condition: v1alpha1.LifecycleCondition{
					DaysSinceCustomTime: new(int64(0)), DaysSinceNoncurrentTime: new(int64(0)), NumNewerVersions: new(int64(0)),
					SizeAboveBytes: new(int64(0)), SizeBelowBytes: new(int64(0)),
				},
			}}}},
			want: []string{`{"lifecycle":{"rule":[{"action":{"type":"Delete"},"condition":{"daysSinceCustomTime":0,"daysSinceNoncurrentTime":0,"numNewerVersions":0,"sizeAboveBytes":"0","sizeBelowBytes":"0"}}]}}`},
		},
		"rules cleared": {
			live: furnished, spec: v1alpha1.BucketSpec{Lifecycle: &v1alpha1.Lifecycle{Rules: []v1alpha1.LifecycleRule{}}},
			want: []string{`{"lifecycle":{"rule":[]}}`},
		},
		"rules reset": {
			live: furnished, applied: []string{"spec.lifecycle.rules"},
			want: []string{`{"lifecycle":{"rule":[]}}`},
		},
		"soft delete changed": {
			live: furnished, spec: v1alpha1.BucketSpec{SoftDeletePolicy: &v1alpha1.SoftDeletePolicy{RetentionSeconds: new(int64(864000))}},
			want: []string{`{"softDeletePolicy":{"retentionDurationSeconds":"864000"}}`},
		},
		"soft delete off": {
			live: furnished, spec: v1alpha1.BucketSpec{SoftDeletePolicy: &v1alpha1.SoftDeletePolicy{RetentionSeconds: new(int64(0))}},
			want: []string{`{"softDeletePolicy":{"retentionDurationSeconds":"0"}}`},
		},
		"soft delete reset": {
			live: furnished, applied: []string{"spec.softDeletePolicy.retentionSeconds"},
			want: []string{`{"softDeletePolicy":{"retentionDurationSeconds":"604800"}}`},
		},
		"retention changed": {
			live: furnished, spec: v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(7200))}},
			want: []string{`{"retentionPolicy":{"retentionPeriod":"7200"}}`},
		},
		"retention locked": {
			live: furnished, spec: v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(3600)), Locked: new(true)}},
			want: []string{`lock at 7`},
		},
		"retention changed and locked": {
			live: furnished, spec: v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(7200)), Locked: new(true)}},
			want: []string{`{"retentionPolicy":{"retentionPeriod":"7200"}}`, `lock at 8`},
		},
		"retention cleared": {
			live: furnished, spec: v1alpha1.BucketSpec{RetentionPolicy: &v1alpha1.RetentionPolicy{}},
			want: []string{`{"retentionPolicy":null}`},
		},
		"retention reset": {
			live: furnished, applied: []string{"spec.retentionPolicy.locked", "spec.retentionPolicy.retentionSeconds"},
			want: []string{`{"retentionPolicy":null}`},
		},
		"autoclass enabled": {
			live: bare, spec: v1alpha1.BucketSpec{Autoclass: &v1alpha1.Autoclass{Enabled: new(true)}},
			want: []string{`{"autoclass":{"enabled":true}}`},
		},
		"terminal class changed": {
			live: furnished, spec: v1alpha1.BucketSpec{Autoclass: &v1alpha1.Autoclass{Enabled: new(true), TerminalStorageClass: "NEARLINE"}},
			want: []string{`{"autoclass":{"enabled":true,"terminalStorageClass":"NEARLINE"}}`},
		},
		"terminal class reset": {
			live: furnished, spec: v1alpha1.BucketSpec{Autoclass: &v1alpha1.Autoclass{Enabled: new(true)}}, applied: []string{"spec.autoclass.enabled", "spec.autoclass.terminalStorageClass"},
			want: []string{`{"autoclass":{"enabled":true,"terminalStorageClass":"NEARLINE"}}`},
		},
		"autoclass disabled": {
			live: furnished, spec: v1alpha1.BucketSpec{Autoclass: &v1alpha1.Autoclass{Enabled: new(false)}},
			want: []string{`{"autoclass":{"enabled":false}}`},
		},
		"autoclass reset": {
			live: furnished, applied: []string{"spec.autoclass.enabled", "spec.autoclass.terminalStorageClass"},
			want: []string{`{"autoclass":{"enabled":false}}`},
		},
		"rpo changed": {
			live: bare, spec: v1alpha1.BucketSpec{RPO: v1alpha1.RPOAsyncTurbo},
			want: []string{`{"rpo":"ASYNC_TURBO"}`},
		},
		"rpo reset": {
			live: furnished, applied: []string{"spec.rpo"},
			want: []string{`{"rpo":"DEFAULT"}`},
		},
		"access changed": {
			live: bare, spec: v1alpha1.BucketSpec{
				UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)},
				PublicAccessPrevention:   v1alpha1.PublicAccessPreventionEnforced,
			},
			want: []string{`{"iamConfiguration":{"publicAccessPrevention":"enforced","uniformBucketLevelAccess":{"enabled":true}}}`},
		},
		"uniform access reset": {
			live: furnished, applied: []string{"spec.uniformBucketLevelAccess.enabled"},
			want: []string{`{"iamConfiguration":{"uniformBucketLevelAccess":{"enabled":false}}}`},
		},
		"public access prevention reset": {
			live: furnished, applied: []string{"spec.publicAccessPrevention"},
			want: []string{`{"iamConfiguration":{"publicAccessPrevention":"inherited"}}`},
		},
		"cors changed": {
			live: furnished, spec: v1alpha1.BucketSpec{CORS: []v1alpha1.CORS{{Origin: []string{"https://a"}, MaxAgeSeconds: new(int64(60))}}},
			want: []string{`{"cors":[{"maxAgeSeconds":60,"origin":["https://a"]}]}`},
		},
		"cors cleared": {
			live: furnished, spec: v1alpha1.BucketSpec{CORS: []v1alpha1.CORS{}},
			want: []string{`{"cors":[]}`},
		},
		"cors reset": {
			live: furnished, applied: []string{"spec.cors"},
			want: []string{`{"cors":[]}`},
		},
		"a page changed": {
			live: furnished, spec: v1alpha1.BucketSpec{Website: &v1alpha1.Website{MainPageSuffix: "home.html"}},
			want: []string{`{"website":{"mainPageSuffix":"home.html","notFoundPage":"404.html"}}`},
		},
		"a page reset": {
			live: furnished, spec: v1alpha1.BucketSpec{Website: &v1alpha1.Website{MainPageSuffix: "index.html"}}, applied: []string{"spec.website.notFoundPage"},
			want: []string{`{"website":{"mainPageSuffix":"index.html","notFoundPage":null}}`},
		},
		"web site cleared": {
			live: furnished, spec: v1alpha1.BucketSpec{Website: &v1alpha1.Website{}},
			want: []string{`{"website":null}`},
		},
		"web site reset": {
			live: furnished, applied: []string{"spec.website.mainPageSuffix", "spec.website.notFoundPage"},
			want: []string{`{"website":null}`},
		},
		"log bucket changed": {
			live: furnished, spec: v1alpha1.BucketSpec{Logging: &v1alpha1.Logging{LogBucket: "other"}},
			want: []string{`{"logging":{"logBucket":"other","logObjectPrefix":"some/prefix"}}`},
		},
		"log prefix reset": {
			live: furnished, spec: v1alpha1.BucketSpec{Logging: &v1alpha1.Logging{LogBucket: "audit"}}, applied: []string{"spec.logging.logObjectPrefix"},
			want: []string{`{"logging":{"logBucket":"audit","logObjectPrefix":"logs"}}`},
		},
		"logging cleared": {
			live: furnished, spec: v1alpha1.BucketSpec{Logging: &v1alpha1.Logging{}},
			want: []string{`{"logging":null}`},
		},
		"logging reset": {
			live: furnished, applied: []string{"spec.logging.logBucket", "spec.logging.logObjectPrefix"},
			want: []string{`{"logging":null}`},
		},
		"key changed": {
			live: bare, spec: v1alpha1.BucketSpec{Encryption: &v1alpha1.BucketEncryption{DefaultKMSKeyName: "projects/p/locations/europe/keyRings/r/cryptoKeys/k2"}},
			want: []string{`{"encryption":{"defaultKmsKeyName":"projects/p/locations/europe/keyRings/r/cryptoKeys/k2"}}`},
		},
		"key reset": {
			live: furnished, applied: []string{"spec.encryption.defaultKMSKeyName"},
			want: []string{`{"encryption":{"defaultKmsKeyName":null}}`},
		},
		"restriction changed": {
			live: furnished, spec: v1alpha1.BucketSpec{Encryption: &v1alpha1.BucketEncryption{
				CustomerSuppliedEncryptionEnforcementConfig: &v1alpha1.EncryptionEnforcementConfig{RestrictionMode: v1alpha1.RestrictionFull},
			}},
			want: []string{`{"encryption":{"customerSuppliedEncryptionEnforcementConfig":{"restrictionMode":"FullyRestricted"}}}`},
		},
		"restriction reset": {
			live: furnished, applied: []string{"spec.encryption.googleManagedEncryptionEnforcementConfig.restrictionMode"},
			want: []string{`{"encryption":{"googleManagedEncryptionEnforcementConfig":{"restrictionMode":"NotRestricted"}}}`},
		},
		"encryption cleared": {
			live: furnished, spec: v1alpha1.BucketSpec{Encryption: &v1alpha1.BucketEncryption{}},
			want: []string{`{"encryption":{"defaultKmsKeyName":null,"googleManagedEncryptionEnforcementConfig":{"restrictionMode":"NotRestricted"}}}`},
		},
		"flags changed": {
			live: bare, spec: v1alpha1.BucketSpec{RequesterPays: new(true), DefaultEventBasedHold: new(true)},
			want: []string{`{"billing":{"requesterPays":true},"defaultEventBasedHold":true}`},
		},
		"flags reset": {
			live: furnished, applied: []string{"spec.defaultEventBasedHold", "spec.requesterPays"},
			want: []string{`{"billing":{"requesterPays":false},"defaultEventBasedHold":false}`},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			impl, cloud := newCloud(t)
			if err := json.Unmarshal([]byte(tc.live), &cloud.bucket); err != nil {
				t.Fatal(err)
			}
			live, err := impl.Observe(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			cloud.requests = nil
			obj := &v1alpha1.Bucket{Spec: tc.spec}
			if live, err = change(t.Context(), impl, live, compare(obj, live, tc.applied)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, cloud.writes(t)); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			if left := compare(obj, live, tc.applied).Changes; len(left) > 0 {
				t.Errorf("still different: %v", left)
			}
		})
	}
}

// writes are the bodies of the patches, and the locks; each with a precondition.
func (c *cloud) writes(t *testing.T) []string {
	t.Helper()
	var bodies []string
	generation := 7
	for _, r := range c.requests {
		switch r.URL {
		case "/b/logs?ifMetagenerationMatch=" + string(rune('0'+generation)):
			bodies = append(bodies, r.Body)
			generation++
		case "/b/logs/lockRetentionPolicy?ifMetagenerationMatch=" + string(rune('0'+generation)):
			bodies = append(bodies, "lock at "+string(rune('0'+generation)))
			generation++
		default:
			t.Errorf("unexpected %s %s", r.Method, r.URL)
		}
	}
	return bodies
}

// A bucket that is not marked yet gets its marks with the first real update, and loses them when it is let go.
func TestMarks(t *testing.T) {
	impl, cloud := newCloud(t)
	cloud.bucket = object{"name": "logs", "metageneration": "7", "labels": object{"team": "x", "goog-managed": "y", "holdfast-owner": "other"}}
	live, err := impl.Observe(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	cloud.requests = nil
	obj := &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{StorageClass: "ARCHIVE"}}
	if live, err = change(t.Context(), impl, live, compare(obj, live, nil)); err != nil {
		t.Fatal(err)
	}
	gone := kind.Ref{Project: ref.Project, ID: ref.ID}
	for _, call := range impl.Update(gone, impl.Describe(live), nil) {
		if _, err := call.Do(t.Context(), live); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		`{"labels":{"holdfast-name":"logs","holdfast-namespace":"default","holdfast-owner":"cluster"},"storageClass":"ARCHIVE"}`,
		`{"labels":{"holdfast-name":null,"holdfast-namespace":null,"holdfast-owner":null}}`,
	}
	if diff := cmp.Diff(want, cloud.writes(t)); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

// Somebody else changed the bucket after it was read: nothing is written, and the class of the error says look again.
func TestStaleUpdate(t *testing.T) {
	impl, cloud := newCloud(t)
	cloud.bucket = object{"name": "logs", "metageneration": "7"}
	live, err := impl.Observe(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	cloud.bucket["metageneration"] = "8"
	obj := &v1alpha1.Bucket{Spec: v1alpha1.BucketSpec{
		StorageClass: "ARCHIVE", RetentionPolicy: &v1alpha1.RetentionPolicy{RetentionSeconds: new(int64(1)), Locked: new(true)},
	}}
	result := compare(obj, live, nil)
	for _, call := range impl.Update(ref, result.Want, result.Changes) {
		if _, err := call.Do(t.Context(), live); !gcp.IsConflict(err) {
			t.Errorf("%s: %v; want a conflict", call.Name, err)
		}
	}
	if err := impl.Delete(t.Context(), ref, live); !gcp.IsConflict(err) {
		t.Errorf("deleting: %v; want a conflict", err)
	}
}
