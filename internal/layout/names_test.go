package layout

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
	"pgregory.net/rapid"
)

func TestName(t *testing.T) {
	for name, c := range map[string]struct{ id, want string }{
		"a name that Kubernetes allows": {"logs", "logs"},
		"dots are allowed":              {"logs.example.com", "logs.example.com"},
		"upper case":                    {"Orders", "orders-b7e8ac"},
		"an underscore":                 {"my_topic", "my-topic-40f406"},
		"one that looks like it":        {"my-topic", "my-topic"},
		"nothing is left":               {"%%%", "resource-918e8c"},
		"dots and dashes side by side":  {"a-.b", "a-b-e3774d"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Name(c.id); got != c.want {
				t.Errorf("%q becomes %q, want %q", c.id, got, c.want)
			}
		})
	}
}

func TestNamespace(t *testing.T) {
	for name, c := range map[string]struct{ prefix, project, want string }{
		"the project's ID":       {"", "my-project", "my-project"},
		"with a prefix":          {"gcp-", "my-project", "gcp-my-project"},
		"a project of a domain":  {"", "example.com:my-project", "example-com-my-project-a6f6c3"},
		"a prefix with no place": {strings.Repeat("a", 60), "my-project", strings.Repeat("a", 56) + "-8746dc"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Namespace(c.prefix, c.project); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestNamesAreValid: whatever a resource is called, Kubernetes allows the name of its manifest, and no other resource has that.
func TestNamesAreValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.StringMatching(`[A-Za-z][A-Za-z0-9._~+%-]{2,254}`), rapid.String()).Draw(t, "id")
		other := rapid.StringMatching(`[A-Za-z][A-Za-z0-9._~+%-]{2,10}`).Draw(t, "other")
		name, namespace := Name(id), Namespace("", id)
		if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
			t.Errorf("%q becomes %q: %v", id, name, problems)
		}
		if problems := validation.IsDNS1123Label(namespace); len(problems) > 0 {
			t.Errorf("%q becomes the namespace %q: %v", id, namespace, problems)
		}
		if other != id && Name(other) == name {
			t.Errorf("%q and %q are both %q", id, other, name)
		}
	})
}
