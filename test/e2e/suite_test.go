// Package e2e runs the controllers against a real API server and the emulated Google Cloud, through the real clients, and
// checks what a user would see in both.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// The API server that all tests of the package share; each has a namespace, a cloud and a manager of its own.
var (
	kubeConfig *rest.Config
	scheme     = runtime.NewScheme()
	// stamps says whether the API server stamps names and finalizers; before Kubernetes 1.36 it does not.
	stamps bool
)

// defaults are values of flags that fit these tests better than the usual ones: they mostly wait, and a check of a property
// takes a second.
var defaults = map[string]string{"test.parallel": "8", "rapid.checks": "6"}

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
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
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		fmt.Fprintln(os.Stderr, "these tests need kube-apiserver and etcd: run `make test`, or set KUBEBUILDER_ASSETS to a directory that has both")
		return 1
	}
	verbose := os.Getenv("HOLDFAST_TEST_LOG") != ""
	ctrl.SetLogger(zap.New(func(o *zap.Options) {
		o.Development = verbose
		if !verbose {
			o.DestWriter = discard{}
		}
	}))
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme, eventsv1.AddToScheme, rbacv1.AddToScheme, apiextensionsv1.AddToScheme, admissionv1.AddToScheme} {
		if err := add(scheme); err != nil {
			fmt.Fprintln(os.Stderr, "building the scheme:", err)
			return 1
		}
	}
	environment, config, err := startControlPlane()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := environment.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the control plane:", err)
		}
	}()
	kubeConfig = config
	return m.Run()
}

// startControlPlane starts an API server with Holdfast installed in it.
func startControlPlane() (*envtest.Environment, *rest.Config, error) {
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := installed.Start(environment)
	if err != nil {
		return nil, nil, fmt.Errorf("starting the control plane: %w", err)
	}
	if err := install(config); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("installing: %w", err), environment.Stop())
	}
	return environment, config, nil
}

// install brings the rest of config/ into a control plane: the operator's rights and the admission policies.
func install(config *rest.Config) error {
	kube, err := client.New(installed.As(config, ""), client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	if err := errors.Join(
		installed.Manager(kube), recordsOfWorlds(kube), installed.Policies(kube, installed.Guards...), installed.People(kube),
		installed.Guarded(config, scheme),
	); err != nil {
		return err
	}
	if stamps, err = installed.CanStamp(config); err != nil || !stamps {
		return err
	}
	return errors.Join(installed.Policies(kube, installed.Stamps...), installed.Stamped(config, scheme))
}

// recordsOfWorlds lets the operator have a record of the breaker for each world: of those that it may write, one is each shard's.
func recordsOfWorlds(kube client.Client) error {
	meta := metav1.ObjectMeta{Namespace: "holdfast-system", Name: "records-of-worlds"}
	rule := rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "update"}}
	return errors.Join(
		kube.Create(context.Background(), &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{rule}}),
		kube.Create(context.Background(), &rbacv1.RoleBinding{
			ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: meta.Name},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: installed.Operator}},
		}),
	)
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
