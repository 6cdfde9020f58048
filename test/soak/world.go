package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/rig"
)

// What the operators are called in the labels of resources, and who they are in Google Cloud.
const (
	owner    = "soak"
	identity = "holdfast@emulator.iam.gserviceaccount.com"
)

// subjects is how many subjects there are.
const subjects = projects * (1 + 3*manifests)

// world is a control plane, a cloud, two operators between them, and the rules that they are held to.
type world struct {
	rig.Undo

	tell *diary
	// folder is where everything is, logs where the operators' logs are, and kubeconfig the file by which they reach the API server.
	folder, logs, kubeconfig string
	plane                    *rig.ControlPlane
	assets                   string
	kube                     client.Client
	cloud                    *emulator.Emulator
	// ahead is how far the cloud's clock is wrong.
	ahead     atomic.Int64
	subjects  []*subject
	rules     *rules
	operators []*operator
}

// open starts everything but the operators. Undo.All must be called, whatever comes after.
func open(ctx context.Context, s settings, tell *diary) (*world, error) {
	w := &world{tell: tell}
	var err error
	if w.folder, err = os.MkdirTemp("", "holdfast-soak-"); err != nil {
		return w, fmt.Errorf("creating a folder: %w", err)
	}
	w.Later(func() error { return os.RemoveAll(w.folder) })
	if w.logs = s.logs; w.logs == "" {
		w.logs = w.folder
	}
	if w.assets, err = rig.Assets(); err != nil {
		return w, err
	}
	tell.linef("building the operators, with clocks that can be wrong")
	if err := build(ctx, w.folder); err != nil {
		return w, err
	}
	if err := w.startCloud(ctx); err != nil {
		return w, err
	}
	tell.linef("starting etcd and kube-apiserver, and installing Holdfast")
	err = w.startControlPlane(ctx)
	return w, err
}

func (w *world) startCloud(ctx context.Context) error {
	var err error
	w.cloud, err = emulator.New(emulator.Options{
		Journal: true, EnforceRequesterPays: true,
		Now: func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) },
	})
	if err != nil {
		return err
	}
	w.subjects = fleet(w.cloud)
	w.rules = newRules(w.tell, w.subjects)
	w.cloud.Traffic.Listen(w.rules.over)
	for p := range projects {
		if err := w.cloud.AddProject(w.subjects[p*(1+3*manifests)].project, int64(1000+p)); err != nil {
			return err
		}
	}
	if err := w.cloud.Start(ctx); err != nil {
		return err
	}
	w.Later(w.cloud.Close)
	return nil
}

func (w *world) startControlPlane(ctx context.Context) error {
	data := filepath.Join(w.folder, "etcd")
	if err := os.Mkdir(data, 0o700); err != nil {
		return fmt.Errorf("creating a folder for etcd: %w", err)
	}
	var err error
	w.plane, err = rig.StartControlPlane(w.assets, filepath.Join(w.folder, "admin.kubeconfig"), data)
	w.Later(w.plane.Stop)
	if err != nil {
		return err
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, corev1.AddToScheme, coordinationv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return fmt.Errorf("building the scheme: %w", err)
		}
	}
	config := rest.CopyConfig(w.plane.Admin)
	config.QPS = -1
	if w.kube, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("creating a client: %w", err)
	}
	if err := w.plane.Kubectl(w.assets).Install(ctx, "."); err != nil {
		return err
	}
	w.kubeconfig = filepath.Join(w.folder, "operator.kubeconfig")
	return w.plane.KubeconfigOf(ctx, rig.OperatorNamespace, rig.OperatorAccount, w.kubeconfig)
}

// begin creates the manifests, starts the operators, and waits until all is well.
func (w *world) begin(ctx context.Context) error {
	background, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	w.Later(func() error { stop(); running.Wait(); return nil })
	for _, slot := range []string{slotA, slotB} {
		o := &operator{slot: slot, w: w}
		if err := o.setClock(0); err != nil {
			return err
		}
		if err := o.start(); err != nil {
			return err
		}
		w.operators = append(w.operators, o)
		w.Later(o.stop)
		running.Go(func() { o.keep(background) })
	}
	running.Go(func() { w.watchLease(background) })
	running.Go(func() { w.approve(background) })

	// The breaker is not what is looked at here: what people destroy is more than it lets pass.
	allowed := map[string]string{v1alpha1.AllowDestructiveUntilAnnotation: time.Now().Add(20 * time.Hour).UTC().Format(time.RFC3339)}
	for _, s := range w.subjects {
		if s.service == "resourcemanager" {
			annotations := map[string]string{v1alpha1.ProjectIDAnnotation: s.project}
			if err := w.kube.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace, Annotations: annotations}}); err != nil {
				return err
			}
			namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
			patched := namespace.DeepCopy()
			patched.Annotations = allowed
			if err := w.kube.Patch(ctx, patched, client.MergeFrom(namespace)); err != nil {
				return err
			}
		}
		if err := w.comesAgain(ctx, s, 0, requestsBound); err != nil {
			return err
		}
	}
	return w.settle(ctx)
}

// watchLease tells the rules who holds the lease.
func (w *world) watchLease(ctx context.Context) {
	for ; ctx.Err() == nil; pause(ctx, pollPace/2) {
		var all coordinationv1.LeaseList
		bounded, cancel := context.WithTimeout(ctx, time.Second)
		err := w.kube.List(bounded, &all, client.InNamespace(rig.OperatorNamespace))
		cancel()
		if err != nil || len(all.Items) != 1 {
			continue // nobody can change it either
		}
		holder := all.Items[0].Spec.HolderIdentity
		if holder == nil {
			holder = new("")
		}
		w.rules.holder(*holder)
	}
}

// play does what is scheduled, lane by lane, and leaves out what would come after the end of a time, because something before took long.
func (w *world) play(ctx context.Context, all map[string][]step, duration time.Duration) {
	began := time.Now()
	var running sync.WaitGroup
	for name, steps := range all {
		running.Go(func() {
			for _, s := range steps {
				pause(ctx, time.Until(began.Add(s.at)))
				if ctx.Err() != nil || time.Since(began) > duration {
					return
				}
				w.tell.linef("%s: %s", name, s.what)
				if err := s.do(ctx, w); err != nil && ctx.Err() == nil {
					w.tell.linef("%s: not done: %s: %v", name, s.what, err)
				}
			}
		})
	}
	running.Wait()
}

// serving says whether an address answers 200.
func serving(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}
