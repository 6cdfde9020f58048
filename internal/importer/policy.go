package importer

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/layout"
)

// policy is what a manifest says of an IAM policy: what is granted, in mode Additive, which takes nothing away.
type policy struct {
	path     string
	bindings []v1alpha1.IAMBinding
	audit    []v1alpha1.AuditConfig
	// initial counts the grants that it leaves out because Google makes them by itself on every such resource.
	initial int
}

// policyOf writes a live policy as a manifest has it, and tells which grants it leaves out, but for those that Google makes by itself on every new
// resource: those it counts.
func policyOf(r Resource, leave func(Left)) policy {
	k, live := r.Kind, *r.Policy
	p := policy{path: k.Policy.Path}
	var initial []iampolicy.Grant
	if k.Policy.Initial != nil {
		initial = k.Policy.Initial(r.Ref, r.Live.Object)
	}
	for _, binding := range live.Bindings {
		for _, member := range binding.Members {
			grant := iampolicy.Grant{Role: binding.Role, Member: member, Condition: binding.Condition}
			why := iampolicy.Passing(grant)
			switch {
			case slices.Contains(initial, grant):
				p.initial++
			case why != "":
				leave(p.left(binding.Role, member, why))
			default:
				p.grant(grant)
			}
		}
	}
	slices.SortFunc(p.bindings, func(a, b v1alpha1.IAMBinding) int { return strings.Compare(sortKey(a), sortKey(b)) })
	for i := range p.bindings {
		slices.Sort(p.bindings[i].Members)
		p.bindings[i].Members = slices.Compact(p.bindings[i].Members)
	}
	if k.Shared() {
		p.audit = auditOf(live.AuditConfigs)
	}
	return p
}

func (p *policy) left(role, member, why string) Left {
	return Left{Path: p.path + ".bindings", Value: role + " " + member, Why: why}
}

func sortKey(b v1alpha1.IAMBinding) string {
	if b.Condition == nil {
		return b.Role
	}
	return fmt.Sprintf("%s %q %q %q", b.Role, b.Condition.Title, b.Condition.Description, b.Condition.Expression)
}

// grant adds a grant, to the binding of its role and condition.
func (p *policy) grant(g iampolicy.Grant) {
	binding := v1alpha1.IAMBinding{Role: g.Role, Members: []v1alpha1.IAMMember{v1alpha1.IAMMember(g.Member)}}
	if g.Condition != (iampolicy.Condition{}) {
		binding.Condition = new(v1alpha1.IAMCondition(g.Condition))
	}
	key := sortKey(binding)
	for i := range p.bindings {
		if there := &p.bindings[i]; sortKey(*there) == key {
			there.Members = append(there.Members, binding.Members...)
			return
		}
	}
	p.bindings = append(p.bindings, binding)
}

func auditOf(live []iampolicy.AuditConfig) []v1alpha1.AuditConfig {
	var out []v1alpha1.AuditConfig
	for _, config := range live {
		logs := []v1alpha1.AuditLogConfig{}
		for _, log := range config.Logs {
			one := v1alpha1.AuditLogConfig{LogType: v1alpha1.AuditLogType(log.Type)}
			for _, member := range log.Exempted {
				one.ExemptedMembers = append(one.ExemptedMembers, v1alpha1.IAMMember(member))
			}
			slices.Sort(one.ExemptedMembers)
			logs = append(logs, one)
		}
		slices.SortFunc(logs, func(a, b v1alpha1.AuditLogConfig) int { return strings.Compare(string(a.LogType), string(b.LogType)) })
		out = append(out, v1alpha1.AuditConfig{Service: config.Service, AuditLogConfigs: logs})
	}
	slices.SortFunc(out, func(a, b v1alpha1.AuditConfig) int { return strings.Compare(a.Service, b.Service) })
	return out
}

func (p *policy) size() int { return len(p.bindings) + len(p.audit) }

// put writes the policy into a manifest.
func (p *policy) put(obj layout.Object, k kind.Kind) error {
	if p.size() == 0 {
		return nil
	}
	set := func(name string, value any) error {
		encoded, err := json.Marshal(value)
		if err != nil {
			return err
		}
		var plain any
		if err := json.Unmarshal(encoded, &plain); err != nil {
			return err
		}
		return unstructured.SetNestedField(obj.Object, plain, append(strings.Split(k.Policy.Path, "."), name)...)
	}
	if err := set("mode", v1alpha1.IAMAdditive); err != nil {
		return err
	}
	if len(p.bindings) > 0 {
		if err := set("bindings", p.bindings); err != nil {
			return err
		}
	}
	if len(p.audit) > 0 {
		return set("auditConfigs", p.audit)
	}
	return nil
}

// part finds the binding, and perhaps the member of it, or the audit config that a problem is about.
var part = regexp.MustCompile(`^\.(bindings|auditConfigs)\[(\d+)\](?:\.members\[(\d+)\])?`)

// drop leaves out what a problem is about, and says whether that was in the policy.
func (p *policy) drop(problem Problem, leave func(Left)) bool {
	rest, ok := strings.CutPrefix(problem.Path, p.path)
	if !ok || p.size() == 0 {
		return false
	}
	why := "the API server would refuse it: " + problem.Message
	match := part.FindStringSubmatch(rest)
	index := func(i int) int {
		n, err := strconv.Atoi(match[i])
		if err != nil {
			return -1
		}
		return n
	}
	switch {
	case match == nil && (rest == "" || strings.HasPrefix(rest, ".bindings") || strings.HasPrefix(rest, ".auditConfigs")) && p.path != "spec":
		leave(Left{Path: p.path, Why: why})
		p.bindings, p.audit = nil, nil
		return true
	case match == nil:
		return false
	case match[1] == "auditConfigs":
		leave(Left{Path: p.path + ".auditConfigs", Value: p.audit[index(2)].Service, Why: why})
		p.audit = slices.Delete(p.audit, index(2), index(2)+1)
		return true
	}
	binding := &p.bindings[index(2)]
	which := func(v1alpha1.IAMMember) bool { return true }
	if match[3] != "" {
		refused := binding.Members[index(3)]
		which = func(member v1alpha1.IAMMember) bool { return member == refused }
	}
	binding.Members = slices.DeleteFunc(binding.Members, func(member v1alpha1.IAMMember) bool {
		if which(member) {
			leave(p.left(binding.Role, string(member), why))
			return true
		}
		return false
	})
	p.bindings = slices.DeleteFunc(p.bindings, func(b v1alpha1.IAMBinding) bool { return len(b.Members) == 0 })
	return true
}
