package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// Impersonated are the service accounts that Holdfast acts as for whatever Namespace, as their annotations name them, each once.
func (i *Inventory) Impersonated(ctx context.Context) ([]string, error) {
	namespaces, err := i.Source.Namespaces(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the Namespaces: %w", err)
	}
	accounts := map[string]bool{}
	for _, annotations := range namespaces {
		if account := tenancy.Impersonates(annotations); account != "" {
			accounts[account] = true
		}
	}
	return slices.Sorted(maps.Keys(accounts)), nil
}
