// Package kinds_test holds what all kinds declare against what they do, and against what people read about it.
package kinds_test

import (
	"slices"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/kinds/projectpolicy"
	"github.com/holdfast-dev/holdfast/internal/kinds/serviceaccount"
	"github.com/holdfast-dev/holdfast/internal/kinds/topic"
)

// kinds are those that declare their methods.
var kinds = []kind.Traits{
	topic.New(nil).Traits(), serviceaccount.New(nil, nil).Traits(), projectpolicy.New(nil).Traits(),
}

// declared are the methods of all kinds, and those that are called whatever the kind.
func declared() []kind.Method {
	methods := gcp.Methods()
	for _, k := range kinds {
		methods = slices.Concat(methods, k.Methods)
	}
	return methods
}

// Each method has a service, a name, a known scope, and permissions or a reason why it needs none.
func TestMethodsAreDeclared(t *testing.T) {
	for _, k := range kinds {
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
