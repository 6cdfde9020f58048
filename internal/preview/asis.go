package preview

import (
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// AsIs is the manifest with what is live in place of what differs: applied, it would change nothing. What it manages it still manages, unless
// there is nothing live to say. Left are the changes for which a manifest has no words that would undo them.
func (v *Preview) AsIs() (asIs v1alpha1.Object, left diff.Changes) {
	asIs = v.Object.DeepCopyObject().(v1alpha1.Object)
	if v.Fields != nil {
		var back diff.Changes
		for _, c := range v.Fields.Changes {
			back = append(back, diff.Change{Path: c.Path, From: c.To, To: c.From})
		}
		asIs = diff.Apply(asIs, back, v.Kind.FieldTraits)
		for _, c := range v.Fields.Changes {
			if diff.Lookup(asIs, c.Path) != c.From && !v.coveredBy(c.Path) {
				left = append(left, c)
			}
		}
	}
	if v.Policy != nil {
		if spec, _ := v.Kind.Policy.Of(asIs); spec != nil {
			spec.Bindings = v.bindingsAsTheyAre(spec.Bindings)
		}
		for _, c := range v.Policy.Changes() {
			if !strings.HasPrefix(c.Path, v.Policy.In.Prefix+".bindings[") {
				left = append(left, c)
			}
		}
	}
	return asIs, left
}

// coveredBy says whether a path is of something in a list that changes as a whole.
func (v *Preview) coveredBy(path string) bool {
	return slices.ContainsFunc(v.Fields.Lost, func(u diff.Unmanaged) bool { return u.Path == path })
}

// bindingsAsTheyAre are bindings without the grants that are missing in the live policy, and with those that would be revoked.
func (v *Preview) bindingsAsTheyAre(bindings []v1alpha1.IAMBinding) []v1alpha1.IAMBinding {
	live := map[iampolicy.Grant]bool{}
	for _, b := range v.Policy.In.Live.Bindings {
		for _, member := range b.Members {
			live[iampolicy.Grant{Role: b.Role, Member: member, Condition: b.Condition}.Normal()] = true
		}
	}
	var out []v1alpha1.IAMBinding
	for _, b := range bindings {
		grant := iampolicy.Grant{Role: b.Role, Condition: conditionOf(b)}
		gone := func(member string) bool {
			grant.Member = member
			return member != "" && !live[grant.Normal()]
		}
		b.Members = slices.DeleteFunc(slices.Clone(b.Members), func(m v1alpha1.IAMMember) bool { return gone(string(m)) })
		b.ServiceAccountRefs = slices.DeleteFunc(slices.Clone(b.ServiceAccountRefs), func(ref v1alpha1.ServiceAccountRef) bool {
			return gone(v.memberOf(ref))
		})
		if len(b.Members)+len(b.ServiceAccountRefs) > 0 {
			out = append(out, b)
		}
	}
	for _, g := range v.Policy.Plan.Revoke {
		out = withGrant(out, g)
	}
	return out
}

// memberOf is whom a reference means; empty if nobody knows.
func (v *Preview) memberOf(ref v1alpha1.ServiceAccountRef) string {
	account := ref.External
	if account == "" {
		account = v.Environment.References[kind.AccountReference(ref)].Value
	}
	if account == "" {
		return ""
	}
	return "serviceAccount:" + account
}

// withGrant are bindings with a grant more.
func withGrant(bindings []v1alpha1.IAMBinding, g iampolicy.Grant) []v1alpha1.IAMBinding {
	member := v1alpha1.IAMMember(g.Member)
	for i, b := range bindings {
		if b.Role == g.Role && conditionOf(b).Normal() == g.Condition.Normal() {
			bindings[i].Members = append(slices.Clone(b.Members), member)
			return bindings
		}
	}
	b := v1alpha1.IAMBinding{Role: g.Role, Members: []v1alpha1.IAMMember{member}}
	if g.Condition != (iampolicy.Condition{}) {
		b.Condition = new(v1alpha1.IAMCondition(g.Condition))
	}
	return append(bindings, b)
}

func conditionOf(b v1alpha1.IAMBinding) iampolicy.Condition {
	if b.Condition == nil {
		return iampolicy.Condition{}
	}
	return iampolicy.Condition(*b.Condition)
}
