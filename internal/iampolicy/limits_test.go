package iampolicy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

func numbered(format string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(format, i)
	}
	return out
}

// variants are bindings of a role to one member, each under another condition of so many bytes.
func variants(n, size int) []Binding {
	out := make([]Binding, n)
	for i := range out {
		c := Condition{Title: fmt.Sprintf("c%03d", i), Expression: fmt.Sprintf("resource.name==\"%03d", i)}
		c.Expression += strings.Repeat("x", max(0, size-c.size()-1)) + `"`
		out[i] = toIf(c, "roles/a", "user:alice@x.com")
	}
	return out
}

func TestLimits(t *testing.T) {
	const groups = ": grant to groups instead of to their members, or remove some"
	exempt := func(members []string) []AuditConfig {
		return []AuditConfig{{Service: "allServices", Logs: []AuditLog{{Type: "DATA_READ", Exempted: members}}}}
	}
	split := variants(21, 0)
	for i := range split {
		split[i].Members = []string{fmt.Sprintf("user:u%d@x.com", i)}
	}
	cases := map[string]struct {
		reason  string
		in      Input
		want    string
		members int
		groups  int
	}{
		"MembersFit": {
			reason:  "1,500 members are as many as Google allows, each counted as often as it appears.",
			in:      Input{Mode: additive, Wanted: grants(to("roles/b", "user:u0@x.com")), Live: policy(to("roles/a", numbered("user:u%d@x.com", 1499)...))},
			members: 1499,
		},
		"MembersDoNotFit": {
			reason:  "One more is refused, with the live count.",
			in:      Input{Mode: additive, Wanted: grants(to("roles/b", "user:u0@x.com", "user:u1@x.com")), Live: policy(to("roles/a", numbered("user:u%d@x.com", 1499)...))},
			want:    "the policy has 1,499 members and would have 1,501, but Google allows 1,500" + groups,
			members: 1499,
		},
		"ExemptMembersCount": {
			reason: "Members who are exempt from audit logs count as well.",
			in: Input{Mode: additive, Wanted: grants(to("roles/b", "user:u0@x.com")),
				Live: Policy{Etag: etag, Bindings: []Binding{to("roles/a", numbered("user:u%d@x.com", 1490)...)}, AuditConfigs: exempt(numbered("user:u%d@x.com", 10))}},
			want:    "the policy has 1,500 members and would have 1,501, but Google allows 1,500" + groups,
			members: 1500,
		},
		"ExemptMembersDoNotFit": {
			reason:  "Exempting too many is refused, too.",
			in:      Input{Mode: additive, AuditConfigs: exempt(numbered("user:u%d@x.com", 10)), Live: policy(to("roles/a", numbered("user:u%d@x.com", 1499)...))},
			want:    "the policy has 1,499 members and would have 1,509, but Google allows 1,500" + groups,
			members: 1499,
		},
		"ExchangeFits": {
			reason: "What is removed makes room.",
			in: Input{Mode: additive, Wanted: grants(to("roles/b", "user:u0@x.com")), Recorded: grants(to("roles/a", "user:u0@x.com")),
				Live: policy(to("roles/a", numbered("user:u%d@x.com", 1500)...))},
			members: 1500,
		},
		"RemovalIsNotRefused": {
			reason:  "A policy that is too large already can be made smaller.",
			in:      Input{Mode: additive, Recorded: grants(to("roles/a", "user:u0@x.com")), Live: policy(to("roles/a", numbered("user:u%d@x.com", 1600)...))},
			members: 1600,
		},
		"GroupsFit": {
			reason: "A group counts once, however often it appears.",
			in: Input{Mode: additive, Wanted: grants(to("roles/b", numbered("group:g%d@x.com", 250)...)),
				Live: policy(to("roles/a", numbered("group:G%d@x.com", 250)...))},
			members: 250, groups: 250,
		},
		"GroupsDoNotFit": {
			reason:  "251 groups do not fit.",
			in:      Input{Mode: additive, Wanted: grants(to("roles/b", "group:new@x.com")), Live: policy(to("roles/a", numbered("group:g%d@x.com", 250)...))},
			want:    "the policy has 250 groups and domains and would have 251, but Google allows 250: put groups into one, or remove some",
			members: 250, groups: 250,
		},
		"DomainsDoNotFit": {
			reason: "A domain counts each time.",
			in: Input{Mode: additive, Wanted: grants(to("roles/b", "domain:x0.com", "domain:x1.com")),
				Live: policy(to("roles/a", numbered("domain:x%d.com", 249)...))},
			want:    "the policy has 249 groups and domains and would have 251, but Google allows 250: put groups into one, or remove some",
			members: 249, groups: 249,
		},
		"VariantsFit": {
			reason:  "20 conditions of one role for one member fit, and the grant without any does not count.",
			in:      Input{Mode: additive, Wanted: grants(append(variants(20, 0), to("roles/a", "user:alice@x.com"))...), Live: policy(variants(19, 0)...)},
			members: 19,
		},
		"VariantsDoNotFit": {
			reason:  "21 do not.",
			in:      Input{Mode: additive, Wanted: grants(variants(21, 0)...), Live: policy(variants(20, 0)...)},
			want:    "user:alice@x.com has roles/a under 20 conditions and would have it under 21, but Google allows 20: join some with ||, or remove some",
			members: 20,
		},
		"VariantsAreExchanged": {
			reason:  "One for another is no more.",
			in:      Input{Mode: additive, Wanted: grants(variants(21, 0)[1:]...), Recorded: grants(variants(1, 0)...), Live: policy(variants(20, 0)...)},
			members: 20,
		},
		"VariantsOfSeveral": {
			reason: "For several members together there is no limit.",
			in:     Input{Mode: additive, Wanted: grants(split...), Live: policy()},
		},
		"ConditionsFit": {
			reason:  "64 KiB of conditions fit.",
			in:      Input{Mode: additive, Wanted: grants(variants(16, 4096)...), Live: policy(variants(15, 4096)...)},
			members: 15,
		},
		"ConditionsDoNotFit": {
			reason:  "One byte more does not.",
			in:      Input{Mode: additive, Wanted: grants(append(variants(16, 4096)[:15], variants(16, 4097)[15])...), Live: policy(variants(15, 4096)...)},
			want:    "the policy has 61,440 bytes of conditions and would have 65,537, but Google allows 65,536: shorten some, or remove some",
			members: 15,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, _ := plan(t, tc.in)
			if p.Refusal != tc.want || p.Members != tc.members || p.Groups != tc.groups {
				t.Errorf("%s\nrefusal %q, want %q; %d members and %d groups, want %d and %d", tc.reason, p.Refusal, tc.want, p.Members, p.Groups, tc.members, tc.groups)
			}
			converges(t, tc.in, p)
		})
	}
}

// TestTheLargestManifest: what the schema allows in one manifest can be planned.
func TestTheLargestManifest(t *testing.T) {
	var wanted []Binding
	for i := range 250 {
		wanted = append(wanted, to(fmt.Sprintf("roles/r%d", i), numbered("user:u%d@x.com", 6)...))
	}
	p, _ := plan(t, Input{Mode: whole, Self: selfOf(self), Wanted: grants(wanted...), DeletedPrincipals: v1alpha1.IAMDeletedPrincipalsRemove, Live: policy()})
	if p.Refusal != "" || p.Hold != "" || len(p.Add) != 1500 || len(p.Next.Bindings) != 250 {
		t.Errorf("refusal %q, hold %q, adds %d in %d bindings", p.Refusal, p.Hold, len(p.Add), len(p.Next.Bindings))
	}
}
