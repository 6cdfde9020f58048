package iampolicy

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/diff"
)

// audited is what is logged of a service: by sort of access, the members who are exempt.
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

// config is in order.
func (a audited) config(service string) AuditConfig {
	config := AuditConfig{Service: service}
	for _, sort := range slices.Sorted(maps.Keys(a)) {
		config.Logs = append(config.Logs, AuditLog{Type: sort, Exempted: slices.Sorted(maps.Keys(a[sort]))})
	}
	return config
}

// text is the compact JSON that a manifest would have as logTypes.
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

// planAudit plans what is logged of the services that the manifest speaks of, or did. The configs are the live ones with the
// changes, those of other services as they were read.
func planAudit(in Input) ([]AuditConfig, diff.Changes) {
	live, wanted := byService(in.Live.AuditConfigs), byService(in.AuditConfigs)
	left := map[string]bool{}
	for _, service := range in.AuditServices {
		left[service] = !slices.Contains(in.DeclaredServices, service)
	}
	var changes diff.Changes
	changed := map[string]audited{}
	for _, service := range slices.Sorted(maps.Keys(union(wanted, left))) {
		is, shall := live[service], wanted[service]
		change := diff.Change{Path: in.Prefix + ".auditConfigs[" + service + "]"}
		if len(is) > 0 {
			change.From = is.text(service)
		}
		if shall != nil {
			change.To = shall.text(service)
		}
		if len(is) == 0 && len(shall) == 0 || change.From == change.To || shall == nil && !left[service] {
			continue
		}
		changes = append(changes, change)
		changed[service] = shall
	}
	return replaceAudit(in.Live.AuditConfigs, changed), changes
}

func union(wanted map[string]audited, left map[string]bool) map[string]bool {
	all := maps.Clone(left)
	for service := range wanted {
		all[service] = true
	}
	return all
}

// replaceAudit puts changed services where they were first, or behind the others. One without anything to log goes.
func replaceAudit(configs []AuditConfig, changed map[string]audited) []AuditConfig {
	if len(changed) == 0 {
		return configs
	}
	changed = maps.Clone(changed)
	var out []AuditConfig
	replaced := map[string]bool{}
	for _, config := range configs {
		shall, ok := changed[config.Service]
		switch {
		case !ok:
			out = append(out, config)
		case !replaced[config.Service] && len(shall) > 0:
			out = append(out, shall.config(config.Service))
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

// jsonOf is compact JSON of what is made of strings.
func jsonOf(value any) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // there is nothing in it that JSON does not have
	}
	return strings.TrimSuffix(out.String(), "\n")
}
