package iampolicy

import (
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/genproto/googleapis/type/expr"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"
)

func TestProto(t *testing.T) {
	sent := &iampb.Policy{
		Version: 1, Etag: etag,
		Bindings: []*iampb.Binding{
			{Role: "roles/a", Members: []string{"user:alice@x.com"}},
			{Role: "roles/a", Members: []string{"user:bob@x.com"}, Condition: &expr.Expr{Title: "t", Description: "d", Expression: "e"}},
		},
		AuditConfigs: []*iampb.AuditConfig{{Service: "allServices", AuditLogConfigs: []*iampb.AuditLogConfig{
			{LogType: iampb.AuditLogConfig_DATA_READ, ExemptedMembers: []string{"user:bob@x.com"}}, {LogType: 77}, {},
		}}},
	}
	p := FromProto(sent)
	want := Policy{
		Etag:     etag,
		Bindings: []Binding{to("roles/a", "user:alice@x.com"), toIf(Condition{"t", "d", "e"}, "roles/a", "user:bob@x.com")},
		AuditConfigs: []AuditConfig{{"allServices", []AuditLog{
			{Type: "DATA_READ", Exempted: []string{"user:bob@x.com"}}, {Type: "77"}, {Type: "LOG_TYPE_UNSPECIFIED"},
		}}},
	}
	if d := cmp.Diff(want, p); d != "" {
		t.Errorf("from proto (-want +got):\n%s", d)
	}
	sent.Version = 3
	if d := cmp.Diff(sent, p.Proto(), protocmp.Transform()); d != "" {
		t.Errorf("to proto (-want +got):\n%s", d)
	}
	if got := (Policy{}).Proto(); got.GetVersion() != 3 {
		t.Errorf("an empty policy has version %d", got.GetVersion())
	}
	if d := cmp.Diff(Policy{}, FromProto(nil)); d != "" {
		t.Errorf("from nothing (-want +got):\n%s", d)
	}
}

func TestProtoLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		if d := cmp.Diff(p, FromProto(p.Proto()), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("(-before +after):\n%s", d)
		}
	})
}
