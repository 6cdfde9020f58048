package manifests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repo is a git repository.
type repo struct {
	t   testing.TB
	dir string
}

// repository makes one with a commit of files.
func repository(t testing.TB, files map[string]string) repo {
	t.Helper()
	r := repo{t, folder(t, files)}
	r.git("init", "--quiet", "--initial-branch=main")
	r.commit()
	return r
}

func (r repo) git(args ...string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", append([]string{"-C", r.dir, "-c", "user.name=Ada", "-c", "user.email=ada@example.com"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// commit commits all that is there.
func (r repo) commit() {
	r.t.Helper()
	r.git("add", "--all")
	r.git("commit", "--quiet", "--allow-empty", "--message", "Change")
}

func (r repo) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r repo) remove(name string) {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.dir, name)); err != nil {
		r.t.Fatal(err)
	}
}

func TestReadARevision(t *testing.T) {
	files := map[string]string{
		"apps/a.yaml": topic("orders", ""), "apps/with space/ü.yaml": topic("events", ""), "apps/.hidden/b.yaml": "kind: [",
		"more/base/kustomization.yaml": "resources: [topic.yaml]\n", "more/base/topic.yaml": topic("base", ""),
		"more/prod/kustomization.yaml": "resources: [../base]\nnamePrefix: prod-\n",
	}
	was := []string{"Topic shop/orders apps/a.yaml:1", "Topic shop/events apps/with space/ü.yaml:1", "Topic shop/prod-base more/base/topic.yaml (kustomization more/prod)"}
	cases := map[string]struct {
		dir   string // below the top
		paths []string
		want  []string
	}{
		"all of it":                         {"", []string{"."}, was},
		"a folder of it":                    {"", []string{"apps"}, was[:2]},
		"a file of it":                      {"", []string{"apps/a.yaml"}, was[:1]},
		"from a folder below":               {"apps", []string{"a.yaml", "../more"}, []string{"Topic shop/orders a.yaml:1", "Topic shop/prod-base ../more/base/topic.yaml (kustomization ../more/prod)"}},
		"what did not exist":                {"", []string{"new", "apps/a.yaml"}, was[:1]},
		"a folder that is gone by now":      {"", []string{"more/prod"}, was[2:]},
		"several, one of them in the other": {"", []string{"apps/a.yaml", "apps"}, was[:2]},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := repository(t, files)
			r.remove("more/prod")
			r.write("apps/a.yaml", "kind: [")
			r.write("new.yaml", topic("new", ""))
			r.commit()
			r.write("apps/a.yaml", topic("uncommitted", ""))
			compare(t, reading{objects: tc.want}, told(read(t, Options{Paths: tc.paths, Dir: filepath.Join(r.dir, tc.dir), Revision: "HEAD~1"})))
		})
	}
	t.Run("what is wrong there", func(t *testing.T) {
		r := repository(t, map[string]string{"apps/kustomization.yaml": "resources: [missing/a.yaml]\n", "b.yaml": "kind: ["})
		tree := read(t, Options{Paths: []string{"."}, Dir: r.dir, Revision: "HEAD"})
		if got := told(tree).problems; len(got) != 2 || !strings.Contains(got[1], "open apps/missing/a.yaml: file does not exist") {
			t.Errorf("problems: %q", got)
		}
	})
	t.Run("by an absolute path, through a link", func(t *testing.T) {
		r := repository(t, files)
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(r.dir, link); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(link, "apps", "a.yaml")
		compare(t, reading{objects: []string{"Topic shop/orders " + path + ":1"}}, told(read(t, Options{Paths: []string{path}, Dir: link, Revision: "main"})))
	})
}

// TestReadLinksOfARevision: what is a symbolic link on disk is one in git, too.
func TestReadLinksOfARevision(t *testing.T) {
	r := repository(t, map[string]string{"real/a.yaml": topic("orders", ""), "real/deep/b.yaml": topic("events", "")})
	for name, target := range map[string]string{
		"apps/c.yaml": "../real/a.yaml", "apps/dir": "../real/deep", "apps/again": "dir", "apps/nowhere.yaml": "../none", "real/deep/up": "..", "apps/out.yaml": "../../../etc/passwd",
	} {
		if err := os.MkdirAll(filepath.Join(r.dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(r.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	r.commit()
	tree := read(t, Options{Paths: []string{"apps/c.yaml", "apps/again"}, Dir: r.dir, Revision: "HEAD"})
	compare(t, reading{objects: []string{"Topic shop/orders apps/c.yaml:1", "Topic shop/events apps/again/b.yaml:1"}}, told(tree))
}

func TestReadRefusesARevision(t *testing.T) {
	cases := map[string]struct {
		prepare  func(t *testing.T, r *repo)
		revision string
		paths    []string
		want     func(r repo) string
	}{
		"that does not exist": {revision: "origin/main", want: func(r repo) string {
			return "git has no revision origin/main in " + r.dir + ": fetch it first; in CI, check out with history (fetch-depth: 0)"
		}},
		"that looks like a flag": {revision: "--all", want: func(r repo) string {
			return "git has no revision --all in " + r.dir + ": fetch it first; in CI, check out with history (fetch-depth: 0)"
		}},
		"outside of a repository": {
			prepare: func(_ *testing.T, r *repo) { r.remove(".git") }, revision: "main",
			want: func(repo) string {
				return "reading the revision main: fatal: not a git repository"
			},
		},
		"of files outside of the repository": {revision: "main", paths: []string{"../apps"}, want: func(r repo) string {
			return "../apps: it is not in the git repository " + r.dir
		}},
		"without git": {
			prepare: func(t *testing.T, _ *repo) { t.Setenv("PATH", t.TempDir()) }, revision: "main",
			want: func(repo) string {
				return "reading the revision main: the program git is missing: install it, or add it to $PATH"
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := repository(t, map[string]string{"a.yaml": ""})
			if tc.prepare != nil {
				tc.prepare(t, &r)
			}
			if tc.paths == nil {
				tc.paths = []string{"."}
			}
			_, err := Read(t.Context(), Options{Paths: tc.paths, Dir: r.dir, Revision: tc.revision})
			if want := tc.want(r); !strings.HasPrefix(errorText(err), want) {
				t.Errorf("error: %v, want %s", err, want)
			}
		})
	}
}
