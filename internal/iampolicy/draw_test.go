package iampolicy

import (
	"strings"

	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const agent = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"

// Few of each, so that draws meet.
var (
	everybody = []string{
		"user:alice@x.com", "user:bob@x.com", "serviceAccount:robot@p.iam.gserviceaccount.com", "serviceAccount:" + self, agent, "group:ops@x.com",
		"domain:x.com", "projectOwner:p", "allUsers", "principalSet://iam.googleapis.com/Pool/*",
		"deleted:serviceAccount:robot@p.iam.gserviceaccount.com?uid=1", "deleted:serviceAccount:robot@p.iam.gserviceaccount.com?uid=2", "deleted:user:bob@x.com?uid=3",
	}
	named        = everybody[:10] // those that a manifest can name
	everyRole    = []string{"roles/owner", "roles/editor", "roles/a", "roles/pubsub.serviceAgent"}
	anyCondition = []Condition{{}, {}, {}, fridays, logs, {Title: "logs", Expression: `resource.name == "a  b"`}}
)

// drawSpelling is the same member or condition, as somebody else may write it.
func drawSpelling(t *rapid.T, member string) string {
	prefix, value, _ := strings.Cut(member, ":")
	if folded[prefix] && rapid.Bool().Draw(t, "in capitals") {
		return strings.ToUpper(prefix) + ":" + strings.ToUpper(value)
	}
	return member
}

// drawMember is one of a few, and sometimes whatever text.
func drawMember(t *rapid.T, members []string) string {
	if rapid.IntRange(0, 15).Draw(t, "odd") == 0 {
		return rapid.String().Draw(t, "odd member")
	}
	return drawSpelling(t, rapid.SampledFrom(members).Draw(t, "member"))
}

func drawGrant(t *rapid.T, members []string) Grant {
	g := Grant{
		Role:      rapid.SampledFrom(everyRole).Draw(t, "role"),
		Member:    drawMember(t, members),
		Condition: rapid.SampledFrom(anyCondition).Draw(t, "condition"),
	}
	if g.Condition != (Condition{}) && rapid.Bool().Draw(t, "with blanks") {
		g.Condition.Title += " "
		g.Condition.Expression = strings.ReplaceAll(g.Condition.Expression, "(", " (\n")
	}
	return g
}

func drawGrants(t *rapid.T, name string, members []string) []Grant {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Grant { return drawGrant(t, members) }), 0, 8).Draw(t, name)
}

// drawPolicy is a policy as others may have left it: bindings of one role twice, members twice, bindings of nobody.
func drawPolicy(t *rapid.T) Policy {
	p := Policy{AuditConfigs: drawAudit(t, "live audit")}
	p.Bindings = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Binding {
		g := drawGrant(t, everybody)
		members := rapid.SliceOfN(rapid.SampledFrom(everybody), 0, 5).Draw(t, "members")
		return Binding{Role: g.Role, Condition: g.Condition, Members: append(members, g.Member)}
	}), 0, 6).Draw(t, "bindings")
	if rapid.IntRange(0, 9).Draw(t, "etag") > 0 {
		p.Etag = etag
	}
	return p
}

func drawAudit(t *rapid.T, name string) []AuditConfig {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) AuditConfig {
		return AuditConfig{
			Service: drawService(t),
			Logs: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) AuditLog {
				return AuditLog{
					Type:     rapid.SampledFrom([]string{"ADMIN_READ", "DATA_READ"}).Draw(t, "sort"),
					Exempted: rapid.SliceOfN(rapid.SampledFrom(named), 0, 2).Draw(t, "exempt"),
				}
			}), 0, 2).Draw(t, "logs"),
		}
	}), 0, 3).Draw(t, name)
}

func drawService(t *rapid.T) string {
	return rapid.SampledFrom([]string{"allServices", "storage.googleapis.com", "pubsub.googleapis.com"}).Draw(t, "service")
}

func drawMode(t *rapid.T) v1alpha1.IAMMode {
	return rapid.SampledFrom([]v1alpha1.IAMMode{additive, byRole, whole}).Draw(t, "mode")
}

func drawInput(t *rapid.T) Input {
	return Input{
		Live: drawPolicy(t), Prefix: "spec", Mode: drawMode(t), Managed: rapid.Bool().Draw(t, "managed"),
		Wanted: drawGrants(t, "wanted", named), Unresolved: rapid.IntRange(0, 4).Draw(t, "unresolved") == 0,
		AuditConfigs: drawAudit(t, "wanted audit"), AuditServices: rapid.SliceOfN(rapid.Custom(drawService), 0, 2).Draw(t, "set before"),
		SharedServices: rapid.SliceOfN(rapid.Custom(drawService), 0, 1).Draw(t, "set by another"),
		Recorded:       drawGrants(t, "recorded", named), Pending: drawGrants(t, "pending", named),
		Declared: drawGrants(t, "declared", named), Shared: drawGrants(t, "shared", named),
		DeletedPrincipals: rapid.SampledFrom([]v1alpha1.IAMDeletedPrincipals{"", v1alpha1.IAMDeletedPrincipalsKeep, v1alpha1.IAMDeletedPrincipalsRemove}).Draw(t, "deleted"),
		MaxRemovals:       rapid.IntRange(0, 5).Draw(t, "maxRemovals"), First: rapid.Bool().Draw(t, "first"),
		OwnExisting: rapid.IntRange(0, 3).Draw(t, "own existing") == 0,
		Self:        selfOf(rapid.SampledFrom([]string{self, strings.ToUpper(self), ""}).Draw(t, "self")),
		Refused:     rapid.SliceOfN(rapid.SampledFrom(named), 0, 1).Draw(t, "refused"),
	}
}
