package admission

import (
	"context"
	"sync"
	"testing"

	"github.com/holdfast-dev/holdfast/test/installed"
)

var ctx = context.Background()

// stamps are installed once, by the first test that needs them.
var stamps = sync.OnceValue(func() error {
	kube, err := as("")
	if err != nil {
		return err
	}
	if err := installed.Policies(kube, installed.Stamps...); err != nil {
		return err
	}
	return installed.Stamped(admin, scheme)
})

func installStamps(t *testing.T) {
	t.Helper()
	if err := stamps(); err != nil {
		t.Fatalf("installing the stamps: %v", err)
	}
}

// grant binds a person to roles for the rest of the run.
func grant(t *testing.T, user string, roles ...string) {
	t.Helper()
	if err := installed.Grant(asUser(t, ""), user, roles...); err != nil {
		t.Fatalf("granting: %v", err)
	}
}
