package gitops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/gitops/gitserver"
	"github.com/holdfast-dev/holdfast/test/installed"
	"github.com/holdfast-dev/holdfast/test/process"
)

// root is the top of the repository.
const root = "../.."

type worldOptions struct {
	// sweep is how often the operator looks at a resource that nobody touched.
	sweep time.Duration
	// argo says whether Argo CD runs, too.
	argo bool
}

// world is a control plane with Holdfast installed in it, a Google Cloud, a git server, and the tools.
type world struct {
	name    string
	options worldOptions
	// patience bounds every wait for one thing, which is looked at again at each pace.
	patience, pace time.Duration
	// folder has all files of the world, and goes with it; logs are what the programs say.
	folder, logs string
	undo         []func() error
	// processes are the programs that run, by their names.
	processes map[string]*process.Process

	assets string
	admin  *rest.Config
	// etcd is the address at which etcd answers.
	etcd string
	// kube reads and writes as the administrator. It does not cache.
	kube  client.WithWatch
	audit *audit
	cloud *emulator.Emulator
	git   *gitserver.Server
}

// startWorld starts everything, in order. What it started is ended after all tests.
func startWorld(name string, options worldOptions) (*world, error) {
	w := &world{name: name, options: options, processes: map[string]*process.Process{}, patience: patience, pace: time.Second / 10, assets: os.Getenv("KUBEBUILDER_ASSETS")}
	if err := begin(w); err != nil {
		return nil, err
	}
	parts := []func() error{w.startControlPlane, w.install, w.startCloud, w.startOperator, w.startGit, w.startFlux}
	if options.argo {
		parts = append(parts, w.startArgo)
	}
	// Last, so that it knows all kinds from the beginning: it looks for new ones every half minute.
	for _, part := range append(parts, w.startControllerManager) {
		if err := part(); err != nil {
			return nil, err
		}
	}
	// What kubectl learned while there were fewer kinds.
	return w, os.RemoveAll(w.file("kubectl"))
}

// later has something done when the world ends, the last first.
func (w *world) later(do func() error) { w.undo = append(w.undo, do) }

// stop ends the world, once.
func (w *world) stop() error {
	var errs []error
	for _, do := range slices.Backward(w.undo) {
		errs = append(errs, do())
	}
	w.undo = nil
	return errors.Join(errs...)
}

func (w *world) file(name string) string { return filepath.Join(w.folder, name) }

func (w *world) startControlPlane() error {
	environment := &envtest.Environment{BinaryAssetsDirectory: w.assets, ControlPlaneStartTimeout: patience, ControlPlaneStopTimeout: 5 * time.Second}
	var err error
	if w.audit, err = newAudit(w.folder); err != nil {
		return err
	}
	arguments := environment.ControlPlane.GetAPIServer().Configure()
	arguments.Set("audit-policy-file", w.audit.policy).Set("audit-log-path", w.audit.log).Set("audit-log-maxsize", "0") // which never begins a new file
	w.later(func() error {
		// Those who watch until the end are cut off by force; that is no failure.
		_ = environment.Stop()
		return nil
	})
	if w.admin, err = installed.Start(environment); err != nil {
		return fmt.Errorf("starting the control plane: %w", err)
	}
	w.admin.QPS, w.etcd = -1, environment.ControlPlane.Etcd.URL.String()
	if err := os.WriteFile(w.file("admin"), environment.KubeConfig, 0o600); err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme, rbacv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return fmt.Errorf("building the scheme: %w", err)
		}
	}
	w.kube, err = client.NewWithWatch(w.admin, client.Options{Scheme: scheme})
	return err
}

// install installs what a cluster gets, by the command of the README, and makes the people.
func (w *world) install() error {
	if _, err := w.kubectl("", "apply", "--server-side", "-k", root+"/config/default"); err != nil {
		return err
	}
	if err := w.established("buckets.gcp.holdfast.dev", "topics.gcp.holdfast.dev"); err != nil {
		return err
	}
	if err := installed.People(w.kube); err != nil {
		return err
	}
	return errors.Join(installed.Guarded(w.admin, w.kube.Scheme()), installed.Stamped(w.admin, w.kube.Scheme()))
}

// established waits until the API server serves the kinds of CustomResourceDefinitions.
func (w *world) established(names ...string) error {
	for _, name := range names {
		crd := &unstructured.Unstructured{}
		crd.SetAPIVersion("apiextensions.k8s.io/v1")
		crd.SetKind("CustomResourceDefinition")
		err := wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
			err := w.kube.Get(ctx, client.ObjectKey{Name: name}, crd)
			return conditionOf(crd, "Established").Status == "True", err
		})
		if err != nil {
			return fmt.Errorf("waiting for the CustomResourceDefinition %s: %w", name, err)
		}
	}
	return nil
}

func (w *world) startCloud() error {
	var err error
	if w.cloud, err = emulator.New(emulator.Options{Journal: true}); err != nil {
		return err
	}
	w.later(w.cloud.Close)
	return w.cloud.Start(context.Background())
}

// startOperator builds the manager and runs it as its service account, with the rights of config/rbac.
func (w *world) startOperator() error {
	manager := w.file("manager")
	if _, err := command("go", "build", "-o", manager, root+"/cmd/manager"); err != nil {
		return err
	}
	kubeconfig, err := w.kubeconfigOf("holdfast-system", "holdfast-manager")
	if err != nil {
		return err
	}
	health, err := process.FreeAddress()
	if err != nil {
		return err
	}
	return w.run(health, process.Program{Name: "manager", Path: manager, Args: []string{
		"--kubeconfig", kubeconfig,
		"--leader-elect", "--leader-elect-namespace", "holdfast-system",
		"--gcp-insecure", "--storage-endpoint", w.cloud.StorageEndpoint(),
		"--pubsub-endpoint", w.cloud.GRPCAddr(), "--resourcemanager-endpoint", w.cloud.GRPCAddr(), "--iam-endpoint", w.cloud.GRPCAddr(),
		"--sweep-interval", w.options.sweep.String(), "--gcp-quota-share", "100", // the emulator has enough for everybody
		"--health-probe-bind-address", health,
	}})
}

// run starts a program, waits until it listens at an address, and has it stopped with the world. It has a folder for
// temporary files of its own: kustomize-controller removes as it starts what looks like another's that was killed.
func (w *world) run(address string, p process.Program) error {
	p.Log = filepath.Join(w.logs, p.Name+".log")
	temporary := w.file("tmp-" + p.Name)
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		return err
	}
	p.Env = slices.Concat(p.Env, []string{"TMPDIR=" + temporary})
	started, err := process.Start(p)
	if err != nil {
		return err
	}
	w.later(started.Stop)
	w.processes[p.Name] = started
	return started.Await(context.Background(), patience, process.Listening(address))
}

func (w *world) startGit() error {
	folder := w.file("git")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	var err error
	if w.git, err = gitserver.Start(folder); err != nil {
		return err
	}
	w.later(w.git.Close)
	return nil
}

// startControllerManager runs what cascading deletes need, and what has objects stored anew; each with the rights of its own account.
func (w *world) startControllerManager() error {
	address, err := process.FreeAddress()
	if err != nil {
		return err
	}
	admin := w.file("admin")
	return w.run(address, process.Program{Name: "kube-controller-manager", Path: filepath.Join(w.assets, "kube-controller-manager"), Args: []string{
		"--kubeconfig", admin, "--authentication-kubeconfig", admin, "--authorization-kubeconfig", admin,
		"--controllers=garbage-collector-controller,namespace-controller,storage-version-migrator-controller", "--leader-elect=false",
		"--use-service-account-credentials",
		"--bind-address=127.0.0.1", "--secure-port", port(address), "--cert-dir", w.file("kube-controller-manager"),
	}})
}

// kubeconfigOf writes a kubeconfig with which one acts as a service account, and nothing more.
func (w *world) kubeconfigOf(namespace, account string) (string, error) {
	object := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: account}}
	lifetime := int64((24 * time.Hour).Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &lifetime}}
	if err := w.kube.SubResource("token").Create(context.Background(), object, request); err != nil {
		return "", fmt.Errorf("asking for a token of the service account %s/%s: %w", namespace, account, err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["it"] = &clientcmdapi.Cluster{Server: w.admin.Host, CertificateAuthorityData: w.admin.CAData}
	config.AuthInfos[account] = &clientcmdapi.AuthInfo{Token: request.Status.Token}
	config.Contexts["it"] = &clientcmdapi.Context{Cluster: "it", AuthInfo: account, Namespace: namespace}
	config.CurrentContext = "it"
	file := w.file(account + ".kubeconfig")
	return file, clientcmd.WriteToFile(*config, file)
}

// makeAdministrator makes a namespace, and in it a service account that may do everything, as GitOps tools often may.
func (w *world) makeAdministrator(namespace, account string) error {
	ctx := context.Background()
	if err := w.kube.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}); err != nil {
		return err
	}
	if err := w.kube.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: account}}); err != nil {
		return err
	}
	user := "system:serviceaccount:" + namespace + ":" + account
	if user == installed.GitOps { // has it already
		return nil
	}
	return installed.Grant(w.kube, user, "cluster-admin")
}

// kubectl runs the real one as a person; nobody is the administrator. It returns what was printed, errors too.
func (w *world) kubectl(as string, args ...string) (string, error) {
	if as != "" {
		args = append(args, "--as", as)
	}
	line := append(w.kubectlCommand(), args...)
	return command(line[0], line[1:]...)
}

// kubectlCommand is what stands for the word kubectl.
func (w *world) kubectlCommand() []string {
	return []string{filepath.Join(w.assets, "kubectl"), "--kubeconfig", w.file("admin"), "--cache-dir", w.file("kubectl")}
}

// command runs a program to its end and returns what it prints.
func command(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// moduleFolder returns the folder of a module at the version that one under hack/ pins for it or, where that has only a
// part of it as a module of its own, for that part.
func moduleFolder(pinning, module, part string) (string, error) {
	version, err := command("go", "-C", filepath.Join(root, "hack", pinning), "list", "-m", "-f", "{{.Version}}", module+part)
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "mod", "download", "-json", module+"@"+strings.TrimSpace(version))
	cmd.Dir = os.TempDir() // outside of any module, whose go.sum it would write to
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("downloading %s: %w", module, err)
	}
	var found struct{ Dir string }
	err = json.Unmarshal(out, &found)
	return found.Dir, err
}
