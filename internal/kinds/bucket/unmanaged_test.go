package bucket

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

func TestUnmanaged(t *testing.T) {
	cases := map[string]struct {
		live string
		want []diff.Unmanaged
	}{
		"nothing":    {live: bare},
		"everything": {live: furnished},
		"outputs": {live: `{"kind":"storage#bucket","id":"logs","name":"logs","etag":"CAE=","generation":"1","satisfiesPZI":true,"autoclass":{"enabled":false,
			"toggleTime":"2026-01-02T03:04:05Z"},"iamConfiguration":{"bucketPolicyOnly":{"enabled":true},"uniformBucketLevelAccess":{"enabled":true}},
			"softDeletePolicy":{"retentionDurationSeconds":"0","effectiveTime":"2026-01-02T03:04:05Z"}}`},
		"a field of the bucket": {
			live: `{"name":"logs","roof": {"tiles":{"colours":["red"]},  "age": 0}}`,
			want: []diff.Unmanaged{{Path: "spec.roof", Value: `{"age":0,"tiles":{"colours":["red"]}}`}},
		},
		"in a section": {
			live: `{"name":"logs","softDeletePolicy":{"retentionDurationSeconds":"0","hardDeletePause":true},"billing":{"requesterPays":true,"tariff":"low"}}`,
			want: []diff.Unmanaged{{Path: "spec.softDeletePolicy.hardDeletePause", Value: "true"}, {Path: "spec.tariff", Value: `"low"`}},
		},
		"in a section of a section": {
			live: `{"name":"logs","iamConfiguration":{"uniformBucketLevelAccess":{"enabled":true,"level":0},"level":1}}`,
			want: []diff.Unmanaged{{Path: "spec.level", Value: "1"}, {Path: "spec.uniformBucketLevelAccess.level", Value: "0"}},
		},
		"in rules": {
			live: `{"name":"logs","lifecycle":{"rule":[{"action":{"type":"Delete"},"condition":{"age":1}},{"name":"second","action":{"type":"Delete","how":"softly"},
				"condition":{"age":1,"weather":["rain"]}}]},"cors":[{"origin":["*"],"weather":"rain"}]}`,
			want: []diff.Unmanaged{
				{Path: "spec.cors[0].weather", Value: `"rain"`},
				{Path: "spec.lifecycle.rules[1].action.how", Value: `"softly"`},
				{Path: "spec.lifecycle.rules[1].condition.weather", Value: `["rain"]`},
				{Path: "spec.lifecycle.rules[1].name", Value: `"second"`},
			},
		},
		"in a filter, and in a list of it": {
			live: `{"name":"logs","ipFilter":{"mode":"Enabled","weather":"rain","publicNetworkSource":{"allowedIpCidrRanges":["192.0.2.0/24"],"weather":0},
				"vpcNetworkSources":[{"network":"projects/p/global/networks/n"},{"network":"projects/p/global/networks/m","weather":false}]}}`,
			want: []diff.Unmanaged{
				{Path: "spec.ipFilter.publicNetworkSource.weather", Value: "0"},
				{Path: "spec.ipFilter.vpcNetworkSources[1].weather", Value: "false"},
				{Path: "spec.ipFilter.weather", Value: `"rain"`},
			},
		},
		"what says nothing": {live: `{"name":"logs","roof":null,"lifecycle":{"rule":[{"condition":{"weather":null}}]}}`},
	}
	byPath := cmpopts.SortSlices(func(a, b diff.Unmanaged) bool { return a.Path < b.Path })
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, (&Kind{}).Unmanaged(observed(t, tc.live)), byPath, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("unmanaged (-want +got):\n%s", d)
			}
		})
	}
}

// brimful is a live bucket with every object that one can have, those of lists twice.
const brimful = `{
	"name": "logs", "customPlacementConfig": {"dataLocations": ["A", "B"]}, "autoclass": {"enabled": false}, "versioning": {"enabled": true},
	"hierarchicalNamespace": {"enabled": false}, "objectRetention": {"mode": "Enabled"}, "billing": {"requesterPays": false},
	"lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 1}}, {"action": {"type": "Delete"}, "condition": {"age": 2}}]},
	"softDeletePolicy": {"retentionDurationSeconds": "0"}, "retentionPolicy": {"retentionPeriod": "60"}, "website": {"mainPageSuffix": "a"},
	"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}}, "cors": [{"maxAgeSeconds": 1}, {"maxAgeSeconds": 2}],
	"logging": {"logBucket": "b"}, "encryption": {"googleManagedEncryptionEnforcementConfig": {"restrictionMode": "NotRestricted"},
		"customerManagedEncryptionEnforcementConfig": {"restrictionMode": "NotRestricted"},
		"customerSuppliedEncryptionEnforcementConfig": {"restrictionMode": "NotRestricted"}},
	"ipFilter": {"mode": "Disabled", "publicNetworkSource": {"allowedIpCidrRanges": []}, "vpcNetworkSources": [{"network": "n"}, {"network": "m"}]}
}`

// Wherever Google adds a field, and whatever its value, it is seen.
func TestUnmanagedAnywhere(t *testing.T) {
	var whole any
	if err := json.Unmarshal([]byte(brimful), &whole); err != nil {
		t.Fatal(err)
	}
	places := 0
	everyObject(whole, func(place map[string]any) {
		places++
		for _, value := range []any{"rain", "", 0.0, false, []any{}, map[string]any{}} {
			place["weather"] = value
			found := (&Kind{}).Unmanaged(observed(t, jsonOf(whole)))
			if len(found) != 1 || !strings.HasSuffix(found[0].Path, ".weather") || found[0].Value != jsonOf(value) {
				t.Errorf("with %v in %s: unmanaged is %v", value, jsonOf(place), found)
			}
		}
		delete(place, "weather")
	})
	if objects := countObjects(reflect.TypeFor[Live]()); places != objects {
		t.Errorf("%d places tried; a bucket has %d", places, objects)
	}
}

func everyObject(value any, visit func(map[string]any)) {
	switch value := value.(type) {
	case map[string]any:
		visit(value)
		for _, key := range slices.Sorted(maps.Keys(value)) {
			everyObject(value[key], visit)
		}
	case []any:
		for _, item := range value {
			everyObject(item, visit)
		}
	}
}

// countObjects counts a type of objects and those in it; in lists there are two of each.
func countObjects(typ reflect.Type) int {
	switch {
	case typ.Kind() == reflect.Pointer:
		return countObjects(typ.Elem())
	case typ.Kind() == reflect.Slice && typ != reflect.TypeFor[json.RawMessage]():
		return 2 * countObjects(typ.Elem())
	case typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]():
		return 0
	}
	count := 1
	for field := range typ.Fields() {
		count += countObjects(field.Type)
	}
	return count
}

// A rule with a condition that the spec has none for is no rule without it.
func TestUnmanagedConditionDiffers(t *testing.T) {
	impl, cloud := newCloud(t)
	cloud.bucket = object{"name": "logs", "metageneration": "7", "storageClass": "STANDARD", "roof": object{"age": 7.0}, "lifecycle": object{"rule": []any{
		object{"action": object{"type": "Delete"}, "condition": object{"age": 7.0, "weather": "rain"}},
	}}}
	k := kind.Of(impl)
	live, err := k.Fields.Observe(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	compared := func(spec v1alpha1.BucketSpec) diff.Result[v1alpha1.Object] {
		result := diff.Compare(v1alpha1.Object(&v1alpha1.Bucket{Spec: spec}), live.Object, nil, k.FieldTraits)
		result.Regard(live.Unmanaged, k.FieldTraits)
		return result
	}
	rules := []v1alpha1.LifecycleRule{{
		Action: v1alpha1.LifecycleAction{Type: v1alpha1.LifecycleDelete}, Condition: v1alpha1.LifecycleCondition{Age: new(int64(7))},
	}}
	want := diff.Changes{{Path: "spec.lifecycle.rules[0].condition.weather", From: `"rain"`}}
	if d := cmp.Diff(want, compared(v1alpha1.BucketSpec{Lifecycle: &v1alpha1.Lifecycle{Rules: rules}}).Changes); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}

	neighbour := compared(v1alpha1.BucketSpec{StorageClass: "ARCHIVE"})
	if len(neighbour.Lost) > 0 {
		t.Errorf("a change of the storage class would remove %v", neighbour.Lost)
	}
	for _, write := range k.Fields.Update(ref, neighbour.Want, neighbour.Changes) {
		if live, err = write.Do(t.Context(), live); err != nil {
			t.Fatal(err)
		}
	}
	if section(cloud.bucket, "roof")["age"] != 7.0 || len(live.Unmanaged) != 2 {
		t.Errorf("after a change of the storage class the bucket is %v", cloud.bucket)
	}

	removal := compared(v1alpha1.BucketSpec{Lifecycle: &v1alpha1.Lifecycle{Rules: rules}})
	for _, write := range k.Fields.Update(ref, removal.Want, removal.Changes) {
		if live, err = write.Do(t.Context(), live); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]diff.Unmanaged{{Path: "spec.roof", Value: `{"age":7}`}}, live.Unmanaged); d != "" {
		t.Errorf("unmanaged, once the removal is written (-want +got):\n%s", d)
	}
}
