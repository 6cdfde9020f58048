package plugin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestCompletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "completion")
	w.create(topic("orders"))
	w.create(topic("other"))
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"commands":   {[]string{"break-g"}, "break-glass\tBreak the glass"},
		"kinds":      {[]string{"status", ""}, "bucket/\ntopic/\nserviceaccount/\nprojectpolicy/\n"},
		"names":      {[]string{"approve", "-n", "completion", "topic/or"}, "topic/orders\n:"},
		"namespaces": {[]string{"drift", "-n", "completion"}, "completion\n:"},
		"formats":    {[]string{"drift", "-o", ""}, "text\nwide\njson\n"},
	} {
		got := w.run(append([]string{"__complete"}, tc.args...)...)
		if got.code != 0 || !strings.HasPrefix(got.stdout, tc.want) {
			t.Errorf("%s: got %+v, want %q", name, got, tc.want)
		}
	}

	t.Log("kubectl asks the script, which asks the plugin by its name")
	script, err := filepath.Abs(filepath.Join("..", "..", "cmd", "kubectl-holdfast", "kubectl_complete-holdfast"))
	w.must(err)
	cmd := w.command()
	cmd.Path, cmd.Args = script, []string{script, "status", ""}
	cmd.Env = append(cmd.Env, "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	if got := w.finish(cmd); got.code != 0 || !strings.HasPrefix(got.stdout, "bucket/\n") {
		t.Errorf("got %+v", got)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := w.run("completion", shell); got.code != 0 || got.stdout == "" {
			t.Errorf("%s: got %+v", shell, got)
		}
	}
}

// TestHelp: each command says what it does, at length and by example.
func TestHelp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "help")
	for _, command := range []string{
		"status", "drift", "break-glass open", "break-glass extend", "break-glass close", "break-glass list", "approve", "reconcile", "doctor",
	} {
		got := w.run(append(strings.Fields(command), "--help")...)
		if got.code != 0 || !strings.Contains(got.stdout, "Examples:\n  kubectl holdfast "+command) {
			t.Errorf("%s: got %+v", command, got)
		}
	}
	w.ends(w.run("version"), 0, "holdfast ", "")
}

// TestKrewManifest: it has what krew asks of a plugin, once the release has filled it in.
func TestKrewManifest(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", ".krew.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	filled := strings.NewReplacer("{{ .TagName }}", "v1.2.3").Replace(string(text))
	for strings.Contains(filled, "{{addURIAndSha ") {
		before, rest, _ := strings.Cut(filled, "{{addURIAndSha ")
		call, after, ended := strings.Cut(rest, "}}")
		words := strings.Fields(call)
		if !ended || len(words) != 2 || words[1] != ".TagName" {
			t.Fatalf("%q is no call of addURIAndSha", call)
		}
		filled = before + "uri: " + strings.Trim(words[0], `"`) + "\n    sha256: " + strings.Repeat("0", 64) + after
	}
	var manifest struct {
		APIVersion string `json:"apiVersion"`
		Kind       string
		Metadata   struct{ Name string }
		Spec       struct {
			Version, Homepage, ShortDescription, Description, Caveats string

			Platforms []struct {
				URI, SHA256, Bin string
				Selector         struct{ MatchLabels map[string]string }
				Files            []struct{ From, To string }
			}
		}
	}
	if err := yaml.UnmarshalStrict([]byte(filled), &manifest); err != nil {
		t.Fatalf("%v\n%s", err, filled)
	}
	spec := manifest.Spec
	if manifest.APIVersion != "krew.googlecontainertools.github.com/v1alpha2" || manifest.Kind != "Plugin" || manifest.Metadata.Name != "holdfast" ||
		spec.Version != "v1.2.3" || spec.Homepage == "" || spec.Description == "" || spec.ShortDescription == "" || len(spec.ShortDescription) > 50 {
		t.Errorf("got %+v", manifest)
	}
	for _, platform := range spec.Platforms {
		system, processor := platform.Selector.MatchLabels["os"], platform.Selector.MatchLabels["arch"]
		want := "/kubectl-holdfast_v1.2.3_" + system + "_" + processor + ".tar.gz"
		if !strings.HasSuffix(platform.URI, want) || !strings.HasPrefix(platform.Bin, "kubectl-holdfast") || len(platform.Files) == 0 {
			t.Errorf("%s/%s: got %+v, want …%s", system, processor, platform, want)
		}
	}
	if len(spec.Platforms) != 5 {
		t.Errorf("%d platforms", len(spec.Platforms))
	}
}
