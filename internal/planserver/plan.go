package planserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	kjson "sigs.k8s.io/json"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/manifests"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/planserver/protocol"
	"github.com/holdfast-dev/holdfast/internal/preview"
	"github.com/holdfast-dev/holdfast/internal/preview/render"
)

// Planner makes plans of manifests that their caller may have plans of.
type Planner interface {
	// Kinds are the kinds that are planned.
	Kinds() []kind.Kind
	// OfAnotherShard says whether the objects in a namespace are another operator's.
	OfAnotherShard(namespace string) bool
	// Stored is what the cluster has of a manifest; nil for nothing. It must not be changed.
	Stored(ctx context.Context, m plan.Manifest) (v1alpha1.Object, error)
	// Plan plans manifests, none of which is there twice, in their order.
	Plan(ctx context.Context, manifests []plan.Manifest) ([]preview.Preview, error)
}

// ReasonForbidden is the reason of what the caller may have no plan of.
const ReasonForbidden = "Forbidden"

// plan answers a request: with a plan of what the caller may have one of, and of all else with that he may not, whatever there is.
func (h *handler) plan(ctx context.Context, who user.Info, request protocol.Request) (render.Document, error) {
	tree, err := h.read(ctx, request)
	if err != nil {
		return render.Document{}, err
	}
	allowed, previews, err := h.sort(ctx, who, tree.Objects)
	if err != nil {
		return render.Document{}, err
	}
	var planned []plan.Manifest
	problems := tree.Problems
	for _, obj := range allowed {
		m := h.manifest(obj)
		wrong, err := h.update(ctx, obj, m)
		if err != nil {
			return render.Document{}, err
		}
		if problems = append(problems, wrong...); len(wrong) == 0 {
			planned = append(planned, m)
		}
	}
	more, err := h.planner.Plan(ctx, planned)
	return render.Of(render.Plan{Previews: append(previews, more...), Problems: problems, Origin: origins(tree.Objects)}), err
}

// origins says which manifest of a request a preview is of: its Document is the number.
func origins(objects []manifests.Object) func(v preview.Preview) *manifests.Origin {
	of := map[kind.Reference]*manifests.Origin{}
	key := func(kindName string, obj v1alpha1.Object) kind.Reference {
		return kind.Reference{Kind: kindName, Namespace: obj.GetNamespace(), Name: obj.GetName()}
	}
	for _, obj := range objects {
		of[key(obj.GetObjectKind().GroupVersionKind().Kind, obj.Object)] = &obj.Origin
	}
	return func(v preview.Preview) *manifests.Origin { return of[key(v.Kind.Kind, v.Object)] }
}

// read reads and checks the manifests, each of which is a document of its own.
func (h *handler) read(ctx context.Context, request protocol.Request) (*manifests.Tree, error) {
	var documents bytes.Buffer
	for i, manifest := range request.Manifests {
		if err := single(manifest); err != nil {
			return nil, malformed("manifest %d: %v", i+1, err)
		}
		documents.Write(manifest)
		documents.WriteByte('\n')
	}
	return manifests.Read(ctx, manifests.Options{Paths: []string{"-"}, Stdin: &documents, Kinds: h.planner.Kinds()})
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

func (h *handler) manifest(obj manifests.Object) plan.Manifest {
	k, _ := kind.Named(h.planner.Kinds(), obj.GetObjectKind().GroupVersionKind().Kind)
	return plan.Manifest{Kind: k, Object: obj.Object}
}

// scope is what access is asked for.
type scope struct{ kind, namespace string }

// sort says of which manifests the caller may have plans, and what is said of the others.
func (h *handler) sort(ctx context.Context, who user.Info, objects []manifests.Object) (
	allowed []manifests.Object, refused []preview.Preview, err error,
) {
	may := map[scope]bool{}
	for _, obj := range objects {
		m := h.manifest(obj)
		of := scope{m.Kind.Kind, obj.GetNamespace()}
		if _, asked := may[of]; !asked {
			if len(may) == protocol.MostScopes {
				return nil, nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf(
					"the request has manifests in more than %d pairs of kind and namespace; ask for fewer at once", protocol.MostScopes)}
			}
			if may[of], err = h.authorizer.allows(ctx, who, m.Kind, of.namespace); err != nil {
				return nil, nil, err
			}
		}
		switch {
		case !may[of]:
			refused = append(refused, refusedFor(m, fmt.Sprintf("%q may have no plans of %s in namespace %q: that takes create on %s/%s in %s",
				who.GetName(), m.Kind.Plural, of.namespace, m.Kind.Plural, Subresource, v1alpha1.GroupVersion.Group)))
		case h.planner.OfAnotherShard(of.namespace):
			refused = append(refused, refusedFor(m, fmt.Sprintf("namespace %q is another shard's: ask the plan server of its release", of.namespace)))
		default:
			allowed = append(allowed, obj)
		}
	}
	return allowed, refused, nil
}

// refusedFor is what is said of a manifest that nobody has looked at.
func refusedFor(m plan.Manifest, why string) preview.Preview {
	return preview.Preview{
		Kind: m.Kind, Object: m.Object, Outcome: preview.Outcome{Effect: preview.Refused, Reason: ReasonForbidden, Message: why},
	}
}

// update says why the API server would not replace what it has by a manifest.
func (h *handler) update(ctx context.Context, obj manifests.Object, m plan.Manifest) ([]manifests.Problem, error) {
	stored, err := h.planner.Stored(ctx, m)
	if stored == nil || err != nil {
		return nil, err
	}
	return manifests.CheckUpdate(ctx, obj, stored)
}
