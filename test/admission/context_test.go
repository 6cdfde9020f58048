package admission

import (
	"context"
	"errors"
	"testing"

	"github.com/holdfast-dev/holdfast/test/installed"
)

var ctx = context.Background()

// areStamped says whether the stamps are installed or, on an API server that cannot stamp, whether people write their names by hand. Only tests that
// nothing runs beside change it.
var areStamped bool

// canStamp says whether the API server can, as Kubernetes 1.36 does.
var canStamp bool

// installStamps has the API server stamp names.
func installStamps(t *testing.T) {
	t.Helper()
	if areStamped {
		return
	}
	if !canStamp {
		areStamped = true
		return
	}
	if err := errors.Join(installed.Policies(asUser(t, ""), installed.Stamps...), installed.Stamped(admin, scheme)); err != nil {
		t.Fatalf("installing the stamps: %v", err)
	}
	areStamped = true
}

// needStamps leaves out a test of what only stamps do, on an API server that has none: README.md, "Kubernetes 1.34 and 1.35", lists what that is.
func needStamps(t *testing.T) {
	t.Helper()
	if !canStamp {
		t.Skip("this Kubernetes has no mutating admission policies")
	}
	installStamps(t)
}

// removeStamps leaves what config/before-1.36 has.
func removeStamps(t *testing.T) {
	t.Helper()
	if !areStamped {
		return
	}
	if !canStamp {
		areStamped = false
		return
	}
	for _, file := range installed.Stamps {
		objects, err := installed.Objects("admission", file)
		if err != nil {
			t.Fatal(err)
		}
		for _, obj := range objects {
			if err := asUser(t, "").Delete(ctx, obj); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := installed.Unstamped(admin, scheme); err != nil {
		t.Fatal("names are still stamped")
	}
	areStamped = false
}

// grant binds a person to roles for the rest of the run.
func grant(t *testing.T, user string, roles ...string) {
	t.Helper()
	if err := installed.Grant(asUser(t, ""), user, roles...); err != nil {
		t.Fatalf("granting: %v", err)
	}
}
