package iampolicy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNextIsToTheLetter: what is not touched is written back as it was read: order, spelling, duplicates and all.
func TestNextIsToTheLetter(t *testing.T) {
	loose := Condition{Title: "logs ", Expression: ` resource.name.startsWith( "projects/_/buckets/logs")`}
	source := "what the client library wants back"
	live := Policy{Etag: etag, Source: source, Bindings: []Binding{
		to("roles/z", "user:Zoe@X.com", "user:alice@x.com", "user:ALICE@x.com"),
		toIf(loose, "roles/a", "user:Left@x.com", "user:Bob@x.com"),
		to("roles/a", "user:alone@x.com"),
		to("roles/empty"),
		toIf(logs, "roles/a", "user:left@x.com", "user:carol@x.com"),
		to("roles/m"),
	}}
	p, _ := plan(t, Input{
		Mode: additive, Live: live, Recorded: grants(toIf(logs, "roles/a", "user:left@x.com"), to("roles/a", "user:alone@x.com")),
		Wanted: grants(toIf(logs, "roles/a", "user:New@x.com"), to("roles/m", "user:m@x.com"), to("roles/b", "user:b2@x.com", "user:b1@x.com"),
			toIf(Condition{Title: "c", Expression: "a  ==  b"}, "roles/b", "user:b1@x.com")),
	})
	want := Policy{Etag: etag, Source: source, Bindings: []Binding{
		to("roles/z", "user:Zoe@X.com", "user:alice@x.com", "user:ALICE@x.com"),
		toIf(loose, "roles/a", "user:Bob@x.com", "user:new@x.com"),
		to("roles/empty"),
		toIf(logs, "roles/a", "user:carol@x.com"),
		to("roles/m", "user:m@x.com"),
		to("roles/b", "user:b1@x.com", "user:b2@x.com"),
		toIf(Condition{Title: "c", Expression: "a  ==  b"}, "roles/b", "user:b1@x.com"),
	}}
	if d := cmp.Diff(want, p.Next); d != "" {
		t.Errorf("next (-want +got):\n%s", d)
	}
}
