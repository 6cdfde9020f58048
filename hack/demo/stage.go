package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/process"
	"github.com/holdfast-dev/holdfast/test/rig"
)

// The namespaces of the story, and the projects that they are bound to.
const (
	shop             = "shop"
	shopProject      = "demo-project"
	analytics        = "analytics"
	analyticsProject = "demo-analytics"
)

// stage is all that runs.
type stage struct {
	rig.Undo

	show *screen
	// folder has all files of the demo, and goes with it.
	folder string
	fail   func(error)

	assets  string
	plane   *rig.ControlPlane
	kubectl *kubectl
	// kube reads and writes as the administrator. It does not cache.
	kube     client.Client
	cloud    *cloud
	operator *process.Process
	// sweep is how often the operator looks at a resource that nobody touched.
	sweep time.Duration
}

// newStage makes the folder. Undo.All must be called, whatever comes after.
func newStage(show *screen, sweep time.Duration, fail func(error)) (*stage, error) {
	if _, err := os.Stat("config/samples"); err != nil {
		return nil, fmt.Errorf("not at the top of the repository; run `make demo` there: %w", err)
	}
	folder, err := os.MkdirTemp("", "holdfast-demo-")
	if err != nil {
		return nil, fmt.Errorf("creating a folder for the demo: %w", err)
	}
	s := &stage{show: show, folder: folder, sweep: sweep, fail: fail}
	s.Later(func() error { return os.RemoveAll(folder) })
	programs, err := filepath.Abs("bin")
	if err != nil {
		return s, fmt.Errorf("finding bin/: %w", err)
	}
	// kubectl finds its plugin in PATH. What the control plane puts into temporary folders goes with ours.
	return s, errors.Join(os.Setenv("PATH", programs+string(os.PathListSeparator)+os.Getenv("PATH")), os.Setenv("TMPDIR", folder))
}

// build starts everything, in order, until the operator is ready.
func (s *stage) build(ctx context.Context) error {
	for _, part := range []func(context.Context) error{
		s.startControlPlane,
		s.install,
		s.startCloud,
		s.startOperator,
		s.bind,
	} {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) startControlPlane(context.Context) error {
	var err error
	if s.assets, err = rig.Assets(); err != nil {
		return err
	}
	s.show.progressf("starting etcd and kube-apiserver")
	plane, err := rig.StartControlPlane(s.assets, filepath.Join(s.folder, "kubeconfig"), "")
	s.Later(plane.Stop)
	if err != nil {
		return err
	}
	s.plane = plane
	s.kubectl = &kubectl{plane.Kubectl(s.assets), s.show}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			return fmt.Errorf("building the scheme: %w", err)
		}
	}
	s.kube, err = client.New(plane.Admin, client.Options{Scheme: scheme})
	return err
}

// install installs what a cluster gets: definitions, admission policies, the operator's service account and its roles. The
// Deployment, too; nothing here runs it.
func (s *stage) install(ctx context.Context) error {
	s.show.progressf("kubectl apply --server-side -k config/default")
	return s.kubectl.Install(ctx, ".")
}

func (s *stage) startCloud(ctx context.Context) error {
	s.show.progressf("starting the emulated Google Cloud")
	emulator, err := rig.StartCloud(s.file("emulator.log"), "--journal", "--enforce-requester-pays")
	if err != nil {
		return err
	}
	s.cloud = &cloud{emulator}
	return s.attend(ctx, emulator.Process, s.cloud.URL+"/emulator/counts")
}

func (s *stage) startOperator(ctx context.Context) error {
	kubeconfig := s.file("operator.kubeconfig")
	if err := s.plane.KubeconfigOf(ctx, rig.OperatorNamespace, rig.OperatorAccount, kubeconfig); err != nil {
		return err
	}
	s.show.progressf("starting the operator as the service account %s/%s", rig.OperatorNamespace, rig.OperatorAccount)
	health, err := process.FreeAddress()
	if err != nil {
		return err
	}
	args := append(s.cloud.ManagerArgs(),
		"--kubeconfig", kubeconfig,
		"--leader-elect", "--leader-elect-namespace", rig.OperatorNamespace,
		"--gcp-identity", identity,
		"--sweep-interval", s.sweep.String(), "--policy-sweep-interval", s.sweep.String(),
		"--log-format", "console",
		"--metrics-bind-address", "0",
		"--health-probe-bind-address", health,
	)
	s.operator, err = process.Start(process.Program{Name: "the operator", Log: s.file("manager.log"), Path: "bin/manager", Args: args})
	if err != nil {
		return err
	}
	return s.attend(ctx, s.operator, "http://"+health+"/readyz")
}

// bind makes the namespaces and binds them to projects, as an administrator does.
func (s *stage) bind(ctx context.Context) error {
	for _, b := range []struct{ namespace, project string }{{shop, shopProject}, {analytics, analyticsProject}} {
		s.show.progressf("binding the namespace %s to the project %s", b.namespace, b.project)
		if _, err := s.kubectl.Run(ctx, "create", "namespace", b.namespace); err != nil {
			return err
		}
		if _, err := s.kubectl.Run(ctx, "annotate", "namespace", b.namespace, v1alpha1.ProjectIDAnnotation+"="+b.project); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) file(name string) string { return filepath.Join(s.folder, name) }

// attend has a process stopped at the end, waits until it answers, and from then on has the demo fail if it ends.
func (s *stage) attend(ctx context.Context, p *process.Process, url string) error {
	s.Later(func() error {
		var ended *process.EndedError
		if err := p.Stop(); !errors.As(err, &ended) {
			return err
		}
		return nil // the demo has failed for that reason already
	})
	if err := p.Await(ctx, waitBound, process.Serving(url)); err != nil {
		return err
	}
	go func() {
		select {
		case <-ctx.Done():
		case <-p.Done():
			s.fail(p.Ended())
		}
	}()
	return nil
}
