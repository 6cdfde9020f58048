package plugin

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestConvertInAPipe: it reads standard input, and writes to both outputs.
func TestConvertInAPipe(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "convert-piped")
	state, err := os.ReadFile(filepath.Join("..", "..", "internal", "convert", "testdata", "terraform.json"))
	w.must(err)
	cmd := w.command("convert", "--from", "terraform-state", "-")
	cmd.Stdin = strings.NewReader(string(state))
	got := w.finish(cmd)
	if got.code != 2 || !strings.Contains(got.stderr, "\nforget \\\n") || strings.Contains(got.stderr, "s3cr3t") {
		t.Errorf("got %+v", got)
	}
	if n := strings.Count(got.stdout, "\n---\n"); n != 4 { // a Namespace, a bucket, a topic, an account, a policy
		t.Errorf("%d manifests:\n%s", n+1, got.stdout)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no source":         {[]string{"-"}, `required flag(s) "from" not set`},
		"an unknown source": {[]string{"--from", "pulumi", "-"}, "must be one of config-connector, terraform-state"},
		"no such file":      {[]string{"--from", "terraform-state", "no-such-file"}, "no-such-file"},
		"no manifests":      {[]string{"--from", "config-connector", "."}, "there are no manifests"},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.run(slices.Concat([]string{"convert"}, c.args)...)
			if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, c.want) {
				t.Errorf("got %+v, want %q", got, c.want)
			}
		})
	}
}
