package convert

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/layout"
)

// owning says how much of a policy a piece of the source owns.
type owning int

const (
	ownsMembers owning = iota // what it lists
	ownsRoles                 // the roles that it lists: no one else may have them
	ownsPolicy                // all of the policy
	ownsAudit                 // the audit config of a service
)

// target is the resource whose policy a piece is about.
type target struct {
	kind kind.Kind
	// project is empty for a bucket whose project the piece does not know.
	project, id string
	// otherwise is the project that such a bucket is taken to be in where nothing else says.
	otherwise string
	// namespace is where a manifest of it would be, where the source says so.
	namespace string
}

// piece is what one object of the source says of an IAM policy.
type piece struct {
	target
	source   string
	owns     owning
	bindings []v1alpha1.IAMBinding
	audit    []v1alpha1.AuditConfig
}

// policy is what a manifest says of an IAM policy.
type policy struct {
	mode     v1alpha1.IAMMode
	bindings []v1alpha1.IAMBinding
	audit    []v1alpha1.AuditConfig
}

// gather gives each piece to the manifest of its resource, and makes one where there is none.
func (c *conversion) gather() {
	var owners []*resource
	of := map[*resource][]piece{}
	for _, p := range c.pieces {
		r := c.holder(p)
		if r == nil {
			continue
		}
		if len(of[r]) == 0 {
			owners = append(owners, r)
		}
		of[r] = append(of[r], p)
	}
	for _, r := range owners {
		r.policy = c.policyOf(of[r])
		for _, p := range of[r] {
			if len(p.bindings)+len(p.audit) > 0 {
				r.carries = append(r.carries, p.source)
			}
		}
		if len(r.policy.bindings)+len(r.policy.audit) == 0 && r.kind.Shared() {
			c.resources = slices.DeleteFunc(c.resources, func(other *resource) bool { return other == r })
		}
	}
}

// holder is the resource whose manifest a piece goes to; nil where there can be none.
func (c *conversion) holder(p piece) *resource {
	for _, r := range c.resources {
		if r.kind.Kind == p.kind.Kind && r.id == p.id && (p.project == "" || p.project == r.project) &&
			(!r.kind.Shared() || p.namespace == "" || p.namespace == r.namespace) {
			return r
		}
	}
	project := cmp.Or(p.project, p.otherwise, c.Project)
	if project == "" {
		c.note(p.source, "", fmt.Sprintf("the %s %q is not in this source, and so its project is not known: name it with --project", p.kind.Name, p.id))
		return nil
	}
	r := &resource{
		kind: p.kind, project: project, id: p.id, source: p.source, spec: map[string]any{}, explicitDefaults: true,
		namespace: cmp.Or(p.namespace, c.Namespace(project)), name: layout.Name(cmp.Or(p.id, project)),
	}
	c.resources = append(c.resources, r)
	return r
}

// policyOf is what all pieces about a policy say.
func (c *conversion) policyOf(pieces []piece) *policy {
	out := &policy{mode: c.mode(pieces)}
	for _, p := range pieces {
		for _, binding := range p.bindings {
			out.grant(binding, func(member, why string) { c.note(p.source, "", member+" in "+binding.Role+": "+why) })
		}
		for _, audit := range p.audit {
			out.log(audit)
		}
		if said := modes[p.owns]; said != "" && out.mode == v1alpha1.IAMAdditive {
			c.note(p.source, "", said)
		}
	}
	out.sort()
	return out
}

// modes say what a piece owned that a manifest in mode Additive does not.
var modes = map[owning]string{
	ownsRoles: "it owned its role, and took it from everybody else; the manifest's mode is Additive, which takes nothing away: set AuthoritativeRoles, " +
		"or convert with --authoritative, to go on",
	ownsPolicy: "it owned the whole policy, and took every other grant away; the manifest's mode is Additive, which takes nothing away: set Authoritative, " +
		"or convert with --authoritative, to go on",
}

// mode is the mode in which a manifest owns no more than the pieces did.
func (c *conversion) mode(pieces []piece) v1alpha1.IAMMode {
	has := func(o owning) bool { return slices.ContainsFunc(pieces, func(p piece) bool { return p.owns == o }) }
	switch {
	case !c.Authoritative:
		return v1alpha1.IAMAdditive
	case has(ownsPolicy):
		return v1alpha1.IAMAuthoritative
	case has(ownsRoles) && !has(ownsMembers):
		return v1alpha1.IAMAuthoritativeRoles
	default: // it would own the roles of others' members, too
		return v1alpha1.IAMAdditive
	}
}

func sameCondition(a, b *v1alpha1.IAMCondition) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// grant adds a binding, to that of its role and condition. Members that nobody can grant anything are told.
func (p *policy) grant(b v1alpha1.IAMBinding, tell func(member, why string)) {
	members := slices.DeleteFunc(slices.Clone(b.Members), func(member v1alpha1.IAMMember) bool {
		if strings.HasPrefix(string(member), "deleted:") {
			tell(string(member), iampolicy.Passing(iampolicy.Grant{Role: b.Role, Member: string(member)}))
			return true
		}
		return false
	})
	if len(members)+len(b.ServiceAccountRefs) == 0 {
		return
	}
	at := slices.IndexFunc(p.bindings, func(there v1alpha1.IAMBinding) bool {
		return there.Role == b.Role && sameCondition(there.Condition, b.Condition)
	})
	if at < 0 {
		p.bindings = append(p.bindings, v1alpha1.IAMBinding{Role: b.Role, Condition: b.Condition})
		at = len(p.bindings) - 1
	}
	p.bindings[at].Members = append(p.bindings[at].Members, members...)
	p.bindings[at].ServiceAccountRefs = append(p.bindings[at].ServiceAccountRefs, b.ServiceAccountRefs...)
}

// log adds an audit config, to that of its service.
func (p *policy) log(a v1alpha1.AuditConfig) {
	at := slices.IndexFunc(p.audit, func(there v1alpha1.AuditConfig) bool { return there.Service == a.Service })
	if at < 0 {
		p.audit = append(p.audit, v1alpha1.AuditConfig{Service: a.Service})
		at = len(p.audit) - 1
	}
	for _, log := range a.AuditLogConfigs {
		same := slices.IndexFunc(p.audit[at].AuditLogConfigs, func(there v1alpha1.AuditLogConfig) bool { return there.LogType == log.LogType })
		if same < 0 {
			p.audit[at].AuditLogConfigs = append(p.audit[at].AuditLogConfigs, log)
			continue
		}
		exempted := &p.audit[at].AuditLogConfigs[same].ExemptedMembers
		*exempted = append(*exempted, log.ExemptedMembers...)
	}
}

// sort makes the order that of the alphabet.
func (p *policy) sort() {
	for i := range p.bindings {
		b := &p.bindings[i]
		slices.Sort(b.Members)
		b.Members = slices.Compact(b.Members)
		slices.SortFunc(b.ServiceAccountRefs, func(x, y v1alpha1.ServiceAccountRef) int {
			return cmp.Or(strings.Compare(x.Namespace, y.Namespace), strings.Compare(x.Name, y.Name), strings.Compare(x.External, y.External))
		})
		b.ServiceAccountRefs = slices.Compact(b.ServiceAccountRefs)
	}
	slices.SortStableFunc(p.bindings, func(a, b v1alpha1.IAMBinding) int {
		return cmp.Or(strings.Compare(a.Role, b.Role), strings.Compare(textOf(a.Condition), textOf(b.Condition)))
	})
	for i := range p.audit {
		slices.SortFunc(p.audit[i].AuditLogConfigs, func(a, b v1alpha1.AuditLogConfig) int {
			return strings.Compare(string(a.LogType), string(b.LogType))
		})
		for j := range p.audit[i].AuditLogConfigs {
			exempted := &p.audit[i].AuditLogConfigs[j].ExemptedMembers
			slices.Sort(*exempted)
			*exempted = slices.Compact(*exempted)
		}
	}
	slices.SortFunc(p.audit, func(a, b v1alpha1.AuditConfig) int { return strings.Compare(a.Service, b.Service) })
}

func textOf(c *v1alpha1.IAMCondition) string {
	if c == nil {
		return ""
	}
	return c.Title + "\n" + c.Description + "\n" + c.Expression
}

// put writes the policy into a manifest.
func (p *policy) put(obj layout.Object, k kind.Kind) error {
	if p == nil || len(p.bindings)+len(p.audit) == 0 {
		return nil
	}
	at := strings.Split(k.Policy.Path, ".")
	fields := map[string]any{"mode": string(p.mode)}
	if len(p.bindings) > 0 {
		fields["bindings"] = plain(p.bindings)
	}
	if len(p.audit) > 0 {
		fields["auditConfigs"] = plain(p.audit)
	}
	for name, value := range fields {
		if err := unstructured.SetNestedField(obj.Object, value, append(slices.Clone(at), name)...); err != nil {
			return err
		}
	}
	return nil
}

// policyData is a policy as Google's JSON has it.
type policyData struct {
	Bindings []struct {
		Role      string                 `json:"role"`
		Members   []v1alpha1.IAMMember   `json:"members"`
		Condition *v1alpha1.IAMCondition `json:"condition"`
	} `json:"bindings"`
	AuditConfigs []struct {
		Service         string                    `json:"service"`
		AuditLogConfigs []v1alpha1.AuditLogConfig `json:"auditLogConfigs"`
	} `json:"auditConfigs"`
}

// readPolicy reads a policy in Google's JSON.
func readPolicy(text string) (bindings []v1alpha1.IAMBinding, audit []v1alpha1.AuditConfig, err error) {
	var data policyData
	if err := json.Unmarshal([]byte(text), &data); err != nil {
		return nil, nil, fmt.Errorf("reading the policy: %w", err)
	}
	for _, b := range data.Bindings {
		bindings = append(bindings, v1alpha1.IAMBinding{Role: b.Role, Members: b.Members, Condition: b.Condition})
	}
	for _, a := range data.AuditConfigs {
		audit = append(audit, v1alpha1.AuditConfig{Service: a.Service, AuditLogConfigs: a.AuditLogConfigs})
	}
	return bindings, audit, nil
}
