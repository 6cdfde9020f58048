package engine

import (
	"context"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/inventory"
)

// Fleet is what the operator knows of the manifests and Namespaces of the cluster, for those who ask and change nothing. It has the API
// server's cache behind it, whether this process leads or not.
type Fleet struct {
	// Inventory answers what manifests mean. What its Source returns must not be changed.
	Inventory *inventory.Inventory

	tenants *tenants
	selves  selves
}

// Synced says whether all that there was when the process began is known.
func (f *Fleet) Synced() bool { return f.tenants.synced() }

// Self is whom Google knows this installation as when it acts as a service account (empty: as itself).
func (f *Fleet) Self(ctx context.Context, impersonate string) iampolicy.Self {
	return f.selves.as(ctx, f.selves.email(ctx, ""), impersonate)
}

// OfAnotherShard says whether the objects in a namespace are another process's, which reaches Google Cloud in its own way.
func (f *Fleet) OfAnotherShard(namespace string) bool { return f.tenants.ofAnotherShard(namespace) }
