// Package admission tests the policies of config/admission in a real API server, acting as the users that they apply to.
package admission

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// The people of the tests. The operator has more rights here than it has in config/rbac, so that the policies alone stand in
// its way.
const (
	ada      = installed.Ada
	bob      = installed.Bob
	gitops   = installed.GitOps
	operator = installed.Operator
)

var (
	admin  *rest.Config
	scheme = runtime.NewScheme()
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		fmt.Fprintln(os.Stderr, "these tests need kube-apiserver and etcd: run `make test`, or set KUBEBUILDER_ASSETS to a directory that has both")
		return 1
	}
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme, eventsv1.AddToScheme, rbacv1.AddToScheme} {
		if err := add(scheme); err != nil {
			fmt.Fprintln(os.Stderr, "building the scheme:", err)
			return 1
		}
	}
	ctrl.SetLogger(logr.Discard())
	folder, err := os.MkdirTemp("", "admission")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	if auditLog, err = auditInto(folder, environment.ControlPlane.GetAPIServer().Configure()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := environment.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stopping the control plane:", err)
		}
	}()
	if admin, err = installed.Start(environment); err != nil {
		fmt.Fprintln(os.Stderr, "starting the control plane:", err)
		return 1
	}
	stop, err := setUp(folder, environment.KubeConfig)
	defer func() {
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := noGuardFailed(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// setUp installs the roles and the policies without the stamps, makes the people and what was there before the policies, and aggregates
// Kubernetes' own roles until it is stopped.
func setUp(folder string, kubeconfig []byte) (stop func() error, err error) {
	stop = func() error { return nil }
	if canStamp, err = installed.CanStamp(admin); err != nil {
		return stop, err
	}
	kube, err := as("")
	if err != nil {
		return stop, err
	}
	if err := errors.Join(
		kube.Create(ctx, crowded.DeepCopy()),
		installed.Create(kube, "rbac", "users.yaml"), installed.Policies(kube, installed.Guards...), installed.People(kube),
		installed.Grant(kube, operator, "edit-without-verbs", "holdfast-grant"),
	); err != nil {
		return stop, err
	}
	if stop, err = aggregate(kube, folder, kubeconfig); err != nil {
		return stop, err
	}
	return stop, installed.Guarded(admin, scheme)
}

// as returns a client that acts as a person; as the cluster's administrator for nobody.
func as(user string) (client.Client, error) {
	if areStamped && !canStamp {
		return installed.NewClient(admin, user, client.Options{Scheme: scheme})
	}
	return client.New(installed.As(admin, user), client.Options{Scheme: scheme})
}

func poll(holds func() (bool, error)) error {
	return wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, 2*time.Minute, true, func(context.Context) (bool, error) { return holds() })
}
