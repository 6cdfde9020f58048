package render

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/preview"
)

func TestText(t *testing.T) {
	d := Document{
		Resources: []Resource{
			{Kind: "Bucket", Namespace: "bank", Name: "unbound", Effect: preview.Refused, Reason: "ProjectUnbound", Message: "bind it\nnow"},
			{Kind: "Bucket", Namespace: "shop", Name: "logs", Project: "shop-prod", Effect: preview.Create, Changes: []Change{
				{Path: "resource", To: json.RawMessage(`"//storage.googleapis.com/logs"`)}, {Path: "spec.location", To: json.RawMessage(`"EU"`)},
			}, Unknowns: []preview.Gap{preview.GapGlass}},
			{
				Kind: "Bucket", Namespace: "shop", Name: "media", Project: "shop-prod", Effect: preview.OnHold, Message: "it differs",
				Hold: &Hold{On: preview.HoldAdoption, Release: "an approval"}, Changes: []Change{
					{Path: "spec.versioning.enabled", From: json.RawMessage("true"), Dangerous: true},
					{Path: "spec.labels[a]", From: json.RawMessage(`"b"`), To: json.RawMessage(`"c"`)},
				}, Unknowns: []preview.Gap{preview.GapGlass},
			},
			{Kind: "Topic", Namespace: "shop", Name: "orders", Project: "shop-prod", Effect: preview.Nothing},
		},
		Problems: []manifests.Problem{{Origin: manifests.Origin{File: "a.yaml", Line: 3}, Kind: "Topic", Namespace: "shop", Name: "x", Field: "spec.a", Message: "no"}},
		Unknowns: []string{"all"}, Summary: Summary{Create: 1, OnHold: 1, Refused: 1, Nothing: 1, Problems: 1},
	}
	const want = `in no project
  x Bucket bank/unbound: refused (ProjectUnbound)
      bind it\u000anow

shop-prod
  + Bucket shop/logs: create
      + spec.location: "EU"
  ! Bucket shop/media: on hold (adoption)
      it differs
      released by an approval
    ! - spec.versioning.enabled: true
      ~ spec.labels[a]: "b" -> "c"

Not valid
  a.yaml:3: Topic shop/x: spec.a: no

Not known
  of 2 resources: an open glass, which would put writes on hold
  all

1 to create, 1 on hold, 1 refused, 1 unchanged, 1 not valid
`
	if diff := cmp.Diff(want, d.Text(false)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if got := (Document{}).Text(true); got != "no manifests\n" {
		t.Errorf("nothing is %q", got)
	}
	const coloured = "\x1b[1mshop-prod\x1b[0m\n  \x1b[32m+ Topic shop/orders: create\x1b[0m\n\n1 to create\n"
	one := Document{Resources: []Resource{{Kind: "Topic", Namespace: "shop", Name: "orders", Project: "shop-prod", Effect: preview.Create}}, Summary: Summary{Create: 1}}
	if diff := cmp.Diff(coloured, one.Text(true)); diff != "" {
		t.Errorf("text in colour (-want +got):\n%s", diff)
	}
}
