package preview

import "github.com/holdfast-dev/holdfast/internal/diff"

// Change is a change as it is shown.
type Change struct {
	diff.Change

	// Dangerous says that it loses data, cannot be undone, or gives somebody much.
	Dangerous bool
}
