package gcp

import (
	"strconv"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/type/expr"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// PolicyFromProto converts a policy that Google returned.
func PolicyFromProto(p *iampb.Policy) iampolicy.Policy {
	policy := iampolicy.Policy{Etag: p.GetEtag()}
	for _, b := range p.GetBindings() {
		policy.Bindings = append(policy.Bindings, iampolicy.Binding{Role: b.GetRole(), Members: b.GetMembers(), Condition: iampolicy.Condition{
			Title: b.GetCondition().GetTitle(), Description: b.GetCondition().GetDescription(), Expression: b.GetCondition().GetExpression(),
		}})
	}
	for _, c := range p.GetAuditConfigs() {
		config := iampolicy.AuditConfig{Service: c.GetService()}
		for _, l := range c.GetAuditLogConfigs() {
			config.Logs = append(config.Logs, iampolicy.AuditLog{Type: l.GetLogType().String(), Exempted: l.GetExemptedMembers()})
		}
		policy.AuditConfigs = append(policy.AuditConfigs, config)
	}
	return policy
}

// PolicyProto converts a policy for Google: version 3, with the etag that was read.
func PolicyProto(p iampolicy.Policy) *iampb.Policy {
	policy := &iampb.Policy{Version: iampolicy.Version, Etag: p.Etag}
	for _, b := range p.Bindings {
		binding := &iampb.Binding{Role: b.Role, Members: b.Members}
		if b.Condition != (iampolicy.Condition{}) {
			binding.Condition = &expr.Expr{Title: b.Condition.Title, Description: b.Condition.Description, Expression: b.Condition.Expression}
		}
		policy.Bindings = append(policy.Bindings, binding)
	}
	for _, c := range p.AuditConfigs {
		config := &iampb.AuditConfig{Service: c.Service}
		for _, l := range c.Logs {
			config.AuditLogConfigs = append(config.AuditLogConfigs, &iampb.AuditLogConfig{
				LogType: logType(l.Type), ExemptedMembers: l.Exempted,
			})
		}
		policy.AuditConfigs = append(policy.AuditConfigs, config)
	}
	return policy
}

// logType converts a type of access back. One that is newer than this program is a number.
func logType(name string) iampb.AuditLogConfig_LogType {
	if number, ok := iampb.AuditLogConfig_LogType_value[name]; ok {
		return iampb.AuditLogConfig_LogType(number)
	}
	number, _ := strconv.ParseInt(name, 10, 32) // 0 is none
	return iampb.AuditLogConfig_LogType(number)
}
