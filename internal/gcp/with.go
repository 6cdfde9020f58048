package gcp

import (
	"context"
	"fmt"
)

// With makes one call with the client that acts as a service account (empty: as the manager), and says in its error what the call was for,
// such as: getting topic "orders".
func With[C, R any](
	ctx context.Context, client func(ctx context.Context, impersonate string) (C, error), impersonate, doing string, do func(C) (R, error),
) (R, error) {
	c, err := client(ctx, impersonate)
	var result R
	if err == nil {
		result, err = do(c)
	}
	if err != nil {
		var nothing R
		return nothing, fmt.Errorf("%s: %w", doing, err)
	}
	return result, nil
}
