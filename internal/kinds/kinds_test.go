// Package kinds_test holds what all kinds declare against what they do, and against what people read about it.
package kinds_test

import (
	"slices"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// declared are the methods of all kinds, and those that are called whatever the kind.
func declared() []kind.Method { return slices.Concat(gcp.Methods(), kinds.Methods()) }

// Each method has a service, a name, a known scope, and permissions or a reason why it needs none.
func TestMethodsAreDeclared(t *testing.T) {
	for _, k := range kinds.All(nil) {
		if len(k.Methods) == 0 {
			t.Errorf("the kind %s declares no methods", k.Kind)
		}
	}
	for _, m := range declared() {
		if err := m.Validate(); err != nil {
			t.Error(err)
		}
	}
}
