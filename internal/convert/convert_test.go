package convert

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holdfast-dev/holdfast/internal/importer"
	"github.com/holdfast-dev/holdfast/internal/kinds"
	"github.com/holdfast-dev/holdfast/internal/layout"
)

var update = flag.Bool("update", false, "write the golden files anew")

func options() Options {
	return Options{Kinds: kinds.All(nil), Namespace: func(project string) string { return layout.Namespace("", project) }}
}

// golden compares all that a conversion came to with a file of testdata, and its manifests with what the API server takes.
func golden(t *testing.T, file string, result Result) {
	t.Helper()
	text, err := layout.Stream(result.Objects)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(text)
	b.WriteString("\n# Notes\n")
	for _, n := range result.Notes {
		fmt.Fprintf(&b, "# %s: %s: %s\n", n.Source, n.Field, n.Message)
	}
	b.WriteString("\n# Handover\n")
	for _, s := range result.Handover.Steps {
		fmt.Fprintf(&b, "# %s\n", s.Why)
		for _, command := range s.Commands {
			fmt.Fprintf(&b, "#   %s\n", strings.ReplaceAll(command, "\n", "\n#   "))
		}
	}
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-want +got); if that is as it should be: go test ./internal/convert -args -update\n%s", file, diff)
	}
	valid(t, result.Objects)
}

func valid(t *testing.T, objects []layout.Object) {
	t.Helper()
	for _, obj := range objects {
		if obj.GetNamespace() == "" {
			continue
		}
		for _, p := range importer.Offline(t.Context())(obj) {
			t.Errorf("%s %s: %s: %s", obj.GetKind(), obj.GetName(), p.Path, p.Message)
		}
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestConfigConnector(t *testing.T) {
	result, err := ConfigConnector([]File{{Name: "shop.yaml", Text: read(t, "connector.yaml")}}, "default", options())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "connector.golden.yaml", result)
}

func TestTerraformState(t *testing.T) {
	result, err := TerraformState(read(t, "terraform.json"), options())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "terraform.golden.yaml", result)
	for _, note := range result.Notes {
		if strings.Contains(note.Message, "s3cr3t") {
			t.Errorf("a secret is shown: %+v", note)
		}
	}
}

// TestAuthoritative: manifests own what the source owned, and nothing more.
func TestAuthoritative(t *testing.T) {
	o := options()
	o.Authoritative = true
	result, err := TerraformState(read(t, "terraform.json"), o)
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]any{}
	for _, obj := range result.Objects {
		spec, _ := obj.Object["spec"].(map[string]any)
		if iam, ok := spec["iam"].(map[string]any); ok {
			modes[obj.GetKind()] = iam["mode"]
		}
		if mode, ok := spec["mode"]; ok {
			modes[obj.GetKind()] = mode
		}
	}
	want := map[string]any{"Bucket": "Additive", "Topic": "AuthoritativeRoles", "ServiceAccount": "Authoritative", "ProjectPolicy": "Additive"}
	if diff := cmp.Diff(want, modes); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

// TestAddresses: as terraform state list of Terraform 1.11 prints them, or else the script would take what is there for forgotten.
func TestAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		module string
		key    any
		want   string
	}{
		"no key":                  {want: "google_storage_bucket.b"},
		"a number":                {key: json.Number("0"), want: "google_storage_bucket.b[0]"},
		"in a module":             {module: `module.x["a"].module.y`, key: json.Number("1"), want: `module.x["a"].module.y.google_storage_bucket.b[1]`},
		"an empty text":           {key: "", want: `google_storage_bucket.b[""]`},
		"quotes":                  {key: `it's "q" \`, want: `google_storage_bucket.b["it's \"q\" \\"]`},
		"what begins a template":  {key: "a${x}%{y} $5 100%", want: `google_storage_bucket.b["a$${x}%%{y} $5 100%"]`},
		"control characters":      {key: "a\n\r\tb\u0001", want: `google_storage_bucket.b["a\n\r\tb\u0001"]`},
		"printable or not":        {key: "ü€😀\u200b\U000e0001", want: `google_storage_bucket.b["ü€😀\u200b\U000e0001"]`},
		"a template at the end $": {key: "a$", want: `google_storage_bucket.b["a$"]`},
	} {
		t.Run(name, func(t *testing.T) {
			r := terraformResource{Module: c.module, Type: "google_storage_bucket", Name: "b"}
			if got := r.address(terraformInstance{IndexKey: c.key}); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestWords: whatever a source calls its objects, the script takes it for a name.
func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"buckets.gcp.holdfast.dev/logs": "buckets.gcp.holdfast.dev/logs",
		"":                              "''",
		"a b":                           "'a b'",
		"it's $(reboot)":                `'it'\''s $(reboot)'`,
	} {
		if got := word(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestStatesThatAreNotRead(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":          {"hello", "this is no state of Terraform"},
		"an old version":   {`{"version": 3}`, "the state has version 3; only version 4 is read"},
		"no version":       {`{}`, "the state has version 0"},
		"an encrypted one": {`{"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "abc", "encryption_version": "v0"}`, "the state is encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := TerraformState([]byte(c.text), options()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestManifestsThatAreNotRead(t *testing.T) {
	_, err := ConfigConnector([]File{{Name: "a.yaml", Text: []byte("a: 1\n---\n\tb: [")}}, "default", options())
	if err == nil || !strings.HasPrefix(err.Error(), "a.yaml: document 2: ") {
		t.Errorf("got %v", err)
	}
}

func FuzzTerraformState(f *testing.F) {
	f.Add(read(f, "terraform.json"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		_, _ = TerraformState(text, options()) // it must not panic
	})
}

func FuzzConfigConnector(f *testing.F) {
	f.Add(read(f, "connector.yaml"))
	f.Fuzz(func(_ *testing.T, text []byte) {
		_, _ = ConfigConnector([]File{{Name: "fuzz", Text: text}}, "default", options()) // it must not panic
	})
}
