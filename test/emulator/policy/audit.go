package policy

import (
	"slices"

	"cloud.google.com/go/iam/apiv1/iampb"
)

// auditConfigs checks those that were sent and returns them in the form that
// policies are kept in: one for each service, each exempted member once.
func (r Rules) auditConfigs(current, sent *iampb.Policy) ([]*iampb.AuditConfig, error) {
	if len(sent.GetAuditConfigs()) > 0 && !r.AuditConfigs {
		return nil, invalid("Audit configs are not supported for this resource.")
	}
	held := heldBy(current)
	seen := map[string]bool{}
	var configs []*iampb.AuditConfig
	for _, config := range sent.GetAuditConfigs() {
		if config.GetService() == "" || seen[config.GetService()] {
			return nil, invalid("Invalid audit config: service %q is missing or there twice.", config.GetService())
		}
		seen[config.GetService()] = true
		kept := &iampb.AuditConfig{Service: config.GetService()}
		for _, log := range config.GetAuditLogConfigs() {
			if log.GetLogType() == iampb.AuditLogConfig_LOG_TYPE_UNSPECIFIED {
				return nil, invalid("Invalid audit config of service %q: the log type is missing.", config.GetService())
			}
			forms, err := r.forms(log.GetExemptedMembers(), held)
			if err != nil {
				return nil, err
			}
			kept.AuditLogConfigs = append(kept.AuditLogConfigs, &iampb.AuditLogConfig{LogType: log.GetLogType(), ExemptedMembers: once(forms)})
		}
		if len(kept.GetAuditLogConfigs()) > 0 {
			configs = append(configs, kept)
		}
	}
	return configs, nil
}

// once returns members without those that are there before.
func once(members []string) []string {
	var out []string
	for _, m := range members {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}
