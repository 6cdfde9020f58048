package bucket

import (
	"context"
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// compare finds how a manifest differs from a live bucket.
func compare(obj *v1alpha1.Bucket, live *Live, applied []string) diff.Result[*v1alpha1.Bucket] {
	return diff.Compare(obj, (&Kind{}).Describe(live), applied, fields)
}

// change makes all the calls of an update.
func change(ctx context.Context, impl *Kind, live *Live, result diff.Result[*v1alpha1.Bucket]) (*Live, error) {
	for _, call := range impl.Update(ref, result.Want, result.Changes) {
		var err error
		if live, err = call.Do(ctx, live); err != nil {
			return nil, err
		}
	}
	return live, nil
}

// roundTrip returns the property: what was asked for, once created, shows no difference; nor what was asked for later, once
// updated, with fields changed, cleared, and reset.
func roundTrip(impl *Kind, cloud *cloud) func(*rapid.T) {
	return func(t *rapid.T) {
		ctx := context.Background()
		cloud.requests = nil
		first := &v1alpha1.Bucket{Spec: drawSpec(t, nil)}
		live, err := impl.Create(ctx, ref, first)
		if err != nil {
			t.Fatalf("creating: %v", err)
		}
		result := compare(first, live, nil)
		if left := result.Changes; len(left) > 0 {
			t.Fatalf("what was created differs: %v\nspec %s\nlive %s", left, mustEncode(first.Spec), mustEncode(cloud.bucket))
		}

		applied := result.Managed
		second := &v1alpha1.Bucket{Spec: drawSpec(t, &first.Spec)}
		if live, err = change(ctx, impl, live, compare(second, live, applied)); err != nil {
			t.Fatalf("updating: %v", err)
		}
		if left := compare(second, live, applied).Changes; len(left) > 0 {
			t.Fatalf("what was updated differs: %v\nspec %s\nlive %s\nrequests %v", left, mustEncode(second.Spec), mustEncode(cloud.bucket), cloud.requests)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, roundTrip(newCloud(t)))
}

func FuzzRoundTrip(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(roundTrip(newCloud(f))))
}

// Whatever a bucket looks like, its own description is a spec that changes nothing about it.
func FuzzDescribe(f *testing.F) {
	f.Add(`{"name":"logs","location":"us","lifecycle":{"rule":[{"condition":{"isLive":false,"age":0,"numNewerVersions":0}}]}}`)
	f.Add(`{"name":"logs","autoclass":{"enabled":true},"encryption":{"googleManagedEncryptionEnforcementConfig":{}}}`)
	f.Add(`{"name":"logs","logging":{"logObjectPrefix":"some/prefix"}}`)
	f.Add(`{"name":"logs","ipFilter":{"mode":"Enabled","publicNetworkSource":{"allowedIpCidrRanges":["::/0","x"]},"vpcNetworkSources":[{"network":"n"},{"network":"n"}]}}`)
	f.Add(`{"name":"logs","logging":{"logBucket":"audit","logObjectPrefix":"logs"},"website":{},"cors":[{}],"retentionPolicy":{"retentionPeriod":"1"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var live Live
		if json.Unmarshal([]byte(text), &live) != nil {
			t.Skip("no bucket")
		}
		described := (&Kind{}).Describe(&live)
		result := compare(described, &live, diff.Managed(described, fields))
		if len(result.Changes) > 0 {
			t.Errorf("its own description %s would change %s: %v", mustEncode(described.Spec), text, result.Changes)
		}
	})
}
