// Package policy implements what IAM policies have in common, whatever resource
// they are on: members and the principals behind them, roles, conditions,
// versions, etags, sizes. A policy is stored in the form that Directory gives
// its members, and shown in the form of Google's APIs.
//
// Policies are stored and validated, but not enforced.
package policy

import (
	"encoding/binary"
	"slices"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// Rules say what the policies of one kind of resource can hold.
type Rules struct {
	Directory *Directory
	// Roles are the services whose predefined roles can be granted, such as
	// "pubsub"; nil means those of all services.
	Roles []string
	// NoBasicRoles refuses owner, editor and viewer.
	NoBasicRoles bool
	// NoConditions refuses bindings with conditions.
	NoConditions bool
	// NoPublic refuses allUsers and allAuthenticatedUsers.
	NoPublic bool
	// TeamMembers takes projectOwner:P, projectEditor:P and projectViewer:P.
	TeamMembers bool
	// AuditConfigs says that there are any.
	AuditConfigs bool
}

// conditional is the version of policies that have conditions, and the one in
// which these are seen.
const conditional = 3

// never is the etag of a policy that was never set: "ACAB".
var never = []byte{0x00, 0x20, 0x01}

// Empty is the policy of a resource that nobody ever set one on.
func Empty() *iampb.Policy { return &iampb.Policy{Etag: slices.Clone(never)} }

// Replace returns the policy that a write leads to, in the form that policies
// are kept in. Without a mask bindings are replaced and the etag, if there is
// one, has to be current.
func (r Rules) Replace(current, sent *iampb.Policy, mask *fieldmaskpb.FieldMask) (*iampb.Policy, error) {
	fields, err := maskOf(mask)
	if err != nil {
		return nil, err
	}
	if fields.etag && len(sent.GetEtag()) > 0 {
		if !slices.Equal(sent.GetEtag(), current.GetEtag()) {
			return nil, stale()
		}
		if sent.GetVersion() < conditional && HasConditions(current) {
			return nil, versionTooLow("Specified", sent.GetVersion())
		}
	}
	if err := checkVersion(sent.GetVersion()); err != nil {
		return nil, err
	}
	next := proto.CloneOf(current)
	if fields.bindings {
		if next.Bindings, err = r.bindings(current, sent); err != nil {
			return nil, err
		}
	}
	if fields.auditConfigs {
		if next.AuditConfigs, err = r.auditConfigs(current, sent); err != nil {
			return nil, err
		}
	}
	if err := checkSize(next); err != nil {
		return nil, err
	}
	next.Version = 1
	if HasConditions(next) {
		next.Version = conditional
	}
	next.Etag = nextEtag(current.GetEtag())
	return next, nil
}

// fields are what a write is about.
type fields struct{ bindings, etag, auditConfigs bool }

func maskOf(mask *fieldmaskpb.FieldMask) (fields, error) {
	if len(mask.GetPaths()) == 0 {
		return fields{bindings: true, etag: true}, nil
	}
	var f fields
	for _, path := range mask.GetPaths() {
		switch path {
		case "bindings":
			f.bindings = true
		case "etag":
			f.etag = true
		case "audit_configs", "auditConfigs":
			f.auditConfigs = true
		case "version":
		default:
			return f, invalid("Invalid update mask: %s is no field of a policy.", path)
		}
	}
	return f, nil
}

// nextEtag returns an etag that differs from all before it, in the form of
// Google's: eight bytes, which JSON shows as "BwW…=".
func nextEtag(current []byte) []byte {
	number := uint64(0x0705_0000_0000_0000)
	if len(current) == 8 {
		number = binary.BigEndian.Uint64(current)
	}
	return binary.BigEndian.AppendUint64(nil, number+1)
}

// HasConditions reports whether a policy has any.
func HasConditions(p *iampb.Policy) bool {
	return slices.ContainsFunc(p.GetBindings(), func(b *iampb.Binding) bool { return b.GetCondition() != nil })
}

func checkVersion(version int32) error {
	if version != 0 && version != 1 && version != conditional {
		return invalid("Invalid policy version: %d. Valid values are 0, 1 and 3.", version)
	}
	return nil
}

func versionTooLow(which string, version int32) error {
	return invalid("%s policy version (%d) cannot be less than the existing policy version (%d). For more information, please refer to https://cloud.google.com/iam/docs/policies#versions",
		which, max(version, 1), conditional)
}

// everything is the mask of a write that is about all of a policy.
var everything = &fieldmaskpb.FieldMask{Paths: []string{"bindings", "etag", "audit_configs"}}
