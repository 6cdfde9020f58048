package gcp

import (
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/genproto/googleapis/type/expr"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

func TestPolicyProto(t *testing.T) {
	etag := []byte("BwYe")
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
	p := PolicyFromProto(sent)
	want := iampolicy.Policy{
		Etag: etag,
		Bindings: []iampolicy.Binding{
			{Role: "roles/a", Members: []string{"user:alice@x.com"}},
			{Role: "roles/a", Members: []string{"user:bob@x.com"}, Condition: iampolicy.Condition{Title: "t", Description: "d", Expression: "e"}},
		},
		AuditConfigs: []iampolicy.AuditConfig{{Service: "allServices", Logs: []iampolicy.AuditLog{
			{Type: "DATA_READ", Exempted: []string{"user:bob@x.com"}}, {Type: "77"}, {Type: "LOG_TYPE_UNSPECIFIED"},
		}}},
	}
	if d := cmp.Diff(want, p); d != "" {
		t.Errorf("from proto (-want +got):\n%s", d)
	}
	sent.Version = 3
	if d := cmp.Diff(sent, PolicyProto(p), protocmp.Transform()); d != "" {
		t.Errorf("to proto (-want +got):\n%s", d)
	}
	if got := PolicyProto(iampolicy.Policy{}); got.GetVersion() != 3 {
		t.Errorf("an empty policy has version %d", got.GetVersion())
	}
	if d := cmp.Diff(iampolicy.Policy{}, PolicyFromProto(nil)); d != "" {
		t.Errorf("from nothing (-want +got):\n%s", d)
	}
}

func TestPolicyProtoLosesNothing(t *testing.T) {
	binding := rapid.Custom(func(t *rapid.T) iampolicy.Binding {
		b := iampolicy.Binding{Role: rapid.String().Draw(t, "role"), Members: rapid.SliceOf(rapid.String()).Draw(t, "members")}
		if rapid.Bool().Draw(t, "conditional") {
			b.Condition = iampolicy.Condition{Title: rapid.StringN(1, 9, -1).Draw(t, "title"), Expression: rapid.String().Draw(t, "expression")}
		}
		return b
	})
	audit := rapid.Custom(func(t *rapid.T) iampolicy.AuditConfig {
		log := rapid.Custom(func(t *rapid.T) iampolicy.AuditLog {
			return iampolicy.AuditLog{Type: rapid.SampledFrom([]string{"ADMIN_READ", "DATA_READ", "DATA_WRITE", "9"}).Draw(t, "type"),
				Exempted: rapid.SliceOf(rapid.String()).Draw(t, "exempted")}
		})
		return iampolicy.AuditConfig{Service: rapid.String().Draw(t, "service"), Logs: rapid.SliceOf(log).Draw(t, "logs")}
	})
	rapid.Check(t, func(t *rapid.T) {
		p := iampolicy.Policy{
			Etag: rapid.SliceOf(rapid.Byte()).Draw(t, "etag"), Bindings: rapid.SliceOf(binding).Draw(t, "bindings"),
			AuditConfigs: rapid.SliceOf(audit).Draw(t, "audit"),
		}
		if d := cmp.Diff(p, PolicyFromProto(PolicyProto(p)), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("(-before +after):\n%s", d)
		}
	})
}
