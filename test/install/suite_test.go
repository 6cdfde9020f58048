// Package install installs Holdfast by kubectl and by the real helm, as the README says, upgrades it, and takes it away again. `make
// install-test` runs it:
//
//	KUBEBUILDER_ASSETS  the folder of kube-apiserver, etcd, kubectl and kube-controller-manager
//	HOLDFAST_HELM       helm, HOLDFAST_REGISTRY crane, which serves a registry, and HOLDFAST_KUSTOMIZE kustomize
package install

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/test/installed"
	"github.com/holdfast-dev/holdfast/test/process"
	"github.com/holdfast-dev/holdfast/test/readme"
)

const root = "../.."

// published is where charts are, as the README has it.
const published = "oci://ghcr.io/holdfast-dev/charts"

// patience bounds every wait.
const patience = 2 * time.Minute

// tool is the path of a program that the environment names.
func tool(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Skip("without " + variable + ": run make install-test")
	}
	return path
}

// output is what a command writes to its standard output.
func output(t *testing.T, command *exec.Cmd) []byte {
	t.Helper()
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command.Args, " "), err, &problems)
	}
	return out
}

// kustomize builds a folder of config/.
func kustomize(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	return parse(t, output(t, exec.CommandContext(t.Context(), tool(t, "HOLDFAST_KUSTOMIZE"), "build", folder)))
}

func parse(t *testing.T, text []byte) []*unstructured.Unstructured {
	t.Helper()
	objects, err := installed.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// site is a cluster, a registry, and the machine of its administrator: a copy of the repository, with kubectl and helm in the PATH.
type site struct {
	client.Client
	t *testing.T

	folder, admin string
	// operator is the kubeconfig of the operator's service account.
	operator string
	// registry is where the charts are pushed to.
	registry string
}

func newSite(t *testing.T) *site {
	t.Helper()
	helm, crane := tool(t, "HOLDFAST_HELM"), tool(t, "HOLDFAST_REGISTRY")
	log.SetLogger(logr.Discard())
	environment := &envtest.Environment{}
	config, err := installed.Start(environment)
	if err != nil {
		t.Fatalf("starting the control plane: %v", err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("stopping the control plane: %v", err)
		}
	})
	s := &site{t: t, folder: t.TempDir()}
	s.Client, err = client.New(installed.As(config, ""), client.Options{})
	s.must(err)
	s.admin = s.write("admin", string(environment.KubeConfig))
	as, err := clientcmd.Load(environment.KubeConfig)
	s.must(err)
	for _, user := range as.AuthInfos {
		user.Impersonate = installed.Operator
	}
	s.operator = filepath.Join(s.folder, "operator")
	s.must(clientcmd.WriteToFile(*as, s.operator))

	addresses, err := process.FreeAddresses(2)
	s.must(err)
	s.registry = "oci://" + addresses[0] + "/charts"
	serving := process.StartTest(t, process.Program{Path: crane, Args: []string{"registry", "serve", "--address", addresses[0]}})
	s.must(serving.Await(t.Context(), patience, process.Listening(addresses[0])))
	s.startControllers(addresses[1])

	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	s.program("kubectl", kubectl+` "$@"`)
	// Published charts are on the registry here, which has no TLS.
	s.program("helm", `case "$*" in *oci:*) set -- "$@" --plain-http ;; esac
for argument; do shift; case $argument in `+published+`*) argument=`+s.registry+`${argument#`+published+`} ;; esac; set -- "$@" "$argument"; done
`+helm+` "$@"`)
	return s
}

// startControllers runs what ends Namespaces.
func (s *site) startControllers(address string) {
	s.t.Helper()
	_, port, err := net.SplitHostPort(address)
	s.must(err)
	process.StartTest(s.t, process.Program{Path: filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kube-controller-manager"), Args: []string{
		"--kubeconfig", s.admin, "--authentication-kubeconfig", s.admin, "--authorization-kubeconfig", s.admin,
		"--controllers=namespace-controller", "--leader-elect=false",
		"--bind-address=127.0.0.1", "--secure-port", port, "--cert-dir", filepath.Join(s.folder, "controllers"),
	}})
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.folder, name)
	s.must(os.MkdirAll(filepath.Dir(path), 0o700))
	s.must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

// program puts a script into the PATH.
func (s *site) program(name, script string) {
	s.t.Helper()
	s.must(os.Chmod(s.write("bin/"+name, "#!/bin/sh\n"+script+"\n"), 0o700))
}

// sh runs a script in the repository, and returns what it wrote. It has to succeed.
func (s *site) sh(script string, env ...string) string {
	s.t.Helper()
	command := exec.CommandContext(s.t.Context(), "bash", "-euo", "pipefail", "-c", script)
	command.Dir = root
	command.Env = append(os.Environ(), append([]string{
		"PATH=" + filepath.Join(s.folder, "bin") + ":" + os.Getenv("PATH"), "KUBECONFIG=" + s.admin, "FOLDER=" + s.folder,
		"MAKEFLAGS=", "DIST=" + filepath.Join(s.folder, "dist"), "KUBECACHEDIR=" + filepath.Join(s.folder, "kube"),
		"HELM_CACHE_HOME=" + s.folder, "HELM_CONFIG_HOME=" + s.folder, "HELM_DATA_HOME=" + s.folder,
	}, env...)...)
	began := time.Now()
	out, err := command.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s\n%v\n%s", script, err, out)
	}
	s.t.Logf("%s\ntook %v", script, time.Since(began).Round(time.Second))
	return string(out)
}

// publish packages a chart as a version, and pushes it.
func (s *site) publish(chart, version string) {
	s.t.Helper()
	s.sh(`helm package "$CHART" --version "$VERSION" --app-version "v$VERSION" --destination "$DIST"
		helm push "$DIST/${CHART##*/}-$VERSION.tgz" `+published, "CHART="+chart, "VERSION="+version)
}

// commands are those of a section of the README, as they are there but for where they write what is built.
func (s *site) commands(section string) string {
	s.t.Helper()
	commands, err := readme.Commands(root, section)
	s.must(err)
	return strings.ReplaceAll(commands, "dist/", `"$DIST"/`)
}

// readme runs the commands of a section.
func (s *site) readme(section string, env ...string) {
	s.t.Helper()
	s.sh(s.commands(section), env...)
}

// taken waits until the API server takes manifests in: for some seconds after their definitions are established it does not.
func (s *site) taken() {
	s.t.Helper()
	probe := s.write("probe.yaml", "{apiVersion: gcp.holdfast.dev/v1alpha1, kind: Topic, metadata: {name: probe, namespace: default}}")
	s.eventually("manifests are taken in", func() bool {
		_, err := run(s.t, filepath.Join(s.folder, "bin", "kubectl"), "--kubeconfig", s.admin, "create", "--dry-run=server", "-f", probe)
		return err == nil
	})
}

// apply applies manifests once they are taken in.
func (s *site) apply(manifests string) {
	s.t.Helper()
	s.taken()
	s.sh(`kubectl apply --server-side -f "$FILE"`, "FILE="+s.write("manifests.yaml", manifests))
}

func (s *site) eventually(what string, holds func() bool) {
	s.t.Helper()
	err := wait.PollUntilContextTimeout(s.t.Context(), 100*time.Millisecond, patience, true,
		func(context.Context) (bool, error) { return holds(), nil })
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

// run runs a program, and returns all that it wrote.
func run(t *testing.T, path string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	return string(out), err
}
