package planserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
)

// read reads and checks what a request has: the manifests, and those that were applied before; nil for none.
func (h *handler) read(ctx context.Context, request protocol.Request) (after, before *manifests.Tree, err error) {
	if after, err = h.list(ctx, request.Manifests, 0); err != nil || len(request.Against) == 0 {
		return after, nil, err
	}
	before, err = h.list(ctx, request.Against, len(request.Manifests))
	return after, before, err
}

// list reads manifests, each of which is a document of its own. They are counted on from others.
func (h *handler) list(ctx context.Context, sent []json.RawMessage, others int) (*manifests.Tree, error) {
	var documents bytes.Buffer
	for i, manifest := range sent {
		if err := single(manifest); err != nil {
			return nil, malformed("manifest %d: %v", others+i+1, err)
		}
		documents.Write(manifest)
		documents.WriteByte('\n')
	}
	tree, err := manifests.Read(ctx, manifests.Options{Paths: []string{"-"}, Stdin: &documents, Kinds: h.planner.Kinds()})
	if err != nil {
		return nil, err
	}
	for i := range tree.Objects {
		obj := &tree.Objects[i]
		obj.Origin.Document += others
		if obj.Object, err = bare(h.manifest(*obj)); err != nil {
			return nil, err
		}
	}
	return tree, nil
}

// single says why a text is not one manifest with a namespace.
func single(text []byte) error {
	var head struct {
		metav1.TypeMeta `json:",inline"`

		Metadata struct {
			Namespace string `json:"namespace"`
		} `json:"metadata"`
	}
	var whole map[string]any
	if _, err := kjson.UnmarshalStrict(text, &whole); err != nil {
		return err
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &head); err != nil {
		return err
	}
	switch {
	case head.GroupVersionKind().Group != v1alpha1.GroupVersion.Group:
		return fmt.Errorf("apiVersion is %q: plans are of %s", head.APIVersion, v1alpha1.GroupVersion)
	case strings.HasSuffix(head.Kind, "List"):
		return fmt.Errorf("kind is %s: send what is in it", head.Kind)
	case head.Metadata.Namespace == "":
		return errors.New("metadata.namespace is missing")
	}
	return nil
}

// bare is a manifest without all that is not people's to say. Of what is sent the spec alone counts: neither its status nor its annotations,
// finalizers or dates decide anything, whoever wrote them.
func bare(m plan.Manifest) (v1alpha1.Object, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(m.Object)
	if err != nil {
		return nil, fmt.Errorf("reading %s %s/%s: %w", m.Kind.Kind, m.Object.GetNamespace(), m.Object.GetName(), err)
	}
	out := m.Kind.New()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"spec": content["spec"]}, out); err != nil {
		return nil, fmt.Errorf("reading %s %s/%s: %w", m.Kind.Kind, m.Object.GetNamespace(), m.Object.GetName(), err)
	}
	out.GetObjectKind().SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(m.Kind.Kind))
	out.SetNamespace(m.Object.GetNamespace())
	out.SetName(m.Object.GetName())
	out.GetCommonStatus().ObservedGeneration = -1 // of an object that nobody has looked at
	return out, nil
}
