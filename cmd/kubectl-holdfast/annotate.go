package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/holdfast-dev/holdfast/internal/fleet"
)

// fieldManager is the name that the annotations are written under.
const fieldManager = "kubectl-holdfast"

// namespaceKind is the kind of Namespaces.
var namespaceKind = corev1.SchemeGroupVersion.WithKind("Namespace")

// annotator changes annotations of manifests and Namespaces, and nothing else.
type annotator struct {
	kube client.Client
	// user is who we are to the API server; empty as long as nobody asked.
	user string
	// byHand says of each annotation that names who did something whether it has to be set by hand.
	byHand map[string]bool
}

// conflicts are how often a change is tried again that somebody else's came before: the operator writes status at any time.
const conflicts = 10

// change reads an object, has a function say which annotations it is to get (nil removes one), and writes that if the object is still the same. by
// is the annotation that names who did it, empty for none. No annotations are no change.
func (a *annotator) change(ctx context.Context, obj client.Object, by string, decide func() (map[string]any, error)) error {
	for attempt := 1; ; attempt++ {
		if err := reread(ctx, a.kube, obj); err != nil {
			return err
		}
		annotations, err := decide()
		if err != nil || len(annotations) == 0 {
			return err
		}
		err = a.write(ctx, obj, by, annotations)
		if !apierrors.IsConflict(err) || attempt == conflicts {
			return err
		}
	}
}

// reread reads an object anew. It begins with an empty one, since decoding keeps what the answer does not mention.
func reread(ctx context.Context, kube client.Reader, obj client.Object) error {
	key := client.ObjectKeyFromObject(obj)
	reflect.ValueOf(obj).Elem().SetZero()
	err := kube.Get(ctx, key, obj)
	obj.SetNamespace(key.Namespace)
	obj.SetName(key.Name)
	return err
}

// write writes annotations on condition that the object has not changed since it was read.
func (a *annotator) write(ctx context.Context, obj client.Object, by string, annotations map[string]any) error {
	byHand, known := a.byHand[by]
	if by != "" && !known {
		var err error
		if byHand, err = a.needsName(ctx, obj, by, annotations); err != nil {
			return a.explain(ctx, err, obj)
		}
		a.byHand[by] = byHand
	}
	if byHand {
		var err error
		if annotations, err = a.signed(ctx, annotations, by); err != nil {
			return err
		}
	}
	return a.explain(ctx, a.patch(ctx, obj, annotations), obj)
}

// needsName finds out whether who did something has to be set by hand: not where the API server stamps it.
func (a *annotator) needsName(ctx context.Context, obj client.Object, by string, annotations map[string]any) (bool, error) {
	tried := obj.DeepCopyObject().(client.Object)
	err := a.patch(ctx, tried, annotations, client.DryRunAll)
	switch {
	case err == nil:
		user, err := a.whoami(ctx)
		return tried.GetAnnotations()[by] != user, err
	case !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err):
		return false, err
	}
	// Perhaps the name is all that is wrong. If it is not, the refusal of a signed change is about the rest.
	signed, err := a.signed(ctx, annotations, by)
	if err != nil {
		return false, err
	}
	return true, a.patch(ctx, obj.DeepCopyObject().(client.Object), signed, client.DryRunAll)
}

func (a *annotator) signed(ctx context.Context, annotations map[string]any, by string) (map[string]any, error) {
	user, err := a.whoami(ctx)
	if err != nil {
		return nil, err
	}
	signed := maps.Clone(annotations)
	signed[by] = user
	return signed, nil
}

// patch is a merge patch of annotations alone, on condition that the object has not changed since it was read, if it was. What the API server
// answers becomes the object's metadata.
func (a *annotator) patch(ctx context.Context, obj client.Object, annotations map[string]any, opts ...client.PatchOption) error {
	gvk, err := apiutil.GVKForObject(obj, a.kube.Scheme())
	if err != nil {
		return err
	}
	metadata := map[string]any{"annotations": annotations}
	if version := obj.GetResourceVersion(); version != "" {
		metadata["resourceVersion"] = version
	}
	body, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	only := &metav1.PartialObjectMetadata{}
	only.SetGroupVersionKind(gvk)
	only.SetNamespace(obj.GetNamespace())
	only.SetName(obj.GetName())
	opts = append(opts, client.FieldOwner(fieldManager))
	if err := a.kube.Patch(ctx, only, client.RawPatch(types.MergePatchType, body), opts...); err != nil {
		return err
	}
	obj.SetAnnotations(only.Annotations)
	obj.SetResourceVersion(only.ResourceVersion)
	return nil
}

// whoami is who we are to the API server.
func (a *annotator) whoami(ctx context.Context) (string, error) {
	if a.user == "" {
		review := &authenticationv1.SelfSubjectReview{}
		if err := a.kube.Create(ctx, review); err != nil {
			return "", fmt.Errorf("asking the API server who you are: %w", err)
		}
		a.user = review.Status.UserInfo.Username
	}
	return a.user, nil
}

// refused is a refusal of the API server, in the words of the policy that refused.
type refused struct {
	error

	text string
}

// Error is what the policy says, and how to get what is missing.
func (r *refused) Error() string { return r.text }

// Unwrap is the API server's error.
func (r *refused) Unwrap() error { return r.error }

// explain makes a refusal say what is missing and how to get it.
func (a *annotator) explain(ctx context.Context, err error, obj client.Object) error {
	var status apierrors.APIStatus
	if !apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		return err
	}
	user, unknown := a.whoami(ctx)
	if unknown != nil {
		user = "USER"
	}
	_, onNamespace := obj.(*corev1.Namespace)
	return &refused{err, fleet.Refusal(status.Status().Message, user, obj.GetNamespace(), onNamespace)}
}
