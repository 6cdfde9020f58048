package serviceaccount

import (
	"testing"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

func maybe[V any](t *rapid.T, name string, of *rapid.Generator[V]) *V {
	if !rapid.Bool().Draw(t, "has "+name) {
		return nil
	}
	return new(of.Draw(t, name))
}

// aSpec draws any spec that the schema allows, but for IAM, which is compared elsewhere.
var aSpec = rapid.Custom(func(t *rapid.T) v1alpha1.ServiceAccountSpec {
	return v1alpha1.ServiceAccountSpec{
		DisplayName: maybe(t, "displayName", rapid.StringN(0, -1, 100)),
		Description: maybe(t, "description", rapid.StringN(0, -1, 256)),
		Disabled:    maybe(t, "disabled", rapid.Bool()),
	}
})

// made does what IAM does with a create, and with the call that disables.
func made(want v1alpha1.ServiceAccountSpec) *adminpb.ServiceAccount {
	live := build(want)
	live.Name, live.Email, live.UniqueId = byName, address, uid
	live.Disabled = want.Disabled != nil && *want.Disabled
	return live
}

// roundTrip checks that an account which was made as asked for shows no difference once it is known to have been applied,
// and that nobody touched the manifest.
func roundTrip(t *rapid.T) {
	desired := &v1alpha1.ServiceAccount{Spec: aSpec.Draw(t, "spec")}
	before := desired.DeepCopy()
	created := diff.Compare(desired, &v1alpha1.ServiceAccount{}, nil, fields)
	live := made(created.Want.Spec)
	described := (&Kind{}).Describe(live)
	again := diff.Compare(desired, described, created.Managed, fields)
	if len(again.Changes) > 0 {
		t.Errorf("created as asked for, yet different: %+v", again.Changes)
	}
	if !proto.Equal(live, made(described.Spec)) {
		t.Errorf("what was described builds something else:\n%v\n%v", live, made(described.Spec))
	}
	if diff := cmp.Diff(before, desired); diff != "" {
		t.Errorf("the manifest was changed (-before +after):\n%s", diff)
	}
}

// resetting checks that an account whose manifest became another one is, after one update, as the new one says, and that
// what only the old one had is gone.
func resetting(t *rapid.T) {
	old, desired := &v1alpha1.ServiceAccount{Spec: aSpec.Draw(t, "old")}, &v1alpha1.ServiceAccount{Spec: aSpec.Draw(t, "new")}
	created := diff.Compare(old, &v1alpha1.ServiceAccount{}, nil, fields)
	live := made(created.Want.Spec)
	update := diff.Compare(desired, (&Kind{}).Describe(live), created.Managed, fields)
	updated := merged(live, build(update.Want.Spec), maskOf(update.Changes))
	if update.Changes.Has("spec.disabled") {
		updated.Disabled = made(update.Want.Spec).GetDisabled()
	}
	again := diff.Compare(desired, (&Kind{}).Describe(updated), created.Managed, fields)
	if len(again.Changes) > 0 {
		t.Errorf("updated by %v, yet different: %+v", maskOf(update.Changes).GetPaths(), again.Changes)
	}
	if updated.GetUniqueId() != uid || updated.GetEmail() != address {
		t.Errorf("the update lost who it is: %v", updated)
	}
}

func TestRoundTrip(t *testing.T) { rapid.Check(t, roundTrip) }
func TestResetting(t *testing.T) { rapid.Check(t, resetting) }

func FuzzRoundTrip(f *testing.F) { f.Fuzz(rapid.MakeFuzz(roundTrip)) }
func FuzzResetting(f *testing.F) { f.Fuzz(rapid.MakeFuzz(resetting)) }

// FuzzDescribe feeds accounts as no service would send them: describing them does not panic, and what is built from the
// description is what was described.
func FuzzDescribe(f *testing.F) {
	seed, err := proto.Marshal(liveAccount())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, wire []byte) {
		live := &adminpb.ServiceAccount{}
		if proto.Unmarshal(wire, live) != nil {
			t.Skip("no account")
		}
		described := (&Kind{}).Describe(live)
		(&Kind{}).Report(described, live)
		built := build(described.Spec)
		if built.GetDisplayName() != live.GetDisplayName() || built.GetDescription() != live.GetDescription() {
			t.Errorf("%v came back as %v", live, built)
		}
	})
}
