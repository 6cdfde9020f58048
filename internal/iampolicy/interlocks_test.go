package iampolicy

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	own         = "Holdfast itself has its access through it: remove it by hand if it should go"
	agents      = "the member is a service agent, one of Google's own accounts, and its service may fail without it: list it, or remove it by hand if it should go"
	agentsRole  = "the role is one that Google grants to its services, which may fail without it: list it, or remove it by hand if it should go"
	limitedTime = "somebody else granted it for a limited time, by its condition: let it expire, list it, or remove it by hand if it should go"
	lastOwner   = "nobody would be left in roles/owner: grant it to somebody else first, or remove it by hand if it should go"
)

func TestInterlocks(t *testing.T) {
	const pubsub, gke = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com", "serviceAccount:service-1@container-engine-robot.iam.gserviceaccount.com"
	cases := map[string]struct {
		reason string
		in     Input
		want   []string
	}{
		"SelfLockout": {
			reason: "An authoritative policy that forgets the operator leaves the operator its access, under any condition.",
			in: Input{Mode: whole, Self: selfOf("Holdfast@ops.iam.gserviceaccount.com"), Wanted: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com"), to("roles/iam.admin", "serviceAccount:HOLDFAST@ops.iam.gserviceaccount.com"), toIf(logs, "roles/b", "serviceAccount:"+self))},
			want: []string{
				"kept roles/b if logs serviceAccount:" + self + ": " + own, "kept roles/iam.admin serviceAccount:" + self + ": " + own,
			},
		},
		"SelfLockoutByOwnGrant": {
			reason: "A manifest that granted the operator its access, and forgets it, leaves it too, and remembers that it is own.",
			in: Input{Mode: additive, Self: selfOf(self), Recorded: grants(to("roles/iam.admin", "serviceAccount:"+self)),
				Live: policy(to("roles/iam.admin", "serviceAccount:"+self))},
			want: []string{"own roles/iam.admin serviceAccount:" + self, "kept roles/iam.admin serviceAccount:" + self + ": " + own},
		},
		"SelfLockoutThroughAGroup": {
			reason: "Access may come through a group, a domain or a set, where the operator is named nowhere.",
			in: Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com", "group:ops@x.com", "domain:x.com", "principalSet://goog/p", "projectOwner:p", "user:bob@x.com"))},
			want: []string{
				"- spec.bindings[roles/a].members[domain:x.com]", "- spec.bindings[roles/a].members[group:ops@x.com]",
				"- spec.bindings[roles/a].members[principalSet://goog/p]", "- spec.bindings[roles/a].members[projectOwner:p]",
				"- spec.bindings[roles/a].members[user:bob@x.com]",
				"hold this removes domain:x.com in roles/a, group:ops@x.com in roles/a, principalSet://goog/p in roles/a and 1 more, through which Holdfast may have its access, " +
					"since " + self + " itself is granted nothing in this policy",
			},
		},
		"GroupGoesWhereSelfIsNamed": {
			reason: "Where the operator is named somewhere, a group is a member as any other.",
			in: Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com", "group:ops@x.com"), to("roles/iam.admin", "serviceAccount:"+self))},
			want: []string{"- spec.bindings[roles/a].members[group:ops@x.com]"},
		},
		"OwnGroupGoes": {
			reason: "Before the manifest granted it to the group, the operator had its access already.",
			in:     Input{Mode: additive, Self: selfOf(self), Recorded: grants(to("roles/a", "group:g@x.com")), Live: policy(to("roles/a", "group:g@x.com"))},
			want:   []string{"- spec.bindings[roles/a].members[group:g@x.com]"},
		},
		"UnknownSelf": {
			reason: "As long as nobody knows who the operator is, nothing of others is removed, and nothing is written by half.",
			in: Input{Mode: byRole, Wanted: grants(to("roles/a", "user:alice@x.com", "user:new@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com", "user:bob@x.com"))},
			want: []string{
				"- spec.bindings[roles/a].members[user:bob@x.com]", "+ spec.bindings[roles/a].members[user:new@x.com]",
				"refusal this removes user:bob@x.com in roles/a, and Holdfast does not know its own identity, so it might remove its own access: " +
					"list what should stay, set spec.mode to Additive, or set --gcp-identity to Holdfast's own e-mail",
			},
		},
		"UnknownSelfRevokesOwn": {
			reason: "Own grants are revoked all the same.",
			in:     Input{Mode: byRole, Recorded: grants(to("roles/a", "user:bob@x.com")), Live: policy(to("roles/a", "user:bob@x.com"))},
			want:   []string{"- spec.bindings[roles/a].members[user:bob@x.com]"},
		},

		"LostServiceAgents": {
			reason: "An authoritative policy that forgets the service agents leaves them their roles.",
			in: Input{Mode: whole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com"), to("roles/editor", "serviceAccount:1@cloudservices.gserviceaccount.com"), to("roles/pubsub.serviceAgent", pubsub),
					to("roles/container.serviceAgent", gke, "user:bob@x.com"), to("roles/b", gke))},
			want: []string{
				"kept roles/b " + gke + ": " + agents, "kept roles/container.serviceAgent " + gke + ": " + agents,
				"kept roles/container.serviceAgent user:bob@x.com: " + agentsRole, "kept roles/editor serviceAccount:1@cloudservices.gserviceaccount.com: " + agents,
				"kept roles/pubsub.serviceAgent " + pubsub + ": " + agents,
			},
		},
		"OwnGrantOfAServiceAgent": {
			reason: "What the manifest granted an agent is revoked, except for the role that Google itself grants it.",
			in: Input{Mode: additive, Recorded: grants(to("roles/pubsub.publisher", pubsub), to("roles/pubsub.serviceAgent", pubsub)),
				Live: policy(to("roles/pubsub.publisher", pubsub), to("roles/pubsub.serviceAgent", pubsub))},
			want: []string{
				"- spec.bindings[roles/pubsub.publisher].members[" + pubsub + "]", "own roles/pubsub.serviceAgent " + pubsub,
				"kept roles/pubsub.serviceAgent " + pubsub + ": " + agents,
			},
		},
		"DeletedServiceAgent": {
			reason: "An agent that was deleted has no access any more.",
			in: Input{Mode: whole, Self: selfOf(self), DeletedPrincipals: v1alpha1.IAMDeletedPrincipalsRemove, Wanted: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com"), to("roles/pubsub.serviceAgent", "deleted:"+pubsub+"?uid=5"))},
			want: []string{"- spec.bindings[roles/pubsub.serviceAgent].members[deleted:" + pubsub + "?uid=5]"},
		},

		"LastOwners": {
			reason: "The last owners stay, all of them; a deleted one is none.",
			in: Input{Mode: whole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:carol@x.com")), DeletedPrincipals: v1alpha1.IAMDeletedPrincipalsRemove,
				Live: policy(to("roles/a", "user:carol@x.com"), to("roles/owner", "user:bob@x.com", "user:alice@x.com", "deleted:user:old@x.com?uid=3"))},
			want: []string{
				"- spec.bindings[roles/owner].members[deleted:user:old@x.com?uid=3]",
				"kept roles/owner user:alice@x.com: " + lastOwner, "kept roles/owner user:bob@x.com: " + lastOwner,
				"hold this removes deleted:user:old@x.com?uid=3 from roles/owner",
			},
		},
		"LastOwnerIsOwn": {
			reason: "Also if the manifest granted it.",
			in:     Input{Mode: additive, Self: selfOf(self), Recorded: grants(to("roles/owner", "user:bob@x.com")), Live: policy(to("roles/owner", "user:bob@x.com"))},
			want:   []string{"own roles/owner user:bob@x.com", "kept roles/owner user:bob@x.com: " + lastOwner},
		},
		"OwnerIsReplaced": {
			reason: "An owner goes where another one comes, after somebody has approved.",
			in: Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/owner", "serviceAccount:new@p.iam.gserviceaccount.com")),
				Live: policy(to("roles/owner", "user:bob@x.com"))},
			want: []string{
				"+ spec.bindings[roles/owner].members[serviceAccount:new@p.iam.gserviceaccount.com]", "- spec.bindings[roles/owner].members[user:bob@x.com]",
				"own roles/owner serviceAccount:new@p.iam.gserviceaccount.com", "hold this removes user:bob@x.com from roles/owner",
			},
		},
		"OwnerIsReplacedByARefused": {
			reason: "Not where Google refuses the other one.",
			in: Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/owner", "user:new@x.com")), Refused: []string{"user:new@x.com"},
				Live: policy(to("roles/owner", "user:bob@x.com"))},
			want: []string{"+ spec.bindings[roles/owner].members[user:new@x.com]", "kept roles/owner user:bob@x.com: " + lastOwner},
		},
		"OneOfTwoOwners": {
			reason: "One owner is enough.",
			in:     Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/owner", "user:bob@x.com")), Live: policy(to("roles/owner", "user:bob@x.com", "user:alice@x.com"))},
			want:   []string{"- spec.bindings[roles/owner].members[user:alice@x.com]", "hold this removes user:alice@x.com from roles/owner"},
		},

		"TimeBoundByOthers": {
			reason: "What others granted for a limited time expires without us; other conditions do not.",
			in: Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com"), toIf(fridays, "roles/a", "user:bob@x.com"), toIf(logs, "roles/a", "user:bob@x.com"))},
			want: []string{
				"- spec.bindings[roles/a if logs #47dfe47286302c6331a459648c48149169d0b652c5fcb84481890f4c5e47a80d].members[user:bob@x.com]", "kept roles/a if fridays user:bob@x.com: " + limitedTime,
			},
		},
		"TimeBoundByUs": {
			reason: "What the manifest granted for a limited time it revokes.",
			in: Input{Mode: additive, Recorded: grants(toIf(fridays, "roles/a", "user:bob@x.com")),
				Live: policy(toIf(fridays, "roles/a", "user:bob@x.com"))},
			want: []string{"- spec.bindings[roles/a if fridays #824acd795caa9c1f227cc9511375c8813c91c1b57fe0a46732333629d733cbcb].members[user:bob@x.com]"},
		},

		"EmptiedPolicy": {
			reason: "Whatever a manifest lists, nothing of it being granted empties the policy.",
			in: Input{Mode: whole, Managed: true, Self: selfOf(self), Wanted: grants(to("roles/a", "user:tyop@x.com")), Refused: []string{"user:tyop@x.com"},
				Live: policy(to("roles/b", "user:bob@x.com"), to("roles/c", "serviceAccount:"+self))},
			want: []string{
				"+ spec.bindings[roles/a].members[user:tyop@x.com]", "- spec.bindings[roles/b].members[user:bob@x.com]",
				"kept roles/c serviceAccount:" + self + ": " + own,
				"refusal this would leave the policy empty, and nobody would have access through it: list in spec.bindings what should be granted",
			},
		},
		"EmptiedPolicyByAnEmptyManifest": {
			reason: "The schema refuses a manifest that owns the policy and lists nothing; should one come through, nothing happens.",
			in:     Input{Mode: whole, Managed: true, Self: selfOf(self), Prefix: "spec.iam", Live: policy(to("roles/b", "user:bob@x.com"))},
			want: []string{
				"- spec.iam.bindings[roles/b].members[user:bob@x.com]",
				"refusal this would leave the policy empty, and nobody would have access through it: list in spec.iam.bindings what should be granted",
			},
		},
		"EmptiedRole": {
			reason: "A policy that a role's owner would empty is refused as well.",
			in: Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:tyop@x.com")), Refused: []string{"user:tyop@x.com"},
				Live: policy(to("roles/a", "user:bob@x.com"))},
			want: []string{
				"- spec.bindings[roles/a].members[user:bob@x.com]", "+ spec.bindings[roles/a].members[user:tyop@x.com]",
				"refusal this would leave the policy empty, and nobody would have access through it: list in spec.bindings what should be granted",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, got := plan(t, tc.in)
			if d := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, d)
			}
			converges(t, tc.in, p)
		})
	}
}

func TestNoWriteWithoutAnEtag(t *testing.T) {
	in := Input{Mode: additive, Wanted: grants(to("roles/a", "user:alice@x.com")), Prefix: "spec", Live: Policy{Bindings: []Binding{to("roles/b", "user:bob@x.com")}}}
	p := Make(in)
	check(t, in, p)
	const want = "Google returned the policy without an etag, and writing it without one could overwrite a change that somebody else makes at the same time: Holdfast reads it again later"
	if p.Refusal != want || p.Writes || len(p.Own) > 0 {
		t.Errorf("refusal %q, writes %v, own %v", p.Refusal, p.Writes, p.Own)
	}
	in.Live.Bindings = append(in.Live.Bindings, to("roles/a", "user:alice@x.com"))
	if p := Make(in); p.Refusal != "" {
		t.Errorf("nothing is to be written, and it is refused: %q", p.Refusal)
	}
}

func TestARefusedPlanChangesNothingOfWhatIsOwn(t *testing.T) {
	p, _ := plan(t, Input{Mode: byRole, Wanted: grants(to("roles/a", "user:new@x.com", "user:lost@x.com")),
		Recorded: grants(to("roles/b", "user:left@x.com")), Pending: grants(to("roles/a", "user:lost@x.com")),
		Live: policy(to("roles/a", "user:bob@x.com", "user:lost@x.com"), to("roles/b", "user:left@x.com"))})
	if p.Refusal == "" {
		t.Fatal("not refused, although nobody knows who the operator is")
	}
	if d := cmp.Diff(grants(to("roles/a", "user:lost@x.com"), to("roles/b", "user:left@x.com")), p.Own); d != "" {
		t.Errorf("own (-want +got):\n%s", d)
	}
}

func TestHolds(t *testing.T) {
	crowd := make([]string, 11)
	for i := range crowd {
		crowd[i] = fmt.Sprintf("user:u%02d@x.com", i)
	}
	const many = "removes 11 members from their roles, and spec.iam.safety.maxRemovals is 10"
	cases := map[string]struct {
		reason string
		in     Input
		want   string
	}{
		"AsManyAsAllowed": {
			reason: "As many as maxRemovals go without approval.",
			in:     Input{Mode: byRole, Wanted: grants(to("roles/a", "user:alice@x.com")), Live: policy(to("roles/a", crowd[:10]...))},
		},
		"TooMany": {
			reason: "One more waits.",
			in:     Input{Mode: byRole, Wanted: grants(to("roles/a", "user:alice@x.com")), Live: policy(to("roles/a", crowd...))},
			want:   "this " + many,
		},
		"TooManyOwn": {
			reason: "Whoever granted them.",
			in:     Input{Mode: additive, Recorded: grants(to("roles/a", crowd...)), Live: policy(to("roles/a", crowd...))},
			want:   "this " + many,
		},
		"AskedForEach": {
			reason: "With 0 each removal waits.",
			in:     Input{Mode: additive, MaxRemovals: -1, Recorded: grants(to("roles/a", crowd[0])), Live: policy(to("roles/a", crowd...))},
			want:   "this removes 1 member from their roles, and spec.iam.safety.maxRemovals is 0",
		},
		"Additions": {
			reason: "Additions never wait.",
			in:     Input{Mode: whole, First: true, Wanted: grants(to("roles/owner", crowd...)), Live: policy()},
		},
		"First": {
			reason: "The first authoritative plan that removes anything waits.",
			in:     Input{Mode: byRole, First: true, Wanted: grants(to("roles/a", crowd[1])), Live: policy(to("roles/a", crowd[:2]...))},
			want:   "this is the first with spec.iam.mode AuthoritativeRoles that removes anything",
		},
		"FirstAdditive": {
			reason: "The first additive one does not.",
			in:     Input{Mode: additive, First: true, Managed: true, Recorded: grants(to("roles/a", crowd[0])), Live: policy(to("roles/a", crowd[:2]...))},
		},
		"FirstSaysNothing": {
			reason: "Nor does one that says nothing any more.",
			in:     Input{Mode: whole, First: true, Recorded: grants(to("roles/a", crowd[0])), Live: policy(to("roles/a", crowd[:2]...))},
		},
		"Several": {
			reason: "Several reasons are one sentence.",
			in: Input{Mode: whole, First: true, Wanted: grants(to("roles/owner", "user:alice@x.com")),
				Live: policy(to("roles/owner", "user:alice@x.com", "user:bob@x.com"), to("roles/a", crowd[:9]...), to("roles/b", "domain:x.com"))},
			want: "this " + many + "; and it removes user:bob@x.com from roles/owner; and it is the first with spec.iam.mode Authoritative that removes anything; " +
				"and it removes domain:x.com in roles/b, through which Holdfast may have its access, since " + self + " itself is granted nothing in this policy",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.in.Self, tc.in.Prefix = selfOf(self), "spec.iam"
			switch tc.in.MaxRemovals {
			case 0:
				tc.in.MaxRemovals = DefaultMaxRemovals
			case -1:
				tc.in.MaxRemovals = 0
			}
			tc.in.Live.Etag = etag
			p := Make(tc.in)
			check(t, tc.in, p)
			if p.Hold != tc.want || p.Refusal != "" {
				t.Errorf("%s\nhold %q, want %q; refusal %q", tc.reason, p.Hold, tc.want, p.Refusal)
			}
			converges(t, tc.in, p)
		})
	}
}
