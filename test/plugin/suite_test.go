// Package plugin runs the kubectl plugin as people do: its own binary, against a real API server with Holdfast installed in it and the
// emulated Google Cloud.
package plugin

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// What all tests of the package share; each has a namespace, a cloud and an operator of its own.
var (
	kubeConfig *rest.Config
	// adminKubeconfig is the file by which the cluster's administrator reaches the API server, and binary is the plugin.
	adminKubeconfig, binary string
	scheme                  = runtime.NewScheme()
)

// defaults are values of flags that fit these tests better than the usual ones: they mostly wait, and a check of a property takes a second.
var defaults = map[string]string{"test.parallel": "8", "rapid.checks": "6"}

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	if os.Getenv(standInVariable) != "" {
		os.Exit(standIn(os.Args[1:], os.Stdout, os.Stderr))
	}
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range defaults {
		if given[name] {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return 0, errors.New("these tests need kube-apiserver and etcd: run `make test`, or set KUBEBUILDER_ASSETS to a directory that has both")
	}
	ctrl.SetLogger(logr.Discard())
	for _, add := range []func(*runtime.Scheme) error{
		v1alpha1.AddToScheme, corev1.AddToScheme, eventsv1.AddToScheme, rbacv1.AddToScheme, apiextensionsv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return 0, fmt.Errorf("building the scheme: %w", err)
		}
	}
	folder, err := os.MkdirTemp("", "holdfast-plugin-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	binary = filepath.Join(folder, "kubectl-holdfast")
	if said, err := exec.Command("go", "build", "-o", binary, "../../cmd/kubectl-holdfast").CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the plugin: %w\n%s", err, said)
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	if kubeConfig, err = installed.Start(environment); err != nil {
		return 0, fmt.Errorf("starting the control plane: %w", err)
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	adminKubeconfig = filepath.Join(folder, "kubeconfig")
	if err := os.WriteFile(adminKubeconfig, environment.KubeConfig, 0o600); err != nil {
		return 0, err
	}
	if err := install(kubeConfig); err != nil {
		return 0, fmt.Errorf("installing: %w", err)
	}
	return m.Run(), nil
}

// install brings the rest of config/ into a control plane: the operator's rights and the admission policies.
func install(config *rest.Config) error {
	kube, err := client.New(installed.As(config, ""), client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	if err := errors.Join(
		installed.Manager(kube), installed.Policies(kube, installed.Guards...), installed.Policies(kube, installed.Stamps...), installed.People(kube),
	); err != nil {
		return err
	}
	return errors.Join(installed.Guarded(config, scheme), installed.Stamped(config, scheme))
}
