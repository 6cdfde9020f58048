package planserver

import (
	"context"
	"fmt"
	"net/http"

	"k8s.io/apiserver/pkg/authentication/user"

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
	// Plan plans what applying a scene's manifests over the cluster does.
	Plan(ctx context.Context, scene *preview.Scene) ([]preview.Preview, error)
}

// ReasonForbidden is the reason of what the caller may have no plan of.
const ReasonForbidden = "Forbidden"

// plan answers a request: with a plan of what the caller may have one of, and of all else with that he may not, whatever there is.
func (h *handler) plan(ctx context.Context, who user.Info, request protocol.Request) (render.Document, error) {
	tree, err := h.read(ctx, request.Manifests)
	if err != nil {
		return render.Document{}, err
	}
	origin := origins(tree.Objects)
	allowed, refused, err := h.sort(ctx, who, tree.Objects)
	if err != nil {
		return render.Document{}, err
	}
	tree.Objects = allowed
	scene := preview.NewScene(h.planner.Kinds(), tree, nil)
	planned, err := h.planner.Plan(ctx, scene)
	if err != nil {
		return render.Document{}, err
	}
	return render.Of(render.Plan{
		Previews: append(refused, planned...), Problems: scene.Problems, Unknowns: scene.Unknowns, Origin: origin,
	}), nil
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
