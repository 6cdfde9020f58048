package main

import (
	"errors"
	"fmt"

	"k8s.io/apiserver/pkg/apis/apiserver"
	authentication "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorization "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/holdfast-dev/holdfast/internal/engine"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/metrics"
	"github.com/holdfast-dev/holdfast/internal/planserver"
)

// serve makes the manager serve plans, if it is to.
func (p *plans) serve(mgr ctrl.Manager, kube *rest.Config, fleet *engine.Fleet, clients *gcp.Clients) error {
	if p.address == "0" {
		return nil
	}
	var issuers []apiserver.JWTAuthenticator
	if p.authConfig != "" {
		var err error
		if issuers, err = planserver.ReadIssuers(p.authConfig); err != nil {
			return fmt.Errorf("--plan-auth-config: %w", err)
		}
	}
	tokens, err := authentication.NewForConfig(kube)
	if err != nil {
		return fmt.Errorf("setting up the plan server: %w", err)
	}
	access, err := authorization.NewForConfig(kube)
	if err != nil {
		return fmt.Errorf("setting up the plan server: %w", err)
	}
	measured := metrics.NewPlans()
	server, err := planserver.New(planserver.Options{
		Address: p.address, CertFile: p.certFile, KeyFile: p.keyFile, Issuers: issuers,
		TokenReviews: tokens.TokenReviews(), AccessReviews: access.SubjectAccessReviews(),
		Planner: &planserver.CloudPlanner{Inventory: fleet.Inventory, Cluster: fleet, Projects: clients}, Metrics: measured,
	})
	if err != nil {
		return err
	}
	return errors.Join(register(measured), mgr.Add(server))
}
