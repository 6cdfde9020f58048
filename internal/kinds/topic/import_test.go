package topic

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/imported"
)

// TestImported: the manifest of whatever topic changes nothing about it.
func TestImported(t *testing.T) {
	impl := New(nil)
	rapid.Check(t, func(t *rapid.T) {
		live := mustBuild(t, aSpec.Draw(t, "spec"))
		imported.Check(t, kind.Of(impl), ref, kind.Live{Object: impl.Describe(live), Unmanaged: impl.Unmanaged(live), Identity: impl.Identify(live)})
	})
}
