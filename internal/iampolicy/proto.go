package iampolicy

import (
	"errors"
	"strconv"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/genproto/googleapis/type/expr"
)

// Version is that of policies that may have conditions. Google requires it in every read and write of one that has some, and
// accepts it for those that have none.
const Version = 3

// ErrUnread refuses to write a policy that was never read: without an etag it would overwrite whatever is there.
var ErrUnread = errors.New("the policy was not read first")

// FromProto converts a policy that Google returned.
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

// Proto converts the policy for Google: version 3, with the etag that was read.
func (p Policy) Proto() *iampb.Policy {
	policy := &iampb.Policy{Version: Version, Etag: p.Etag}
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
