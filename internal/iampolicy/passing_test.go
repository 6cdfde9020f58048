package iampolicy

import (
	"strings"
	"testing"
)

func TestPassing(t *testing.T) {
	until := Condition{Title: "until May", Expression: `request.time < timestamp("2026-05-01T00:00:00Z")`}
	for name, c := range map[string]struct {
		grant Grant
		want  string
	}{
		"a person's":                        {Grant{Role: "roles/editor", Member: "user:ada@example.com"}, ""},
		"under another condition":           {Grant{Role: "roles/viewer", Member: "user:ada@example.com", Condition: Condition{Title: "x", Expression: "true"}}, ""},
		"for a limited time":                {Grant{Role: "roles/viewer", Member: "user:ada@example.com", Condition: until}, "limited time"},
		"a deleted account's":               {Grant{Role: "roles/viewer", Member: "deleted:user:ada@example.com?uid=1"}, "was deleted"},
		"a service agent's own":             {Grant{Role: "roles/pubsub.serviceAgent", Member: "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"}, "by itself"},
		"that of the APIs service agent":    {Grant{Role: "roles/editor", Member: "serviceAccount:1@cloudservices.gserviceaccount.com"}, "by itself"},
		"what a person gave to an agent":    {Grant{Role: "roles/cloudkms.cryptoKeyEncrypterDecrypter", Member: "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"}, ""},
		"an ordinary account that is alike": {Grant{Role: "roles/editor", Member: "serviceAccount:service@p.iam.gserviceaccount.com"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Passing(c.grant)
			if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
