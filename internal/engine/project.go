package engine

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/plan"
)

// doubtProject asks whether the project is shut down, if that may explain what was seen.
func (p *pass) doubtProject(ctx context.Context) *outcome {
	if plan.MayBeShutDown(p.manifest(), p.record, p.seen, p.env) {
		p.askShutDown(ctx)
	}
	return nil
}

// doubtProjectAfter asks so after a write, if that may explain why Google did not carry it out.
func (p *pass) doubtProjectAfter(ctx context.Context, err error) {
	if !wasNotSent(err) && (gcp.IsDenied(err) || gcp.IsNotFound(err) || gcp.IsInvalid(err)) {
		p.askShutDown(ctx)
	}
}

// askShutDown asks whether the project is shut down. Where nobody says so it is not.
func (p *pass) askShutDown(ctx context.Context) {
	shutDown, err := p.projects.ShutDown(ctx, p.env.Ref.Impersonate, p.env.Ref.Project)
	if err != nil {
		log.FromContext(ctx).V(1).Info("whether the project is shut down is unknown", "project", p.env.Ref.Project, "error", err.Error())
	}
	p.env.ProjectShutDown = err == nil && shutDown
}
