package iampolicy

import (
	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/type/expr"
)

// version is that of policies that may have conditions. Google asks for it in every read and write of one that has some,
// and takes it for those that have none.
const version = 3

// FromProto is the policy that Google sent.
func FromProto(p *iampb.Policy) Policy {
	policy := Policy{Etag: p.GetEtag()}
	for _, b := range p.GetBindings() {
		policy.Bindings = append(policy.Bindings, Binding{Role: b.GetRole(), Members: b.GetMembers(), Condition: Condition{
			Title: b.GetCondition().GetTitle(), Description: b.GetCondition().GetDescription(), Expression: b.GetCondition().GetExpression(),
		}})
	}
	for _, c := range p.GetAuditConfigs() {
		config := AuditConfig{Service: c.GetService()}
		for _, l := range c.GetAuditLogConfigs() {
			config.Logs = append(config.Logs, AuditLog{Type: l.GetLogType().String(), Exempted: l.GetExemptedMembers()})
		}
		policy.AuditConfigs = append(policy.AuditConfigs, config)
	}
	return policy
}

// Proto is the policy as Google takes it: version 3, with the etag that was read.
func (p Policy) Proto() *iampb.Policy {
	policy := &iampb.Policy{Version: version, Etag: p.Etag}
	for _, b := range p.Bindings {
		binding := &iampb.Binding{Role: b.Role, Members: b.Members}
		if b.Condition != (Condition{}) {
			binding.Condition = &expr.Expr{Title: b.Condition.Title, Description: b.Condition.Description, Expression: b.Condition.Expression}
		}
		policy.Bindings = append(policy.Bindings, binding)
	}
	for _, c := range p.AuditConfigs {
		config := &iampb.AuditConfig{Service: c.Service}
		for _, l := range c.Logs {
			config.AuditLogConfigs = append(config.AuditLogConfigs, &iampb.AuditLogConfig{
				LogType: iampb.AuditLogConfig_LogType(iampb.AuditLogConfig_LogType_value[l.Type]), ExemptedMembers: l.Exempted,
			})
		}
		policy.AuditConfigs = append(policy.AuditConfigs, config)
	}
	return policy
}
