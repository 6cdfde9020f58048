// Package tools_test runs the scripts under hack/ with a fake go command and fake
// tools, so that their decisions can be tested in milliseconds.
package tools_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeGo stands in for the go command: it writes down what it was asked to build
// and builds files that say so, or a setup-envtest that has what PUBLISHED says.
const fakeGo = `#!/bin/sh
if [ "$1" = env ]; then printf 'linux\namd64\n'; exit; fi
if [ "$3" = list ]; then printf 'stale\n\nstale\n'; exit; fi
while [ "$1" != -o ]; do shift; done
folder=$2
shift 2
for package; do
	name=$(echo "$package" | sed -E 's|/v[0-9]+$||; s|.*/||')
	echo "$name" >>"$BUILDS"
	echo "$package" >&2
	if [ "$name" = "$BROKEN" ]; then echo "$package: does not compile" >&2; exit 1; fi
	if [ "$name" != setup-envtest ]; then echo built >"$folder/$name"; chmod +x "$folder/$name"; continue; fi
	cat >"$folder/$name" <<'END'
#!/bin/sh
[ -n "$PUBLISHED" ] || exit 2
if [ "$1" = list ]; then echo "(available) v1.37.0 linux/amd64"; exit; fi
folder=$4/k8s/1.37.0-linux-amd64
mkdir -p "$folder"
for name in $PUBLISHED; do echo published >"$folder/$name"; chmod +x "$folder/$name"; done
echo "$folder"
END
	chmod +x "$folder/$name"
done
`

// kubectlOf is a kubectl of a version, which says nothing else.
func kubectlOf(version string) string {
	return "#!/bin/sh\necho Client Version: " + version
}

// house is a machine for the scripts: a PATH of just what they need, and a cache.
type house struct {
	t    *testing.T
	bin  string
	dir  string
	envs []string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir()}
	h.bin = filepath.Join(h.dir, "bin")
	h.write("bin/go", fakeGo)
	for name := range strings.FieldsSeq("awk bash tr cat chmod cut dirname env flock grep ln mkdir mktemp mv paste rm sed sh sha256sum shasum sleep timeout wc") {
		if path, err := exec.LookPath(name); err == nil {
			if err := os.Symlink(path, filepath.Join(h.bin, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.envs = []string{
		"PATH=" + h.bin,
		"HOLDFAST_CACHE=" + filepath.Join(h.dir, "cache"),
		"BUILDS=" + filepath.Join(h.dir, "builds"),
	}
	return h
}

func (h *house) write(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		h.t.Fatal(err)
	}
}

// run returns what the script said on stdout and stderr, and whether it exited with 0.
func (h *house) run(script string, args ...string) (stdout, stderr string, ok bool) {
	h.t.Helper()
	path, err := filepath.Abs(script)
	if err != nil {
		h.t.Fatal(err)
	}
	var out, progress bytes.Buffer
	cmd := exec.CommandContext(h.t.Context(), path, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = h.dir, h.envs, &out, &progress
	err = cmd.Run()
	return out.String(), progress.String(), err == nil
}

// builds lists what was built, in order, separated by spaces.
func (h *house) builds() string {
	h.t.Helper()
	content, err := os.ReadFile(filepath.Join(h.dir, "builds"))
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(content)), " ")
}

// contents maps the programs in a folder to the first word of each.
func (h *house) contents(folder string) map[string]string {
	h.t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		h.t.Fatal(err)
	}
	found := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			h.t.Fatal(err)
		}
		found[entry.Name()] = strings.TrimSpace(string(content))
	}
	return found
}

func TestAssets(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		given   string // the programs in KUBEBUILDER_ASSETS, which is unset if there are none
		onPath  string
		kubectl string // the version of the one on the PATH
		envs    []string
		args    []string
		want    map[string]string // the folder's programs and where they came from
		builds  string            // in order
		refusal string
	}{
		"Given": {
			reason: "KUBEBUILDER_ASSETS wins, and costs nothing.",
			given:  "kube-apiserver etcd kubectl",
			want:   map[string]string{"kube-apiserver": "given", "etcd": "given", "kubectl": "given"},
		},
		"GivenWithoutEtcd": {
			reason:  "Half a control plane is a mistake to be corrected, not to be patched up.",
			given:   "kube-apiserver kubectl",
			refusal: "which has no etcd; correct it, or unset it",
		},
		"GivenFolderMissing": {
			reason:  "A mistyped folder is said to be one.",
			envs:    []string{"KUBEBUILDER_ASSETS=/nowhere"},
			refusal: "KUBEBUILDER_ASSETS is /nowhere, which is no folder",
		},
		"KubectlOnPath": {
			reason: "What KUBEBUILDER_ASSETS lacks comes from the PATH first.",
			given:  "kube-apiserver etcd",
			onPath: "kubectl",
			want:   map[string]string{"kube-apiserver": "given", "etcd": "given", "kubectl": "path"},
		},
		"KubectlNowhere": {
			reason: "What is not on the PATH either is built.",
			given:  "kube-apiserver etcd",
			want:   map[string]string{"kube-apiserver": "given", "etcd": "given", "kubectl": "built"},
			builds: "setup-envtest kubectl",
		},
		"Published": {
			reason: "Published binaries save the build.",
			envs:   []string{"PUBLISHED=kube-apiserver etcd kubectl"},
			want:   map[string]string{"kube-apiserver": "published", "etcd": "published", "kubectl": "published"},
			builds: "setup-envtest",
		},
		"PublishedInPart": {
			reason: "An incomplete download does not count.",
			envs:   []string{"PUBLISHED=kube-apiserver etcd"},
			want:   map[string]string{"kube-apiserver": "built", "etcd": "built", "kubectl": "built"},
			builds: "setup-envtest kube-apiserver server kubectl",
		},
		"PublishedAndMore": {
			reason: "Nobody publishes kube-controller-manager for tests.",
			envs:   []string{"PUBLISHED=kube-apiserver etcd kubectl"},
			args:   []string{"--with", "kube-controller-manager"},
			want: map[string]string{
				"kube-apiserver": "published", "etcd": "published", "kubectl": "published", "kube-controller-manager": "built",
			},
			builds: "setup-envtest kube-controller-manager",
		},
		"Built": {
			reason: "Where nothing can be downloaded all is built from Go modules.",
			want:   map[string]string{"kube-apiserver": "built", "etcd": "built", "kubectl": "built"},
			builds: "setup-envtest kube-apiserver server kubectl",
		},
		"BuiltWithoutSetupEnvtest": {
			reason: "Failing to ask for published binaries is no failure.",
			envs:   []string{"BROKEN=setup-envtest"},
			want:   map[string]string{"kube-apiserver": "built", "etcd": "built", "kubectl": "built"},
			builds: "setup-envtest kube-apiserver server kubectl",
		},
		"BuiltBesideKubectl": {
			reason:  "A kubectl that Kubernetes supports with the pinned version need not be built.",
			kubectl: "v1.36.4-eks-1234567",
			want:    map[string]string{"kube-apiserver": "built", "etcd": "built", "kubectl": kubectlOf("v1.36.4-eks-1234567")},
			builds:  "setup-envtest kube-apiserver server",
		},
		"BuiltBesideOldKubectl": {
			reason:  "Two minor versions are more than Kubernetes supports.",
			kubectl: "v1.35.9",
			want:    map[string]string{"kube-apiserver": "built", "etcd": "built", "kubectl": "built"},
			builds:  "setup-envtest kube-apiserver server kubectl",
		},
		"BuiltWithKubectl": {
			reason:  "Whoever compares what kubectl says wants the pinned one.",
			kubectl: "v1.37.0",
			args:    []string{"--with", "kubectl"},
			want:    map[string]string{"kube-apiserver": "built", "etcd": "built", "kubectl": "built"},
			builds:  "setup-envtest kube-apiserver server kubectl",
		},
		"DoesNotCompile": {
			reason:  "A failed build says so and prints no folder.",
			envs:    []string{"BROKEN=server"},
			builds:  "setup-envtest kube-apiserver server",
			refusal: "go.etcd.io/etcd/server/v3: does not compile\nerror: building k8s.io/kubernetes/cmd/kube-apiserver go.etcd.io/etcd/server/v3",
		},
		"UnknownProgram": {
			reason:  "The refusal names what can be had.",
			args:    []string{"--with", "kubelet"},
			refusal: "--with kubelet: can be kube-apiserver, etcd, kubectl or kube-controller-manager",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.envs = append(h.envs, tc.envs...)
			for program := range strings.FieldsSeq(tc.given) {
				h.write("given/"+program, "given")
			}
			if tc.given != "" {
				h.envs = append(h.envs, "KUBEBUILDER_ASSETS=given")
			}
			for program := range strings.FieldsSeq(tc.onPath) {
				h.write("bin/"+program, "path")
			}
			if tc.kubectl != "" {
				h.write("bin/kubectl", kubectlOf(tc.kubectl))
			}

			stdout, stderr, ok := h.run("../controlplane/assets.sh", tc.args...)

			if diff := cmp.Diff(tc.builds, h.builds()); diff != "" {
				t.Errorf("%s\nbuilds (-want +got):\n%s", tc.reason, diff)
			}
			if tc.refusal != "" {
				if ok || stdout != "" || !strings.Contains(stderr, tc.refusal) {
					t.Errorf("%s\ngot ok=%v, stdout %q and stderr %q; want a refusal with %q", tc.reason, ok, stdout, stderr, tc.refusal)
				}
				return
			}
			if !ok || strings.Count(stdout, "\n") != 1 || !filepath.IsAbs(stdout) {
				t.Fatalf("%s\ngot ok=%v, stdout %q, want one line with a folder; stderr:\n%s", tc.reason, ok, stdout, stderr)
			}
			if diff := cmp.Diff(tc.want, h.contents(strings.TrimSpace(stdout))); diff != "" {
				t.Errorf("%s\nprograms (-want +got):\n%s", tc.reason, diff)
			}

			again, stderr, _ := h.run("../controlplane/assets.sh", tc.args...)
			if again != stdout || stderr != "" {
				t.Errorf("a second run: got %q and %q on stderr, want %q and silence", again, stderr, stdout)
			}
			if diff := cmp.Diff(tc.builds, h.builds()); diff != "" {
				t.Errorf("builds after a second run (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuildsOnceForTwo(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("flock"); err != nil {
		t.Skip("without flock two runs may build twice")
	}
	h := newHouse(t)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if stdout, stderr, ok := h.run("tool.sh", "kustomize"); !ok || !strings.HasSuffix(stdout, "/kustomize\n") {
				t.Errorf("got %q, want the path of kustomize; stderr:\n%s", stdout, stderr)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff("kustomize", h.builds()); diff != "" {
		t.Errorf("builds (-want +got):\n%s", diff)
	}
}

func TestToolNames(t *testing.T) {
	t.Parallel()
	_, stderr, ok := newHouse(t).run("tool.sh", "kustomise")
	if want := "One of: controller-gen cosign cyclonedx-gomod golangci-lint govulncheck helm indexdb ko kustomize registry setup-envtest"; ok || !strings.Contains(stderr, want) {
		t.Errorf("got ok=%v and %q, want a refusal with %q", ok, stderr, want)
	}
}

func TestGitOpsPrograms(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{"../flux/assets.sh": "kustomize-controller", "../argocd/assets.sh": "argocd"} {
		h := newHouse(t)
		for range 2 {
			if stdout, stderr, ok := h.run(script); !ok || !strings.HasSuffix(stdout, "/"+want+"\n") {
				t.Errorf("%s: got %q, want the path of %s; stderr:\n%s", script, stdout, want, stderr)
			}
		}
		if diff := cmp.Diff(want, h.builds()); diff != "" {
			t.Errorf("%s: builds of two runs (-want +got):\n%s", script, diff)
		}
	}
}
