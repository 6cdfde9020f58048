// Package rig is what runs Holdfast's own binary on one machine, for the demo and the benchmark: a real control plane, the emulated Google
// Cloud, and how to reach both. Everything listens on loopback.
package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Where the operator lives in Kubernetes, as config/ has it.
const (
	OperatorNamespace = "holdfast-system"
	OperatorAccount   = "holdfast-manager"
)

// ControlPlane is etcd and kube-apiserver, with nothing else beside them: no scheduler, no kubelet, no controllers.
type ControlPlane struct {
	environment *envtest.Environment
	// certificates is the folder of those of kube-apiserver, which outlive a process of it.
	certificates string
	// Admin is how the administrator reaches it.
	Admin *rest.Config
	// Kubeconfig is the file of the administrator, for the person at the keyboard.
	Kubeconfig string
}

// startBound is how long etcd and kube-apiserver may take to answer.
const startBound = 60 * time.Second

const makeAdvice = "start this with make, which finds or builds the control plane first"

// Assets returns the folder of kube-apiserver, etcd and kubectl.
func Assets() (string, error) {
	folder := os.Getenv("KUBEBUILDER_ASSETS")
	if folder == "" {
		return "", errors.New("KUBEBUILDER_ASSETS is not set: " + makeAdvice)
	}
	for _, name := range []string{"kube-apiserver", "etcd", "kubectl"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			return "", fmt.Errorf("KUBEBUILDER_ASSETS has no %s: %s: %w", name, makeAdvice, err)
		}
	}
	return folder, nil
}

// StartControlPlane starts both from the folder that has them, and writes the administrator's kubeconfig. What it started is stopped by
// Stop, also where starting failed half-way. What etcd stores is kept in the folder data, and found there the next time; an empty name
// means that it goes with the process.
func StartControlPlane(folder, kubeconfig, data string) (*ControlPlane, error) {
	log.SetLogger(logr.Discard()) // what went wrong is returned, too
	c := &ControlPlane{Kubeconfig: kubeconfig, environment: &envtest.Environment{
		BinaryAssetsDirectory:    folder,
		ControlPlaneStartTimeout: startBound,
		ControlPlaneStopTimeout:  patience,
	}}
	if data != "" {
		c.environment.ControlPlane.Etcd = &envtest.Etcd{DataDir: data}
	}
	var err error
	if c.certificates, err = os.MkdirTemp("", "holdfast-apiserver-"); err != nil {
		return c, fmt.Errorf("creating a folder for certificates: %w", err)
	}
	c.environment.ControlPlane.GetAPIServer().CertDir = c.certificates
	if c.Admin, err = c.environment.Start(); err != nil {
		return c, fmt.Errorf("starting the control plane: %w", err)
	}
	if err := os.WriteFile(kubeconfig, c.environment.KubeConfig, 0o600); err != nil {
		return c, fmt.Errorf("writing the kubeconfig: %w", err)
	}
	return c, nil
}

// patience is how long etcd and kube-apiserver may take to end by themselves. The latter waits for everybody who watches,
// as one does who tries the demo.
const patience = 3 * time.Second

// Stop ends both, and makes sure of it: that envtest had to kill one is no failure, that one still listens is.
func (c *ControlPlane) Stop() error {
	plane := &c.environment.ControlPlane
	stopping := c.environment.Stop()
	var errs []error
	if plane.APIServer != nil && isListening(plane.APIServer.SecureServing.HostPort()) {
		errs = append(errs, fmt.Errorf("kube-apiserver is still running: %w", stopping))
	}
	if plane.Etcd != nil && plane.Etcd.URL != nil && isListening(plane.Etcd.URL.Host) {
		errs = append(errs, fmt.Errorf("etcd is still running: %w", stopping))
	}
	return errors.Join(append(errs, os.RemoveAll(c.certificates))...)
}

// StopAPIServer ends kube-apiserver, by force if it takes long, which is no error.
func (c *ControlPlane) StopAPIServer() { _ = c.environment.ControlPlane.APIServer.Stop() }

// StartAPIServer starts it again, at the same address.
func (c *ControlPlane) StartAPIServer() error { return c.environment.ControlPlane.APIServer.Start() }

// StopEtcd ends etcd, by force if it takes long, which is no error. What it stores stays only if it is in a folder of one's own.
func (c *ControlPlane) StopEtcd() { _ = c.environment.ControlPlane.Etcd.Stop() }

// StartEtcd starts it again, at the same address.
func (c *ControlPlane) StartEtcd() error { return c.environment.ControlPlane.Etcd.Start() }

// isListening says whether somebody still listens at an address a while after being killed.
func isListening(address string) bool {
	silent := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			return true, nil //nolint:nilerr // nobody there is what is hoped for
		}
		return false, connection.Close()
	})
	return silent != nil
}

// KubeconfigOf writes a kubeconfig with which one acts as a service account, and nothing more.
func (c *ControlPlane) KubeconfigOf(ctx context.Context, namespace, account, file string) error {
	clients, err := kubernetes.NewForConfig(c.Admin)
	if err != nil {
		return fmt.Errorf("creating a client: %w", err)
	}
	lifetime := int64((30 * 24 * time.Hour).Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &lifetime}}
	answer, err := clients.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("requesting a token for the service account %s/%s: %w", namespace, account, err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["local"] = &clientcmdapi.Cluster{Server: c.Admin.Host, CertificateAuthorityData: c.Admin.CAData}
	config.AuthInfos[account] = &clientcmdapi.AuthInfo{Token: answer.Status.Token}
	config.Contexts["local"] = &clientcmdapi.Context{Cluster: "local", AuthInfo: account, Namespace: namespace}
	config.CurrentContext = "local"
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		return fmt.Errorf("writing the kubeconfig of %s/%s: %w", namespace, account, err)
	}
	return nil
}
