package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// preflightTimeout bounds each call to the API server before the manager runs.
const preflightTimeout = 10 * time.Second

// credentialsAdvice adds how to provide credentials to an error that says they cannot be read.
func credentialsAdvice(err error) error {
	var missing *gcp.NoCredentials
	if !errors.As(err, &missing) {
		return err
	}
	return fmt.Errorf("%w; set GOOGLE_APPLICATION_CREDENTIALS to a readable file, run `gcloud auth application-default login`, or use Workload Identity", err)
}

// endpointAdvice names the flag that sets the endpoint of a service that cannot be reached.
func endpointAdvice(err error) error {
	var unreachable *gcp.Unreachable
	if !errors.As(err, &unreachable) {
		return err
	}
	return fmt.Errorf("%w; check --%s-endpoint", err, unreachable.Service)
}

// kubeConfig finds the API server: by the flag, $KUBECONFIG, the in-cluster configuration, or ~/.kube/config.
func kubeConfig(c *config) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.kubeconfig
	load := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{}).ClientConfig
	if c.kubeconfig == "" && os.Getenv(clientcmd.RecommendedConfigPathEnvVar) == "" {
		if inCluster, err := rest.InClusterConfig(); !errors.Is(err, rest.ErrNotInCluster) {
			return tuned(c, inCluster), err
		}
	}
	found, err := load()
	switch {
	case clientcmd.IsEmptyConfig(err):
		return nil, errors.New("no Kubernetes cluster is configured: set --kubeconfig or $KUBECONFIG to a kubeconfig with a current context")
	case err != nil:
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	return tuned(c, found), nil
}

// tuned sets the user agent and the rate limits, unless there is no config.
func tuned(c *config, kube *rest.Config) *rest.Config {
	if kube == nil {
		return nil
	}
	kube.UserAgent = userAgent()
	kube.QPS, kube.Burst = float32(c.kubeAPIQPS), c.kubeAPIBurst
	if c.kubeAPIQPS == 0 {
		kube.QPS = -1 // to client-go, 0 is its own default
	}
	return kube
}

// cluster is what is known about the cluster before the manager runs.
type cluster struct {
	// uid tells clusters apart: that of the namespace kube-system.
	uid string
}

// inspect checks that the API server serves Holdfast's kinds, and identifies the cluster.
func inspect(ctx context.Context, kube *rest.Config) (cluster, error) {
	kube = rest.CopyConfig(kube)
	kube.Timeout = preflightTimeout
	api, err := discovery.NewDiscoveryClientForConfig(kube)
	if err != nil {
		return cluster{}, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	served, err := api.ServerResourcesForGroupVersionWithContext(ctx, v1alpha1.GroupVersion.String())
	if err != nil && !apierrors.IsNotFound(err) {
		return cluster{}, apiServerFault(kube.Host, err)
	}
	if err := missing(served); err != nil {
		return cluster{}, err
	}
	core, err := corev1.NewForConfig(kube)
	if err != nil {
		return cluster{}, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	namespace, err := core.Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return cluster{}, apiServerFault(kube.Host, err)
	}
	return cluster{uid: string(namespace.UID)}, nil
}

// apiServerFault tells an API server that refuses a request from one that cannot be reached.
func apiServerFault(host string, err error) error {
	if apierrors.ReasonForError(err) != metav1.StatusReasonUnknown {
		return fmt.Errorf("the Kubernetes API server at %s refused a request: %w", host, err)
	}
	return fmt.Errorf("the Kubernetes API server at %s cannot be reached: %w", host, err)
}

// missing says which CustomResourceDefinitions are not served.
func missing(served *metav1.APIResourceList) error {
	var absent []string
	for _, k := range kinds.All(nil) {
		isIt := func(r metav1.APIResource) bool { return r.Name == k.Plural }
		if served == nil || !slices.ContainsFunc(served.APIResources, isIt) {
			absent = append(absent, k.Plural+"."+v1alpha1.GroupVersion.Group)
		}
	}
	if len(absent) == 0 {
		return nil
	}
	return fmt.Errorf("missing CustomResourceDefinitions %s (%s): install them with `kubectl apply -k config/crd`",
		strings.Join(absent, ", "), v1alpha1.GroupVersion.Version)
}
