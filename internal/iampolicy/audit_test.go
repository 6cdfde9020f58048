package iampolicy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAuditConfigs(t *testing.T) {
	const storage, pubsub = "storage.googleapis.com", "pubsub.googleapis.com"
	reads := AuditLog{Type: "DATA_READ", Exempted: []string{"user:Bob@x.com", "user:alice@x.com"}}
	cases := map[string]struct {
		reason    string
		live      []AuditConfig
		wanted    []AuditConfig
		before    []string
		elsewhere []string
		want      []string
		next      []AuditConfig
	}{
		"Others": {
			reason: "Services that the manifest does not list stay as they are.",
			live:   []AuditConfig{{storage, []AuditLog{reads}}},
			next:   []AuditConfig{{storage, []AuditLog{reads}}},
		},
		"Same": {
			reason: "Order, letter case and a config in two parts make no difference, and are left alone.",
			live:   []AuditConfig{{storage, []AuditLog{reads}}, {storage, []AuditLog{{Type: "ADMIN_READ"}}}},
			wanted: []AuditConfig{{storage, []AuditLog{{Type: "ADMIN_READ"}, {Type: "DATA_READ", Exempted: []string{"user:alice@x.com", "user:bob@x.com"}}}}},
			next:   []AuditConfig{{storage, []AuditLog{reads}}, {storage, []AuditLog{{Type: "ADMIN_READ"}}}},
		},
		"New": {
			reason: "A service comes behind the others.",
			live:   []AuditConfig{{storage, []AuditLog{reads}}},
			wanted: []AuditConfig{{pubsub, []AuditLog{reads, {Type: "ADMIN_READ"}}}},
			want:   []string{`~ spec.auditConfigs[pubsub.googleapis.com] "" [{"logType":"ADMIN_READ"},{"logType":"DATA_READ","exemptedMembers":["user:alice@x.com","user:bob@x.com"]}]`},
			next: []AuditConfig{{storage, []AuditLog{reads}},
				{pubsub, []AuditLog{{Type: "ADMIN_READ"}, {Type: "DATA_READ", Exempted: []string{"user:alice@x.com", "user:bob@x.com"}}}}},
		},
		"Changed": {
			reason: "A service changes in its place, and in one part.",
			live:   []AuditConfig{{storage, []AuditLog{reads}}, {pubsub, []AuditLog{reads}}, {storage, []AuditLog{{Type: "ADMIN_READ"}}}},
			wanted: []AuditConfig{{storage, []AuditLog{{Type: "DATA_WRITE"}}}},
			want: []string{`~ spec.auditConfigs[storage.googleapis.com] [{"logType":"ADMIN_READ"},{"logType":"DATA_READ","exemptedMembers":["user:alice@x.com","user:bob@x.com"]}]` +
				` [{"logType":"DATA_WRITE"}]`},
			next: []AuditConfig{{storage, []AuditLog{{Type: "DATA_WRITE"}}}, {pubsub, []AuditLog{reads}}},
		},
		"Nothing": {
			reason: "An explicit [] is to log nothing.",
			live:   []AuditConfig{{storage, []AuditLog{{Type: "DATA_WRITE"}}}},
			wanted: []AuditConfig{{Service: storage}, {Service: pubsub}},
			before: []string{storage},
			want:   []string{`~ spec.auditConfigs[storage.googleapis.com] [{"logType":"DATA_WRITE"}] []`},
		},
		"Left": {
			reason: "A service that left the manifest is reset to no logging.",
			live:   []AuditConfig{{pubsub, []AuditLog{reads}}, {storage, []AuditLog{{Type: "DATA_WRITE"}}}},
			before: []string{storage, "gone.googleapis.com"},
			want:   []string{`~ spec.auditConfigs[storage.googleapis.com] [{"logType":"DATA_WRITE"}] ""`},
			next:   []AuditConfig{{pubsub, []AuditLog{reads}}},
		},
		"LeftToAnother": {
			reason:    "Unless another manifest sets it now.",
			live:      []AuditConfig{{storage, []AuditLog{{Type: "DATA_WRITE"}}}},
			before:    []string{storage},
			elsewhere: []string{storage},
			next:      []AuditConfig{{storage, []AuditLog{{Type: "DATA_WRITE"}}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := Input{Mode: additive, AuditConfigs: tc.wanted, AuditServices: tc.before, DeclaredServices: tc.elsewhere,
				Live: Policy{Etag: etag, AuditConfigs: tc.live, Bindings: []Binding{to("roles/a", "user:alice@x.com")}}}
			p, _ := plan(t, in)
			var got []string
			for _, c := range p.Changes {
				got = append(got, "~ "+c.Path+" "+orNone(c.From)+" "+orNone(c.To))
			}
			if d := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, d)
			}
			if d := cmp.Diff(tc.next, p.Next.AuditConfigs, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, d)
			}
			if p.Writes != (len(tc.want) > 0) {
				t.Errorf("writes %v", p.Writes)
			}
			converges(t, in, p)
		})
	}
}

// TestWhoseAuditConfigsAre: what was set before the manifest, by others, is not reset once it leaves it.
func TestWhoseAuditConfigsAre(t *testing.T) {
	const storage = "storage.googleapis.com"
	reads, writes := []AuditConfig{{storage, []AuditLog{{Type: "DATA_READ"}}}}, []AuditConfig{{storage, []AuditLog{{Type: "DATA_WRITE"}}}}
	cases := map[string]struct {
		live, wanted []AuditConfig
		given        func(*Input)
		own          bool
	}{
		"set by the manifest now":              {live: nil, wanted: reads, own: true},
		"changed by the manifest now":          {live: writes, wanted: reads, own: true},
		"set by the manifest before":           {live: reads, wanted: reads, given: func(in *Input) { in.AuditServices = []string{storage} }, own: true},
		"set by others before":                 {live: reads, wanted: reads},
		"nothing, as it is":                    {wanted: []AuditConfig{{Service: storage}}},
		"set by another manifest, too":         {live: reads, wanted: reads, given: func(in *Input) { in.SharedServices = []string{storage} }, own: true},
		"claimed of others":                    {live: reads, wanted: reads, given: func(in *Input) { in.OwnExisting = true }, own: true},
		"set by the manifest before, and left": {live: reads, given: func(in *Input) { in.AuditServices = []string{storage} }},
		"set by another manifest alone":        {live: reads, given: func(in *Input) { in.SharedServices = []string{storage} }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := Input{Mode: additive, AuditConfigs: tc.wanted, Live: Policy{Etag: etag, AuditConfigs: tc.live}}
			if tc.given != nil {
				tc.given(&in)
			}
			if got := len(Make(in).OwnServices) > 0; got != tc.own {
				t.Errorf("the manifest's own: %v, want %v", got, tc.own)
			}
		})
	}
}

func orNone(text string) string {
	if text == "" {
		return `""`
	}
	return text
}
