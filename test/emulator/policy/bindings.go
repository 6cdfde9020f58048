package policy

import (
	"slices"
	"strings"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/type/expr"
	"google.golang.org/protobuf/proto"
)

// bindings checks those that were sent and returns them in the form that
// policies are kept in: one for each role and condition, each member once,
// none without members, all in the order in which they were sent.
func (r Rules) bindings(current, sent *iampb.Policy) ([]*iampb.Binding, error) {
	held := heldBy(current)
	var merged []*iampb.Binding
	for _, b := range sent.GetBindings() {
		if err := r.checkRole(b.GetRole()); err != nil {
			return nil, err
		}
		if err := r.checkCondition(b, sent.GetVersion()); err != nil {
			return nil, err
		}
		forms, err := r.forms(b.GetMembers(), held)
		if err != nil {
			return nil, err
		}
		merged = merge(merged, b, forms)
	}
	return merged, nil
}

// heldBy returns the members that a policy has, as they are kept.
func heldBy(p *iampb.Policy) map[string]bool {
	held := map[string]bool{}
	for _, b := range p.GetBindings() {
		for _, form := range b.GetMembers() {
			held[form] = true
		}
	}
	for _, config := range p.GetAuditConfigs() {
		for _, log := range config.GetAuditLogConfigs() {
			for _, form := range log.GetExemptedMembers() {
				held[form] = true
			}
		}
	}
	return held
}

// forms brings members into the form that they are kept in.
func (r Rules) forms(members []string, held map[string]bool) ([]string, error) {
	if err := r.checkConsistency(members); err != nil {
		return nil, err
	}
	var forms []string
	for _, text := range members {
		m, err := parseMember(text)
		if err != nil {
			return nil, err
		}
		if err := r.checkKind(m); err != nil {
			return nil, err
		}
		form, err := r.Directory.bind(m, held)
		if err != nil {
			return nil, err
		}
		forms = append(forms, form)
	}
	return forms, nil
}

// checkConsistency refuses an account that is there both as it was and as
// deleted, unless it was made again in the meantime.
func (r Rules) checkConsistency(members []string) error {
	for _, text := range members {
		m, err := parseMember(text)
		if err != nil || !m.deleted || m.kind != serviceAccountType {
			continue
		}
		plain := m.kind + ":" + m.value
		if _, again := r.Directory.uniqueID(m.value); !again && slices.Contains(members, plain) {
			return invalid("Inconsistent representation of deleted member: '%s' and '%s'.", text, plain)
		}
	}
	return nil
}

func (r Rules) checkKind(m member) error {
	switch {
	case m.public() && r.NoPublic:
		return invalid("Request contains an invalid argument.") // no more than that, as reports show
	case strings.HasPrefix(m.kind, "project") && !r.TeamMembers:
		return invalid("The member %s is of an unknown type. Please set a valid type prefix for the member.", m)
	default:
		return nil
	}
}

// merge adds members to the binding of the same role and condition.
func merge(merged []*iampb.Binding, b *iampb.Binding, forms []string) []*iampb.Binding {
	if len(forms) == 0 {
		return merged
	}
	i := slices.IndexFunc(merged, func(other *iampb.Binding) bool {
		return other.GetRole() == b.GetRole() && proto.Equal(other.GetCondition(), b.GetCondition())
	})
	if i < 0 {
		i = len(merged)
		merged = append(merged, &iampb.Binding{Role: b.GetRole(), Condition: proto.CloneOf(b.GetCondition())})
	}
	for _, form := range forms {
		if !slices.Contains(merged[i].GetMembers(), form) {
			merged[i].Members = append(merged[i].Members, form)
		}
	}
	return merged
}

func (r Rules) checkCondition(b *iampb.Binding, version int32) error {
	condition := b.GetCondition()
	switch {
	case condition == nil:
		return nil
	case r.NoConditions:
		return invalid("Conditions are not supported for this resource.")
	case version < conditional:
		return invalid("Policy version %d does not support conditional role bindings: specify policy version %d. For more information, please refer to https://cloud.google.com/iam/docs/policies#versions",
			max(version, 1), conditional)
	case basicRoles[b.GetRole()]:
		return invalid("Conditions can't be set on primitive roles")
	default:
		return checkExpression(condition)
	}
}

// maxExpression and its like are the sizes of a condition's parts, in bytes.
const (
	maxExpression  = 64 << 10
	maxTitle       = 100
	maxDescription = 256
)

func checkExpression(condition *expr.Expr) error {
	switch {
	case condition.GetTitle() == "":
		return invalid("Condition title is required.")
	case len(condition.GetTitle()) > maxTitle:
		return invalid("Condition title is longer than %d characters.", maxTitle)
	case len(condition.GetDescription()) > maxDescription:
		return invalid("Condition description is longer than %d characters.", maxDescription)
	case condition.GetExpression() == "":
		return invalid("Condition expression is required.")
	case len(condition.GetExpression()) > maxExpression:
		return invalid("Condition expression is larger than %d bytes.", maxExpression)
	default:
		return nil
	}
}
