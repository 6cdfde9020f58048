package installed

import (
	"context"
	"encoding/json"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// NewClient returns a client of somebody (see [As]) who writes their name by hand where nothing stamps it, as the README has people do before
// Kubernetes 1.36. [Operator] writes what it writes.
func NewClient(admin *rest.Config, user string, options client.Options) (client.Client, error) {
	config := As(admin, user)
	var err error
	if options.Mapper == nil {
		if options.Mapper, err = Mapper(admin); err != nil {
			return nil, fmt.Errorf("asking the API server for its kinds: %w", err)
		}
	}
	kube, err := client.New(config, options)
	if err != nil || user == Operator {
		return kube, err
	}
	if stamped, err := CanStamp(admin); err != nil || stamped {
		return kube, err
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	reviews := typed.AuthenticationV1().SelfSubjectReviews()
	review, err := reviews.Create(context.Background(), &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("asking who %s is: %w", user, err)
	}
	return &byHand{kube, review.Status.UserInfo.Username}, nil
}

// byHand is a client that writes a name beside what is annotated.
type byHand struct {
	client.Client

	name string
}

// signatures are the annotations in which a name stands, by what they are about.
var signatures = map[string]string{
	v1alpha1.BreakGlassAnnotation: v1alpha1.BreakGlassByAnnotation, v1alpha1.BreakGlassUntilAnnotation: v1alpha1.BreakGlassByAnnotation,
	v1alpha1.ApproveAnnotation: v1alpha1.ApproveByAnnotation, v1alpha1.AllowDestructiveUntilAnnotation: v1alpha1.AllowDestructiveByAnnotation,
}

// sign adds the name to changes of annotations, of which nil removes. What they say themselves stays.
func (c *byHand) sign(changes map[string]any) {
	said := func(key string, value any) {
		if _, there := changes[key]; !there {
			changes[key] = value
		}
	}
	for key, by := range signatures {
		if value, changed := changes[key]; changed && value != nil {
			said(by, c.name)
		}
	}
	if value, changed := changes[v1alpha1.BreakGlassAnnotation]; changed && value == nil {
		said(v1alpha1.BreakGlassByAnnotation, nil)
		said(v1alpha1.BreakGlassUntilAnnotation, nil)
		said(v1alpha1.BreakGlassClosedByAnnotation, c.name)
	}
	for _, key := range []string{v1alpha1.ApproveAnnotation, v1alpha1.AllowDestructiveUntilAnnotation} {
		if value, changed := changes[key]; changed && value == nil {
			said(signatures[key], nil)
		}
	}
}

// signAll adds the name to the annotations of an object that is written whole.
func (c *byHand) signAll(obj client.Object) {
	changes := map[string]any{}
	for key, value := range obj.GetAnnotations() {
		changes[key] = value
	}
	c.sign(changes)
	setAnnotations(obj, changes)
}

// Create implements [client.Client].
func (c *byHand) Create(ctx context.Context, obj client.Object, opts ...client.CreateOption) error {
	c.signAll(obj)
	return c.Client.Create(ctx, obj, opts...)
}

// Update implements [client.Client].
func (c *byHand) Update(ctx context.Context, obj client.Object, opts ...client.UpdateOption) error {
	live := obj.DeepCopyObject().(client.Object)
	if err := c.Get(ctx, client.ObjectKeyFromObject(obj), live); err != nil {
		return err
	}
	changes, before, after := map[string]any{}, live.GetAnnotations(), obj.GetAnnotations()
	for key, value := range after {
		if was, there := before[key]; !there || was != value {
			changes[key] = value
		}
	}
	for key := range before {
		if _, there := after[key]; !there {
			changes[key] = nil
		}
	}
	c.sign(changes)
	setAnnotations(obj, changes)
	return c.Client.Update(ctx, obj, opts...)
}

// Patch implements [client.Client].
func (c *byHand) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	if patch.Type() != types.MergePatchType {
		return c.Client.Patch(ctx, obj, patch, opts...)
	}
	text, err := patch.Data(obj)
	if err != nil {
		return err
	}
	whole := map[string]any{}
	if err := json.Unmarshal(text, &whole); err != nil {
		return err
	}
	metadata, _ := whole["metadata"].(map[string]any)
	changes, _ := metadata["annotations"].(map[string]any)
	if changes == nil {
		return c.Client.Patch(ctx, obj, patch, opts...)
	}
	if value, changed := changes[v1alpha1.BreakGlassAnnotation]; changed && value == nil {
		live := obj.DeepCopyObject().(client.Object)
		if err := c.Get(ctx, client.ObjectKeyFromObject(obj), live); err != nil {
			return err
		}
		if _, broken := live.GetAnnotations()[v1alpha1.BreakGlassAnnotation]; !broken {
			return c.Client.Patch(ctx, obj, patch, opts...)
		}
	}
	c.sign(changes)
	signed, err := json.Marshal(whole)
	if err != nil {
		return err
	}
	return c.Client.Patch(ctx, obj, client.RawPatch(types.MergePatchType, signed), opts...)
}

// Apply implements [client.Client].
func (c *byHand) Apply(ctx context.Context, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	applied, ok := obj.(interface {
		client.Object
		runtime.ApplyConfiguration
	})
	if !ok {
		return fmt.Errorf("%T is signed by nobody", obj)
	}
	c.signAll(applied)
	return c.Client.Apply(ctx, obj, opts...)
}

// setAnnotations changes annotations of an object, of which nil removes.
func setAnnotations(obj client.Object, changes map[string]any) {
	annotations := obj.GetAnnotations()
	for key, value := range changes {
		if text, ok := value.(string); ok {
			if annotations == nil {
				annotations = map[string]string{}
			}
			annotations[key] = text
		} else {
			delete(annotations, key)
		}
	}
	obj.SetAnnotations(annotations)
}
