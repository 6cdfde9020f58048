package iampolicy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	additive = v1alpha1.IAMAdditive
	byRole   = v1alpha1.IAMAuthoritativeRoles
	whole    = v1alpha1.IAMAuthoritative
)

func TestMake(t *testing.T) {
	const aliceGone = "deleted:serviceAccount:alice@x.com?uid=17"
	cases := map[string]struct {
		reason string
		in     Input
		want   []string
	}{
		"Nothing": {
			reason: "Nothing wanted, nothing there.",
			in:     Input{Mode: additive},
		},
		"Grant": {
			reason: "What is wanted and not there is granted, and then it is own.",
			in:     Input{Mode: additive, Wanted: grants(to("roles/a", "user:alice@x.com", "user:bob@x.com")), Live: policy(to("roles/a", "user:bob@x.com"))},
			want:   []string{"+ spec.bindings[roles/a].members[user:alice@x.com]", "own roles/a user:alice@x.com"},
		},
		"GrantUnderCondition": {
			reason: "A grant without the condition is another one.",
			in:     Input{Mode: additive, Prefix: "spec.iam", Wanted: grants(toIf(logs, "roles/a", "user:alice@x.com")), Live: policy(to("roles/a", "user:alice@x.com"))},
			want:   []string{"+ spec.iam.bindings[roles/a if logs #47dfe47286302c6331a459648c48149169d0b652c5fcb84481890f4c5e47a80d].members[user:alice@x.com]", "own roles/a if logs user:alice@x.com"},
		},
		"DuplicateRolesAndMembers": {
			reason: "Bindings of one role are as one, on both sides.",
			in: Input{Mode: whole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:alice@x.com"), to("roles/a", "user:bob@x.com", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:bob@x.com"), to("roles/a", "user:alice@x.com", "user:bob@x.com"))},
		},
		"Spellings": {
			reason: "Letter case of e-mails and white space of conditions make no difference.",
			in: Input{Mode: whole, Self: selfOf(self),
				Wanted: grants(to("roles/a", "user:Alice@X.com"), toIf(Condition{Title: " logs\n", Expression: "resource.name.startsWith( \"projects/_/buckets/logs\" )\n"}, "roles/a", "group:G@x.com")),
				Live:   policy(to("roles/a", "user:aLICE@x.COM"), toIf(logs, "roles/a", "group:g@x.com"))},
		},
		"PathsIgnoreSpelling": {
			reason: "A path is the same however the manifest spells it.",
			in: Input{Mode: additive, Wanted: grants(to("roles/a", "serviceaccount:Alice@X.com"),
				toIf(Condition{Title: "logs ", Expression: ` resource.name .startsWith("projects/_/buckets/logs")`}, "roles/a", "user:ALICE@x.com"))},
			want: []string{
				"+ spec.bindings[roles/a if logs #47dfe47286302c6331a459648c48149169d0b652c5fcb84481890f4c5e47a80d].members[user:alice@x.com]", "+ spec.bindings[roles/a].members[serviceAccount:alice@x.com]",
				"own roles/a serviceAccount:alice@x.com", "own roles/a if logs user:alice@x.com",
			},
		},

		"AdditiveLeavesOthers": {
			reason: "Others' grants stay, in listed roles too.",
			in:     Input{Mode: additive, Wanted: grants(to("roles/a", "user:alice@x.com")), Live: policy(to("roles/a", "user:alice@x.com", "user:bob@x.com"), to("roles/b", "user:bob@x.com"))},
		},
		"AdditiveRevokesOwn": {
			reason: "What is recorded and no longer wanted is revoked, and nothing else.",
			in: Input{Mode: additive, Managed: true, Recorded: grants(to("roles/a", "user:alice@x.com", "user:carol@x.com")), Wanted: grants(to("roles/a", "user:carol@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com", "user:bob@x.com", "user:carol@x.com"))},
			want: []string{"- spec.bindings[roles/a].members[user:alice@x.com]", "own roles/a user:carol@x.com"},
		},
		"AdditiveTookNothingOver": {
			reason: "What was there before is not own, and stays when it leaves the manifest.",
			in:     Input{Mode: additive, Managed: true, Live: policy(to("roles/a", "user:alice@x.com"))},
		},
		"AdditiveRepairs": {
			reason: "An own grant that somebody removed is made again.",
			in: Input{Mode: additive, Recorded: grants(to("roles/a", "user:alice@x.com")), Wanted: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/b", "user:bob@x.com"))},
			want: []string{"+ spec.bindings[roles/a].members[user:alice@x.com]", "own roles/a user:alice@x.com"},
		},
		"AdditiveRename": {
			reason: "A member that moves to another role is granted the one and revoked the other.",
			in: Input{Mode: additive, Recorded: grants(to("roles/a", "user:alice@x.com")), Wanted: grants(to("roles/b", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com"))},
			want: []string{"- spec.bindings[roles/a].members[user:alice@x.com]", "+ spec.bindings[roles/b].members[user:alice@x.com]", "own roles/b user:alice@x.com"},
		},
		"SaysNothingAnyMore": {
			reason: "A manifest without bindings, or that is being deleted, revokes what it granted, whatever its mode was, and may empty a policy by it.",
			in:     Input{Mode: whole, Recorded: grants(to("roles/a", "user:alice@x.com")), Live: policy(to("roles/a", "user:alice@x.com"))},
			want:   []string{"- spec.bindings[roles/a].members[user:alice@x.com]"},
		},
		"RecordedAndGone": {
			reason: "A record of what is neither wanted nor there is forgotten.",
			in:     Input{Mode: additive, Recorded: grants(to("roles/a", "user:alice@x.com")), Live: policy(to("roles/b", "user:alice@x.com"))},
		},

		"PendingIsThere": {
			reason: "A write whose answer was lost was made: the grant is own.",
			in: Input{Mode: additive, Pending: grants(to("roles/a", "user:alice@x.com")), Wanted: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com"))},
			want: []string{"own roles/a user:alice@x.com"},
		},
		"PendingIsNotThere": {
			reason: "A write was not made, and is not wanted any more: nothing is left of it.",
			in:     Input{Mode: additive, Pending: grants(to("roles/a", "user:alice@x.com")), Live: policy(to("roles/b", "user:alice@x.com"))},
		},
		"PendingLeftTheManifest": {
			reason: "A write was made, and is not wanted any more: it is revoked.",
			in: Input{Mode: additive, Pending: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com", "user:bob@x.com"))},
			want: []string{"- spec.bindings[roles/a].members[user:alice@x.com]"},
		},

		"Unresolved": {
			reason: "While references are missing nothing is removed, and nothing own is forgotten; additions go on.",
			in: Input{Mode: whole, Self: selfOf(self), Unresolved: true, Recorded: grants(to("roles/a", "user:alice@x.com")), Wanted: grants(to("roles/a", "user:bob@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com"), to("roles/b", "user:carol@x.com"))},
			want: []string{"+ spec.bindings[roles/a].members[user:bob@x.com]", "own roles/a user:alice@x.com", "own roles/a user:bob@x.com"},
		},

		"DeclaredByAnother": {
			reason: "What another manifest wants is not revoked, and stays own until it is dropped there too.",
			in: Input{Mode: additive, Recorded: grants(to("roles/a", "user:alice@x.com")), Declared: grants(to("roles/a", "user:Alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com"))},
			want: []string{"own roles/a user:alice@x.com"},
		},
		"DeclaredByAnotherInAnOwnedRole": {
			reason: "Also where the manifest owns the role.",
			in: Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:bob@x.com")), Declared: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com", "user:bob@x.com"))},
		},
		"SharedWithAnother": {
			reason: "What another manifest granted and this one wants too is own here as well.",
			in: Input{Mode: additive, Wanted: grants(to("roles/a", "user:alice@x.com")), Shared: grants(to("roles/a", "user:alice@x.com", "user:bob@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com", "user:bob@x.com"))},
			want: []string{"own roles/a user:alice@x.com"},
		},

		"RolesAreOwned": {
			reason: "Nobody else holds a listed role, under any condition; other roles are left alone.",
			in: Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com", "user:bob@x.com"), toIf(logs, "roles/a", "user:carol@x.com"), to("roles/b", "user:bob@x.com"))},
			want: []string{"- spec.bindings[roles/a if logs #47dfe47286302c6331a459648c48149169d0b652c5fcb84481890f4c5e47a80d].members[user:carol@x.com]", "- spec.bindings[roles/a].members[user:bob@x.com]"},
		},
		"RoleLeavesTheManifest": {
			reason: "Of a role that is no longer listed only own grants are revoked.",
			in: Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:alice@x.com")), Recorded: grants(to("roles/b", "user:alice@x.com")),
				Live: policy(to("roles/a", "user:alice@x.com"), to("roles/b", "user:alice@x.com", "user:bob@x.com"))},
			want: []string{"- spec.bindings[roles/b].members[user:alice@x.com]"},
		},
		"PolicyIsOwned": {
			reason: "Nothing is granted but what is listed, projectEditor: and its like as any other.",
			in: Input{Mode: whole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:alice@x.com", "user:"+self)),
				Live: policy(to("roles/a", "user:alice@x.com", "user:"+self), to("roles/storage.legacyBucketOwner", "projectEditor:p", "projectOwner:p"), to("roles/b", "user:bob@x.com"))},
			want: []string{
				"- spec.bindings[roles/b].members[user:bob@x.com]",
				"- spec.bindings[roles/storage.legacyBucketOwner].members[projectEditor:p]", "- spec.bindings[roles/storage.legacyBucketOwner].members[projectOwner:p]",
			},
		},

		"DeletedIsAnotherPrincipal": {
			reason: "A deleted account does not stand for a new one of its name. It is kept, and reported.",
			in:     Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/a", "serviceAccount:alice@x.com")), Live: policy(to("roles/a", aliceGone))},
			want: []string{
				"+ spec.bindings[roles/a].members[serviceAccount:alice@x.com]", "own roles/a serviceAccount:alice@x.com", "deleted roles/a " + aliceGone,
			},
		},
		"DeletedBlocksNobody": {
			reason: "Others come and go in the same role, and the deleted one is written back as it was.",
			in:     Input{Mode: byRole, Self: selfOf(self), Wanted: grants(to("roles/a", "user:bob@x.com")), Live: policy(to("roles/a", aliceGone, "user:carol@x.com"))},
			want: []string{
				"+ spec.bindings[roles/a].members[user:bob@x.com]", "- spec.bindings[roles/a].members[user:carol@x.com]",
				"own roles/a user:bob@x.com", "deleted roles/a " + aliceGone,
			},
		},
		"DeletedAreRemovedInListedRoles": {
			reason: "Also in Additive mode, if the manifest says so; elsewhere they stay.",
			in: Input{Mode: additive, DeletedPrincipals: v1alpha1.IAMDeletedPrincipalsRemove, Wanted: grants(to("roles/a", "user:bob@x.com")),
				Live: policy(to("roles/a", "user:bob@x.com", aliceGone), to("roles/b", aliceGone))},
			want: []string{"- spec.bindings[roles/a].members[" + aliceGone + "]"},
		},
		"DeletedAreRemovedEverywhere": {
			reason: "Who owns the policy removes them everywhere, without knowing who it is itself.",
			in: Input{Mode: whole, DeletedPrincipals: v1alpha1.IAMDeletedPrincipalsRemove, Wanted: grants(to("roles/a", "user:bob@x.com")),
				Live: policy(to("roles/a", "user:bob@x.com", aliceGone), to("roles/b", aliceGone))},
			want: []string{"- spec.bindings[roles/a].members[" + aliceGone + "]", "- spec.bindings[roles/b].members[" + aliceGone + "]"},
		},
		"DeletedAreKeptEverywhere": {
			reason: "Unless it says so, they are kept even there.",
			in: Input{Mode: whole, Wanted: grants(to("roles/a", "user:bob@x.com")),
				Live: policy(to("roles/a", "user:bob@x.com"), to("roles/b", aliceGone))},
			want: []string{"deleted roles/b " + aliceGone},
		},
		"OwnGrantWasDeleted": {
			reason: "A grant is revoked although its principal was deleted since.",
			in: Input{Mode: additive, Recorded: grants(to("roles/a", "serviceAccount:alice@x.com")),
				Live: policy(to("roles/a", "user:bob@x.com", aliceGone), to("roles/b", aliceGone))},
			want: []string{"- spec.bindings[roles/a].members[" + aliceGone + "]"},
		},
		"OwnGrantOfANewPrincipal": {
			reason: "While a new principal of the name is granted the role, it is that one's grant that is own.",
			in: Input{Mode: additive, Recorded: grants(to("roles/a", "serviceAccount:alice@x.com")),
				Live: policy(to("roles/a", "serviceAccount:alice@x.com", aliceGone))},
			want: []string{"- spec.bindings[roles/a].members[serviceAccount:alice@x.com]", "deleted roles/a " + aliceGone},
		},
		"OwnGrantWasDeletedAndIsWanted": {
			reason: "The account is granted the role anew, and what was granted before stays reported.",
			in: Input{Mode: additive, Recorded: grants(to("roles/a", "serviceAccount:alice@x.com")), Wanted: grants(to("roles/a", "serviceAccount:alice@x.com")),
				Refused: []string{"serviceAccount:Alice@x.com"}, Live: policy(to("roles/a", aliceGone))},
			want: []string{
				"+ spec.bindings[roles/a].members[serviceAccount:alice@x.com]", "own roles/a serviceAccount:alice@x.com", "deleted roles/a " + aliceGone,
			},
		},

		"RefusedMember": {
			reason: "Whom Google refuses is left out, goes on to differ, and holds nobody else up.",
			in: Input{Mode: additive, Wanted: grants(to("roles/a", "user:alice@x.com", "user:Tyop@x.com")), Refused: []string{"user:tyop@x.com"},
				Live: policy(to("roles/b", "user:bob@x.com"))},
			want: []string{
				"+ spec.bindings[roles/a].members[user:alice@x.com]", "+ spec.bindings[roles/a].members[user:tyop@x.com]", "own roles/a user:alice@x.com",
			},
		},
		"RefusedMemberIsThere": {
			reason: "Who is granted the role already was not refused by anybody.",
			in: Input{Mode: additive, Wanted: grants(to("roles/a", "user:alice@x.com")), Refused: []string{"user:alice@x.com"},
				Live: policy(to("roles/a", "user:alice@x.com"))},
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

// converges: once a plan is applied, the next one has nothing to do.
func converges(t fataler, in Input, p Plan) {
	t.Helper()
	if p.Refusal != "" {
		return
	}
	in.Live, in.Recorded, in.Pending, in.First, in.AuditServices = p.Next, p.Own, nil, false, p.OwnServices
	again := Make(in)
	if again.Writes || again.Refusal != "" || again.Hold != "" {
		t.Fatalf("the plan after it has something to do: %q", read(again))
	}
	if d := cmp.Diff(p.Own, again.Own, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("the plan after it owns something else (-first +second):\n%s", d)
	}
	if d := cmp.Diff(p.OwnServices, again.OwnServices); d != "" {
		t.Fatalf("the plan after it owns the audit configs of other services (-first +second):\n%s", d)
	}
	if d := cmp.Diff(p.Kept, again.Kept, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("the plan after it keeps something else (-first +second):\n%s", d)
	}
	refused := 0
	for _, c := range again.Changes {
		if c.From != "" {
			t.Fatalf("the plan after it still removes %s", c.Path)
		}
		refused++
	}
	if refused > 0 && len(in.Refused) == 0 {
		t.Fatalf("the plan after it still differs: %v", again.Changes.Paths())
	}
}

func TestMakeAltersNothingOfItsInput(t *testing.T) {
	members := append(make([]string, 0, 8), "user:bob@x.com", "user:carol@x.com") // room to append in place
	in := Input{
		Mode: additive, Wanted: grants(to("roles/a", "user:alice@x.com", "user:dora@x.com")),
		Live: policy(to("roles/a", members...), to("roles/b", "user:carol@x.com")),
	}
	in.Live.Bindings[0].Members = members
	p, _ := plan(t, in)
	if d := cmp.Diff(to("roles/a", "user:bob@x.com", "user:carol@x.com", "user:alice@x.com", "user:dora@x.com"), p.Next.Bindings[0]); d != "" {
		t.Errorf("next (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"user:bob@x.com", "user:carol@x.com", "", ""}, members[:4]); d != "" {
		t.Errorf("the live policy was written into (-want +got):\n%s", d)
	}
}

func TestChangesShowTheMemberAsJSON(t *testing.T) {
	p, _ := plan(t, Input{Mode: additive, Recorded: grants(to("roles/b", "user:bob@x.com")), Wanted: grants(to("roles/a", "user:Alice@x.com")),
		Live: policy(to("roles/b", "user:Bob@x.com"))})
	if c := p.Changes[0]; c.From != "" || c.To != `"user:alice@x.com"` {
		t.Errorf("an addition is from %q to %q", c.From, c.To)
	}
	if c := p.Changes[1]; c.From != `"user:bob@x.com"` || c.To != "" {
		t.Errorf("a removal is from %q to %q", c.From, c.To)
	}
}

func TestHadIsOwnBeforeTheWrite(t *testing.T) {
	p, _ := plan(t, Input{
		Mode: additive, Wanted: grants(to("roles/a", "user:new@x.com", "user:kept@x.com", "user:lost@x.com")),
		Recorded: grants(to("roles/a", "user:kept@x.com", "user:left@x.com")),
		Pending:  grants(to("roles/a", "user:lost@x.com", "user:lostandleft@x.com", "user:never@x.com")),
		Live:     policy(to("roles/a", "user:kept@x.com", "user:left@x.com", "user:lost@x.com", "user:lostandleft@x.com")),
	})
	had := grants(to("roles/a", "user:kept@x.com", "user:left@x.com", "user:lost@x.com", "user:lostandleft@x.com"))
	if d := cmp.Diff(had, p.Had); d != "" {
		t.Errorf("before (-want +got):\n%s", d)
	}
	if d := cmp.Diff(grants(to("roles/a", "user:kept@x.com", "user:lost@x.com", "user:new@x.com")), p.Own); d != "" {
		t.Errorf("after (-want +got):\n%s", d)
	}
}
