package planserver

import (
	"context"
	"fmt"
	"net/http"
	"slices"

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
	after, before, err := h.read(ctx, request)
	if err != nil {
		return render.Document{}, err
	}
	may, err := h.access(ctx, who, objectsOf(after, before))
	if err != nil {
		return render.Document{}, err
	}
	scene := preview.NewScene(h.planner.Kinds(), may.of(after, true), may.of(before, true))
	planned, err := h.planner.Plan(ctx, scene)
	if err != nil {
		return render.Document{}, err
	}
	unseen := preview.NewScene(h.planner.Kinds(), may.of(after, false), may.of(before, false))
	for _, m := range unseen.Differing() {
		planned = append(planned, may.refused(m))
	}
	return render.Of(render.Plan{
		Previews: planned, Problems: scene.Problems, Unknowns: scene.Unknowns, Origin: origins(objectsOf(after, before)),
	}), nil
}

// objectsOf are the manifests of both trees; before may be nil.
func objectsOf(after, before *manifests.Tree) []manifests.Object {
	if before == nil {
		return after.Objects
	}
	return slices.Concat(after.Objects, before.Objects)
}

// origins says which manifest of a request a preview is of, the first if there are two: its Document is the number.
func origins(objects []manifests.Object) func(v preview.Preview) *manifests.Origin {
	of := map[kind.Reference]*manifests.Origin{}
	key := func(kindName string, obj v1alpha1.Object) kind.Reference {
		return kind.Reference{Kind: kindName, Namespace: obj.GetNamespace(), Name: obj.GetName()}
	}
	for _, obj := range slices.Backward(objects) {
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

// access is what a caller may have plans of: why not, by scope; empty where he may.
type access map[scope]string

// access asks for the scopes of all manifests, those that leave among them.
func (h *handler) access(ctx context.Context, who user.Info, objects []manifests.Object) (access, error) {
	out := access{}
	for _, obj := range objects {
		k := h.manifest(obj).Kind
		of := scope{k.Kind, obj.GetNamespace()}
		if _, asked := out[of]; asked {
			continue
		}
		if len(out) == protocol.MostScopes {
			return nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf(
				"the request has manifests in more than %d pairs of kind and namespace; ask for fewer at once", protocol.MostScopes)}
		}
		allowed, err := h.authorizer.allows(ctx, who, k, of.namespace)
		switch {
		case err != nil:
			return nil, err
		case !allowed:
			out[of] = fmt.Sprintf("%q may have no plans of %s in namespace %q: that takes create on %s/%s in %s",
				who.GetName(), k.Plural, of.namespace, k.Plural, Subresource, v1alpha1.GroupVersion.Group)
		case h.planner.OfAnotherShard(of.namespace):
			out[of] = fmt.Sprintf("namespace %q is another shard's: ask the plan server of its release", of.namespace)
		default:
			out[of] = ""
		}
	}
	return out, nil
}

// of is a tree with those of its manifests alone that the caller may have plans of, or with the others; nil for none.
func (a access) of(tree *manifests.Tree, allowed bool) *manifests.Tree {
	if tree == nil {
		return nil
	}
	out := &manifests.Tree{Problems: tree.Problems}
	for _, obj := range tree.Objects {
		if why := a[scope{obj.GetObjectKind().GroupVersionKind().Kind, obj.GetNamespace()}]; (why == "") == allowed {
			out.Objects = append(out.Objects, obj)
		}
	}
	return out
}

// refused is what is said of a manifest that nobody has looked at.
func (a access) refused(m plan.Manifest) preview.Preview {
	return preview.Preview{Kind: m.Kind, Object: m.Object, Outcome: preview.Outcome{
		Effect: preview.Refused, Reason: ReasonForbidden, Message: a[scope{m.Kind.Kind, m.Object.GetNamespace()}],
	}}
}
