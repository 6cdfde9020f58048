// Package policytest checks how a kind reads and writes the IAM policy of its resources, in the emulated Google Cloud.
package policytest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Policies are those of a kind's resources.
type Policies interface {
	GetPolicy(ctx context.Context, ref kind.Ref) (iampolicy.Policy, error)
	SetPolicy(ctx context.Context, ref kind.Ref, policy iampolicy.Policy) (iampolicy.Policy, error)
}

// Clients are those of an emulated Google Cloud, for a kind that calls these methods.
func Clients(t *testing.T, cloud *emulator.Emulator, methods ...kind.Method) *gcp.Clients {
	t.Helper()
	rpc := gcp.Endpoint{Address: cloud.GRPCAddr(), Insecure: true}
	storage, err := gcp.ParseEndpoint(cloud.StorageEndpoint(), true)
	if err != nil {
		t.Fatal(err)
	}
	clients, err := gcp.NewClients(gcp.Options{
		Storage: storage, PubSub: rpc, IAM: rpc, ResourceManager: rpc,
		Methods:    methods,
		QuotaShare: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clients.Close(); err != nil {
			t.Error(err)
		}
	})
	return clients
}

// List returns the IDs of all that a kind lists.
func List[L any](ctx context.Context, lister kind.Lister[L], ref kind.Ref) ([]string, error) {
	var ids []string
	err := lister.List(ctx, ref, func(page []kind.Item[L]) bool {
		for _, item := range page {
			ids = append(ids, item.ID)
		}
		return true
	})
	return ids, err
}

// Resource is one that has a policy.
type Resource struct {
	Kind Policies
	// Ref is the resource, and Missing one that is not there.
	Ref, Missing kind.Ref
	// Role is one that can be granted on the resource.
	Role string
	// Unconditional says that no grant on it can have a condition.
	Unconditional bool
}

// Check reads and writes the policy of a resource.
func Check(t *testing.T, cloud *emulator.Emulator, resource Resource) {
	t.Helper()
	c := checker{resource, t, cloud}
	c.readsBackWhatItWrote()
	c.losesNothingToAnother()
	c.namesWhoIsRefused()
	c.keepsTheClasses()
}

type checker struct {
	Resource

	t     *testing.T
	cloud *emulator.Emulator
}

// read reads the policy, in one call.
func (c checker) read() iampolicy.Policy {
	c.t.Helper()
	c.cloud.Traffic.ResetCounts()
	policy, err := c.Kind.GetPolicy(c.t.Context(), c.Ref)
	if err != nil {
		c.t.Fatal(err)
	}
	if n := c.cloud.Traffic.Total(); n != 1 {
		c.t.Errorf("reading took %d calls", n)
	}
	return policy
}

// write writes a policy, in one call.
func (c checker) write(policy iampolicy.Policy) (iampolicy.Policy, error) {
	c.t.Helper()
	c.cloud.Traffic.ResetCounts()
	stored, err := c.Kind.SetPolicy(c.t.Context(), c.Ref, policy)
	if n := c.cloud.Traffic.Total(); n != 1 {
		c.t.Errorf("writing took %d calls", n)
	}
	return stored, err
}

// with is the policy with a grant more.
func (c checker) with(policy iampolicy.Policy, member string, condition iampolicy.Condition) iampolicy.Policy {
	policy.Bindings = append(slices.Clone(policy.Bindings), iampolicy.Binding{Role: c.Role, Members: []string{member}, Condition: condition})
	return policy
}

// readsBackWhatItWrote writes a grant with a condition and one without, the second on top of what the first write returned.
func (c checker) readsBackWhatItWrote() {
	c.t.Helper()
	stored := c.read()
	limited := iampolicy.Condition{Title: "not for long", Expression: `request.time < timestamp("2036-01-01T00:00:00Z")`}
	if c.Unconditional {
		if _, err := c.write(c.with(stored, "user:ann@example.com", limited)); !gcp.IsInvalid(err) {
			c.t.Errorf("a condition: %v", err)
		}
		limited = iampolicy.Condition{}
	}
	for _, added := range []iampolicy.Grant{{Member: "user:ann@example.com", Condition: limited}, {Member: "user:bo@example.com"}} {
		want := c.with(stored, added.Member, added.Condition)
		var err error
		if stored, err = c.write(want); err != nil {
			c.t.Fatal(err)
		}
		if diff := cmp.Diff(grants(want), grants(stored)); diff != "" {
			c.t.Errorf("stored (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(grants(stored), grants(c.read())); diff != "" {
		c.t.Errorf("read (-stored +got):\n%s", diff)
	}
}

// grants are what a policy says, however it says it.
func grants(policy iampolicy.Policy) map[iampolicy.Grant]bool {
	all := map[iampolicy.Grant]bool{}
	for _, b := range policy.Bindings {
		for _, member := range b.Members {
			all[iampolicy.Grant{Role: b.Role, Member: member, Condition: b.Condition}] = true
		}
	}
	return all
}

// losesNothingToAnother writes twice from one reading: the second is refused, and the first stays.
func (c checker) losesNothingToAnother() {
	c.t.Helper()
	read := c.read()
	if _, err := c.write(c.with(read, "user:cy@example.com", iampolicy.Condition{})); err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.write(c.with(read, "user:di@example.com", iampolicy.Condition{})); !gcp.IsConflict(err) {
		c.t.Errorf("a stale write: %v", err)
	}
	if !c.grantsTo("user:cy@example.com") || c.grantsTo("user:di@example.com") {
		c.t.Errorf("what is left: %+v", c.read().Bindings)
	}
	if _, err := c.Kind.SetPolicy(c.t.Context(), c.Ref, iampolicy.Policy{}); !errors.Is(err, iampolicy.ErrUnread) || len(c.read().Bindings) == 0 {
		c.t.Errorf("a policy that was never read: %v", err)
	}
}

func (c checker) grantsTo(member string) bool {
	c.t.Helper()
	return slices.ContainsFunc(c.read().Bindings, func(b iampolicy.Binding) bool { return slices.Contains(b.Members, member) })
}

// namesWhoIsRefused grants something to nobody.
func (c checker) namesWhoIsRefused() {
	c.t.Helper()
	account := "serviceAccount:nobody@" + c.Ref.Project + ".iam.gserviceaccount.com"
	for _, member := range []string{"user:nobody@invalid.example", "group:none@invalid.example", account} {
		_, err := c.write(c.with(c.read(), member, iampolicy.Condition{}))
		if named, ok := gcp.RefusedMember(err); !ok || !gcp.IsMember(member, named) {
			c.t.Errorf("refusing %s names %q: %v", member, named, err)
		}
	}
}

// keepsTheClasses lets calls fail: the class survives, and each failed call was one.
func (c checker) keepsTheClasses() {
	c.t.Helper()
	if _, err := c.Kind.GetPolicy(c.t.Context(), c.Missing); !gcp.IsNotFound(err) && !gcp.IsDenied(err) {
		c.t.Errorf("the policy of nothing: %v", err)
	}
	policy := c.read()
	injected := c.cloud.Traffic.Inject(traffic.Fault{Status: 503})
	defer c.cloud.Traffic.Remove(injected)
	c.cloud.Traffic.ResetCounts()
	if _, err := c.Kind.GetPolicy(c.t.Context(), c.Ref); !gcp.IsUnavailable(err) {
		c.t.Errorf("reading: %v", err)
	}
	if _, err := c.Kind.SetPolicy(c.t.Context(), c.Ref, policy); !gcp.IsUnavailable(err) {
		c.t.Errorf("writing: %v", err)
	}
	if n := c.cloud.Traffic.Total(); n != 2 {
		c.t.Errorf("%d calls, want 2: the engine retries, nobody else", n)
	}
}
