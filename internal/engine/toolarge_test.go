package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// TestAnObjectThatIsTooLargeSaysSo in a short condition, writes nothing of which nothing could be remembered, and is not tried at once again.
func TestAnObjectThatIsTooLargeSaysSo(t *testing.T) {
	for name, roomForACondition := range map[string]bool{"there is room for a condition": true, "not even for that": false} {
		t.Run(name, func(t *testing.T) {
			large := shopTopic()
			large.Annotations = map[string]string{"notes": strings.Repeat("x", surelyFits+1)}
			if _, err := KeepOwnFields()(large); err != nil { // as it comes from the cache
				t.Fatal(err)
			}
			r, topics := testReconciler(t, large)
			whole := r.client
			r.client = interceptor.NewClient(whole.(client.WithWatch), interceptor.Funcs{SubResourcePatch: func(
				ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption,
			) error {
				data, err := patch.Data(obj)
				if err != nil || !roomForACondition || !strings.Contains(string(data), v1alpha1.ReasonTooLarge) {
					return errors.Join(err, errors.New("etcdserver: request is too large"))
				}
				return c.SubResource(sub).Patch(ctx, obj, patch, opts...)
			}})
			for range 2 {
				stored, err := reconcileOnce(t, r)
				if err != nil || len(topics.live) > 0 {
					t.Fatalf("error %v, written is %v", err, topics.live)
				}
				if is := readyCondition(stored); roomForACondition && (is == nil || is.Reason != v1alpha1.ReasonTooLarge) {
					t.Errorf("Ready is %+v", is)
				}
			}
			r.client = whole
			step(t, r, v1alpha1.ReasonUpToDate)
		})
	}
}
