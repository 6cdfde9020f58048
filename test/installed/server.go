package installed

import (
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// servers has what each API server was asked about itself, by its address: a test makes hundreds of clients, and all of them would ask again.
var servers sync.Map

// server is what there is to know about an API server.
type server struct {
	mapper func() (meta.RESTMapper, error)
	stamps func() (bool, error)
}

func of(config *rest.Config) *server {
	known, _ := servers.LoadOrStore(config.Host, &server{
		mapper: sync.OnceValues(func() (meta.RESTMapper, error) {
			client, err := rest.HTTPClientFor(config)
			if err != nil {
				return nil, err
			}
			return apiutil.NewDynamicRESTMapper(config, client)
		}),
		stamps: sync.OnceValues(func() (bool, error) { return canStamp(config) }),
	})
	return known.(*server)
}

// Mapper knows the kinds that an API server serves. All clients of one may share it.
func Mapper(config *rest.Config) (meta.RESTMapper, error) { return of(config).mapper() }

// CanStamp says whether an API server has mutating admission policies, which it has from Kubernetes 1.36 on.
func CanStamp(config *rest.Config) (bool, error) { return of(config).stamps() }

func canStamp(config *rest.Config) (bool, error) {
	kube, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return false, err
	}
	served, err := kube.ServerResourcesForGroupVersion("admissionregistration.k8s.io/v1")
	if err != nil {
		return false, fmt.Errorf("asking the API server for its kinds: %w", err)
	}
	for _, resource := range served.APIResources {
		if resource.Kind == "MutatingAdmissionPolicy" {
			return true, nil
		}
	}
	return false, nil
}
