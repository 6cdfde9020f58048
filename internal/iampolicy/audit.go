package iampolicy

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

// audited is what is logged for a service: by type of access, the members who are exempt.
type audited map[string]map[string]bool

func (a audited) add(config AuditConfig) {
	for _, log := range config.Logs {
		if a[log.Type] == nil {
			a[log.Type] = map[string]bool{}
		}
		for _, m := range log.Exempted {
			a[log.Type][NormalMember(m)] = true
		}
	}
}

// config is the audit config, sorted.
func (a audited) config(service string) AuditConfig {
	config := AuditConfig{Service: service}
	for _, logType := range slices.Sorted(maps.Keys(a)) {
		config.Logs = append(config.Logs, AuditLog{Type: logType, Exempted: slices.Sorted(maps.Keys(a[logType]))})
	}
	return config
}

// text is the compact JSON that a manifest would have as auditLogConfigs.
func (a audited) text(service string) string {
	type logType struct {
		LogType         string   `json:"logType"`
		ExemptedMembers []string `json:"exemptedMembers,omitempty"`
	}
	logs := []logType{}
	for _, log := range a.config(service).Logs {
		logs = append(logs, logType{log.Type, log.Exempted})
	}
	return jsonOf(logs)
}

func byService(configs []AuditConfig) map[string]audited {
	out := map[string]audited{}
	for _, config := range configs {
		if out[config.Service] == nil {
			out[config.Service] = audited{}
		}
		out[config.Service].add(config)
	}
	return out
}

// planAudit plans the audit configs of the services that the manifest lists, or has set. The result is the live ones with the
// changes, those of other services as they were read, and the services of the manifest that are its own then: those that it has set or sets
// now, and what it claims of others.
func planAudit(in Input) (next []AuditConfig, changes diff.Changes, own []string) {
	live, wanted := byService(in.Live.AuditConfigs), byService(in.AuditConfigs)
	left := map[string]bool{}
	for _, service := range in.AuditServices {
		left[service] = !slices.Contains(in.DeclaredServices, service)
	}
	changed := map[string]audited{}
	for _, service := range slices.Sorted(maps.Keys(union(wanted, left))) {
		is, want := live[service], wanted[service]
		change := diff.Change{Path: in.Prefix + ".auditConfigs[" + service + "]"}
		if len(is) > 0 {
			change.From = is.text(service)
		}
		if want != nil {
			change.To = want.text(service)
		}
		same := len(is)+len(want) == 0 || change.From == change.To
		if _, set := left[service]; want != nil && (set || in.OwnExisting || slices.Contains(in.SharedServices, service) || !same) {
			own = append(own, service)
		}
		if same || want == nil && !left[service] {
			continue
		}
		changes = append(changes, change)
		changed[service] = want
	}
	return replaceAudit(in.Live.AuditConfigs, changed), changes, own
}

func union(wanted map[string]audited, left map[string]bool) map[string]bool {
	all := maps.Clone(left)
	for service := range wanted {
		all[service] = true
	}
	return all
}

// replaceAudit puts changed services in their first place, or behind the others. One without anything to log is dropped.
func replaceAudit(configs []AuditConfig, changed map[string]audited) []AuditConfig {
	if len(changed) == 0 {
		return configs
	}
	changed = maps.Clone(changed)
	var out []AuditConfig
	replaced := map[string]bool{}
	for _, config := range configs {
		want, ok := changed[config.Service]
		switch {
		case !ok:
			out = append(out, config)
		case !replaced[config.Service] && len(want) > 0:
			out = append(out, want.config(config.Service))
		}
		replaced[config.Service] = ok
	}
	for _, service := range slices.Sorted(maps.Keys(changed)) {
		if !replaced[service] && len(changed[service]) > 0 {
			out = append(out, changed[service].config(service))
		}
	}
	return out
}

// jsonOf is the compact JSON of a value that consists of strings.
func jsonOf(value any) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // strings can always be encoded
	}
	return strings.TrimSuffix(out.String(), "\n")
}
