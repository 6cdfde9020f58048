package bucket

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/imported"
)

// TestImported: the manifest of whatever bucket changes nothing about it.
func TestImported(t *testing.T) {
	impl, _ := newCloud(t)
	rapid.Check(t, func(t *rapid.T) {
		live, err := impl.Create(context.Background(), ref, &v1alpha1.Bucket{Spec: drawSpec(t, nil)})
		if err != nil {
			t.Fatal(err)
		}
		imported.Check(t, kind.Of(impl), ref, kind.Live{Object: impl.Describe(live), Unmanaged: impl.Unmanaged(live), Identity: impl.Identify(live)})
	})
}
