package convert

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/layout"
)

// stateVersion is the version of the format that Terraform, from 0.12, and OpenTofu write.
const stateVersion = 4

// terraformState is what is read of a state.
type terraformState struct {
	Version       int                 `json:"version"`
	EncryptedData json.RawMessage     `json:"encrypted_data"`
	Resources     []terraformResource `json:"resources"`
}

type terraformResource struct {
	Mode      string              `json:"mode"`
	Module    string              `json:"module"`
	Type      string              `json:"type"`
	Name      string              `json:"name"`
	Instances []terraformInstance `json:"instances"`
}

type terraformInstance struct {
	IndexKey   any            `json:"index_key"`
	Deposed    string         `json:"deposed"`
	Status     string         `json:"status"`
	Attributes map[string]any `json:"attributes"`
	// Sensitive are the paths of attributes whose values are not to be shown.
	Sensitive [][]struct {
		Value any `json:"value"`
	} `json:"sensitive_attributes"`
}

// hidden are the attributes that are, or have, something that is not to be shown.
func (i terraformInstance) hidden() map[string]bool {
	out := map[string]bool{}
	for _, path := range i.Sensitive {
		if len(path) > 0 {
			out[fmt.Sprint(path[0].Value)] = true
		}
	}
	return out
}

// TerraformState converts the state of Terraform or OpenTofu, of version 4: the file terraform.tfstate, or what terraform state pull prints.
func TerraformState(text []byte, o Options) (Result, error) {
	state, err := readState(text)
	if err != nil {
		return Result{}, err
	}
	c := newConversion(o)
	for _, r := range state.Resources {
		if r.Mode != "managed" { // data that Terraform only read
			continue
		}
		for _, instance := range r.Instances {
			c.terraform(r, instance, r.address(instance))
		}
	}
	result := c.finish()
	result.Handover = c.terraformHandover(result, slices.Sorted(maps.Keys(c.carried)))
	return result, nil
}

func readState(text []byte) (terraformState, error) {
	var state terraformState
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err := decoder.Decode(&state)
	switch {
	case err != nil:
		return state, fmt.Errorf("this is no state of Terraform, which is JSON: %w; print it with `terraform state pull`", err)
	case len(state.EncryptedData) > 0:
		return state, errors.New("the state is encrypted: print it with `tofu state pull`, which decrypts it")
	case state.Version != stateVersion:
		return state, fmt.Errorf("the state has version %d; only version %d is read, which Terraform writes from 0.12 and OpenTofu always: "+
			"run `terraform apply -refresh-only` with a current version first", state.Version, stateVersion)
	}
	return state, nil
}

// address is what Terraform calls an instance: module.m["a"].google_storage_bucket.logs[0].
func (r terraformResource) address(i terraformInstance) string {
	address := r.Type + "." + r.Name
	if r.Module != "" {
		address = r.Module + "." + address
	}
	switch key := i.IndexKey.(type) {
	case string:
		address += "[" + quotedKey(key) + "]"
	case json.Number:
		address += "[" + key.String() + "]"
	}
	return address
}

// shortEscapes are the escapes of HCL that are letters or the character itself.
var shortEscapes = map[rune]string{'\n': `\n`, '\r': `\r`, '\t': `\t`, '"': `\"`, '\\': `\\`}

// quotedKey is a key as Terraform writes it in addresses: as HCL does, to which ${ and %{ begin a template.
func quotedKey(key string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range key {
		switch short := shortEscapes[r]; {
		case short != "":
			b.WriteString(short)
		case (r == '$' || r == '%') && strings.HasPrefix(key[i+1:], "{"):
			b.WriteString(string([]rune{r, r}))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// terraform converts an instance.
func (c *conversion) terraform(r terraformResource, i terraformInstance, address string) {
	if i.Deposed != "" || i.Status == "tainted" {
		c.note(address, "", "Terraform is about to destroy it, since it replaces it: apply that first")
		return
	}
	s := source{
		fields: i.Attributes, unset: unsetInTerraform, silent: silentInTerraform, hidden: i.hidden(),
		tell: func(field, message string) { c.note(address, field, message) },
	}
	if k, ok := terraformKinds[r.Type]; ok {
		c.terraformResource(s, k.kind, k.name, k.rules, address)
		return
	}
	for prefix, k := range terraformPolicies {
		if piece, ok := strings.CutPrefix(r.Type, prefix); ok {
			c.terraformPiece(s, k.kind, k.resource, piece, address)
			return
		}
	}
	c.note(address, "", "there is no kind for "+r.Type)
}

// unsetInTerraform says whether an attribute is one that nobody has set: the state has all attributes.
func unsetInTerraform(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// silentInTerraform says whether an attribute that nothing knows has the value of one that nobody has set.
func silentInTerraform(value any) bool {
	return value == false || value == json.Number("0")
}

func (c *conversion) terraformResource(s source, kindName, nameField string, rules []rule, address string) {
	k := c.kind(kindName)
	id := s.text(nameField)
	project := cmp.Or(s.text("project"), c.Project)
	switch {
	case id == "":
		c.note(address, nameField, "left out: it has no name")
		return
	case project == "":
		c.note(address, "project", "left out: it has no project: name it with --project")
		return
	}
	r := &resource{
		kind: k, project: project, id: id, source: address, namespace: c.Namespace(project), name: layout.Name(id), spec: map[string]any{},
		carries: []string{address},
	}
	if s.take("force_destroy") == true {
		c.note(address, "force_destroy", "Terraform would delete its objects with it; here deletionPolicy is Orphan: set DeleteWithContents if that should stay so")
	}
	zeroConditions(s.fields)
	s.apply(rules, r.spec, "")
	s.rest("")
	c.resources = append(c.resources, r)
}

// zeroConditions takes out of the conditions of lifecycle rules the zeros that say nothing, and the flags that say which do.
func zeroConditions(attributes map[string]any) {
	rules, _ := attributes["lifecycle_rule"].([]any)
	for _, r := range rules {
		conditions, _ := (source{fields: asMap(r), unset: unsetInTerraform}).peek("condition").([]any)
		for _, condition := range conditions {
			fields := asMap(condition)
			for field, flag := range map[string]string{
				"age":                        "send_age_if_zero",
				"num_newer_versions":         "send_num_newer_versions_if_zero",
				"days_since_custom_time":     "send_days_since_custom_time_if_zero",
				"days_since_noncurrent_time": "send_days_since_noncurrent_time_if_zero",
			} {
				sent, known := fields[flag]
				delete(fields, flag)
				old := field == "age" && !known // before there was the flag, an age of 0 was sent
				if fields[field] == json.Number("0") && sent != true && !old {
					delete(fields, field)
				}
			}
			if fields["no_age"] == true {
				delete(fields, "age")
			}
			delete(fields, "no_age")
		}
	}
}

func asMap(value any) map[string]any {
	fields, _ := value.(map[string]any)
	return fields
}

// peek is a field that stays where it is.
func (s source) peek(name string) any { return s.taken(s.fields[name]) }

// terraformPiece takes in a piece of a policy.
func (c *conversion) terraformPiece(s source, kindName, resourceField, sort, address string) {
	for _, r := range append(computed("project_number"), terraformCommon...) {
		s.take(r.from)
	}
	name, project := s.text(resourceField), ""
	if resourceField != "project" {
		project = s.text("project")
	}
	p := piece{target: c.targetOf(c.kind(kindName), name, project), source: address}
	role, condition := s.text("role"), conditionOf(s)
	switch sort {
	case "member":
		p.bindings = []v1alpha1.IAMBinding{{Role: role, Members: members([]any{s.take("member")}), Condition: condition}}
	case "binding":
		p.owns = ownsRoles
		p.bindings = []v1alpha1.IAMBinding{{Role: role, Members: members(s.take("members")), Condition: condition}}
	case "policy":
		var err error
		p.owns = ownsPolicy
		if p.bindings, p.audit, err = readPolicy(s.text("policy_data")); err != nil {
			c.note(address, "policy_data", "left out: "+err.Error())
			return
		}
	case "audit_config":
		p.owns = ownsAudit
		p.audit = []v1alpha1.AuditConfig{{Service: s.text("service"), AuditLogConfigs: logsOf(s)}}
	default:
		c.note(address, "", "there is no kind for it")
		return
	}
	s.rest("")
	c.pieces = append(c.pieces, p)
}

func members(value any) []v1alpha1.IAMMember {
	list, _ := value.([]any)
	var out []v1alpha1.IAMMember
	for _, member := range list {
		if text, ok := member.(string); ok {
			out = append(out, v1alpha1.IAMMember(text))
		}
	}
	return out
}

func conditionOf(s source) *v1alpha1.IAMCondition {
	condition := v1alpha1.IAMCondition{
		Title: s.text("condition.title"), Description: s.text("condition.description"), Expression: s.text("condition.expression"),
	}
	if condition == (v1alpha1.IAMCondition{}) {
		return nil
	}
	return &condition
}

// logsOf are the types of access that a google_project_iam_audit_config logs.
func logsOf(s source) []v1alpha1.AuditLogConfig {
	list, _ := s.take("audit_log_config").([]any)
	out := []v1alpha1.AuditLogConfig{}
	for i, item := range list {
		below := s.below(item)
		out = append(out, v1alpha1.AuditLogConfig{
			LogType: v1alpha1.AuditLogType(below.text("log_type")), ExemptedMembers: members(below.take("exempted_members")),
		})
		below.rest(fmt.Sprintf("audit_log_config[%d].", i))
	}
	return out
}

// terraformHandover says how Holdfast takes over before Terraform lets go.
func (c *conversion) terraformHandover(result Result, addresses []string) Handover {
	if len(addresses) == 0 {
		return Handover{}
	}
	forget := Step{Why: "Terraform forgets them, and leaves them as they are. Take their blocks out of its configuration, too, before the next " +
		"terraform apply: it would create them anew", Commands: []string{"forget"}}
	for _, address := range addresses {
		forget.Commands[0] += " \\\n\t" + quoted(address)
	}
	return Handover{
		Steps: []Step{preview, c.adopt(result), forget}, functions: terraformFunctions,
		settings: "#   TERRAFORM           what to run instead of terraform, such as tofu\n",
	}
}
