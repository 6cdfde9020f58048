package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/plan"
	"github.com/holdfast-dev/holdfast/internal/tenancy"
)

// Inventory answers what manifests mean.
type Inventory struct {
	// Source is where they are.
	Source Source
	// Kinds are all kinds that manifests can refer to.
	Kinds []kind.Kind
	// OwnerID names this installation in the ownership labels.
	OwnerID string
	// Now is the time.
	Now func() time.Time
	// Contested says whether Namespaces of different shards are bound to a project; nil where there are no shards.
	Contested func(project string) bool
}

// Environment is all that inventory knows of what matters to a manifest: the rest is for the caller to fill in.
func (i *Inventory) Environment(ctx context.Context, k kind.Kind, obj v1alpha1.Object) (plan.Environment, error) {
	annotations, err := i.Source.Namespace(ctx, obj.GetNamespace())
	if err != nil {
		return plan.Environment{}, fmt.Errorf("reading the Namespace %q: %w", obj.GetNamespace(), err)
	}
	e := i.Locate(k, obj, annotations)
	if e.Refusal == nil {
		err = i.Relate(ctx, k, obj, &e)
	}
	return e, err
}

// Locate says which resource a manifest means, and as whom it is reached, by the annotations of its Namespace; and whether the glass is
// broken there.
func (i *Inventory) Locate(k kind.Kind, obj v1alpha1.Object, namespace map[string]string) plan.Environment {
	e := plan.Environment{Now: i.Now(), Limits: tenancy.ReadLimits(namespace)}
	e.Binding, e.Refusal = tenancy.Resolve(obj.GetNamespace(), namespace, obj.GetCommonSpec().ProjectID, plan.BoundTo(obj.GetCommonStatus()))
	if e.Refusal == nil && i.Contested != nil && i.Contested(e.Binding.Project) {
		e.Refusal, e.Binding = tenancy.ShardConflict(obj.GetNamespace(), e.Binding.Project), tenancy.Binding{}
	}
	e.Glass = breakglass.Read(obj.GetAnnotations(), namespace, e.Now)
	e.Ref = kind.Ref{Project: e.Binding.Project, ID: k.ResourceID(obj), Impersonate: e.Binding.Impersonate}
	if k.Labels {
		e.Ref.Ownership = plan.Ownership(i.OwnerID, obj)
	}
	return e
}

// Relate finds the other manifests of the located resource, and what it and they refer to. Where one that holds the resource owns it instead,
// only those that hold it are looked for: there may be many others, and none of them matters.
func (i *Inventory) Relate(ctx context.Context, k kind.Kind, obj v1alpha1.Object, e *plan.Environment) (err error) {
	if e.References, err = i.References(ctx, k, obj); err != nil {
		return err
	}
	if e.Appeared, err = i.appeared(ctx, obj); err != nil {
		return fmt.Errorf("looking for the service accounts that Google did not find: %w", err)
	}
	record := plan.RecordOf(obj.GetCommonStatus()).In(e.Binding.Project)
	for _, find := range []finder{i.Source.Holding, i.Source.ByResource} {
		if e.Rivals, err = i.rivals(ctx, k, obj, *e, find); err != nil {
			return fmt.Errorf("looking for other manifests of the same resource: %w", err)
		}
		if plan.Loses(plan.Manifest{Kind: k, Object: obj}, record, *e) {
			break
		}
	}
	return nil
}

// finder finds manifests as Source.ByResource does.
type finder = func(ctx context.Context, k kind.Kind, project, name string) ([]v1alpha1.Object, error)

// rivals are the other manifests of a manifest's resource that are found, with all that matters of them.
func (i *Inventory) rivals(ctx context.Context, k kind.Kind, obj v1alpha1.Object, e plan.Environment, find finder) ([]plan.Rival, error) {
	project := cmp.Or(e.Binding.Project, obj.GetCommonStatus().Project)
	found, err := i.others(ctx, k, obj, project, find)
	if err != nil {
		return nil, err
	}
	var rivals []plan.Rival
	for _, other := range found {
		annotations, err := i.Source.Namespace(ctx, other.GetNamespace())
		if err != nil {
			return nil, fmt.Errorf("reading its Namespace: %w", err)
		}
		rival := plan.NewRival(other, annotations, project, e.Now)
		if k.Shared() { // what they refer to matters where both may be applied
			if rival.References, err = i.References(ctx, k, other); err != nil {
				return nil, err
			}
		}
		rivals = append(rivals, rival)
	}
	return rivals, nil
}

// ProjectSaid is the project of a manifest's resource as far as the manifest itself says it; empty where that is left to its Namespace.
func ProjectSaid(obj v1alpha1.Object) string {
	return cmp.Or(plan.BoundTo(obj.GetCommonStatus()), obj.GetCommonSpec().ProjectID)
}

// Rivals finds the other manifests of a manifest's resource.
func (i *Inventory) Rivals(ctx context.Context, k kind.Kind, obj v1alpha1.Object, project string) ([]v1alpha1.Object, error) {
	return i.others(ctx, k, obj, project, i.Source.ByResource)
}

func (i *Inventory) others(ctx context.Context, k kind.Kind, obj v1alpha1.Object, project string, find finder) ([]v1alpha1.Object, error) {
	found, err := i.inProject(ctx, k, project, k.ResourceID(obj), find)
	return slices.DeleteFunc(found, func(other v1alpha1.Object) bool {
		return other.GetNamespace() == obj.GetNamespace() && other.GetName() == obj.GetName()
	}), err
}

// HeldBesides says whether a manifest other than this one holds its resource, may act now, and stays.
func (i *Inventory) HeldBesides(ctx context.Context, k kind.Kind, obj v1alpha1.Object) (bool, error) {
	project, err := i.ProjectOf(ctx, obj)
	if err != nil {
		return false, err
	}
	e := plan.Environment{Now: i.Now()}
	e.Binding.Project = project
	holding, err := i.rivals(ctx, k, obj, e, i.Source.Holding)
	return slices.ContainsFunc(holding, func(r plan.Rival) bool { return !r.Barred && r.Object.GetDeletionTimestamp().IsZero() }), err
}

// ProjectOf is the project that a manifest's resource is in: the one that it is permanently bound to, whatever its Namespace says at the
// moment, or the one that its Namespace would bind it to. Empty if there is none.
func (i *Inventory) ProjectOf(ctx context.Context, obj v1alpha1.Object) (string, error) {
	if bound := plan.BoundTo(obj.GetCommonStatus()); bound != "" {
		return bound, nil
	}
	annotations, err := i.Source.Namespace(ctx, obj.GetNamespace())
	if err != nil {
		return "", err
	}
	return ProjectIn(obj, annotations), nil
}

// ProjectIn is the same with these annotations of its Namespace.
func ProjectIn(obj v1alpha1.Object, namespace map[string]string) string {
	if bound := plan.BoundTo(obj.GetCommonStatus()); bound != "" {
		return bound
	}
	binding, _ := tenancy.Resolve(obj.GetNamespace(), namespace, obj.GetCommonSpec().ProjectID, "")
	return binding.Project
}

// References are what a manifest's references lead to.
func (i *Inventory) References(ctx context.Context, k kind.Kind, obj v1alpha1.Object) (plan.References, error) {
	refs := k.References(obj)
	if len(refs) == 0 {
		return nil, nil
	}
	out := plan.References{}
	for _, ref := range refs {
		resolved, err := i.resolve(ctx, obj.GetNamespace(), ref)
		if err != nil {
			return nil, fmt.Errorf("reading the %s %q: %w", ref.Kind, ref.Name, err)
		}
		out[ref] = resolved
	}
	return out, nil
}

func (i *Inventory) resolve(ctx context.Context, from string, ref kind.Reference) (plan.Resolved, error) {
	k, ok := kind.Named(i.Kinds, ref.Kind)
	if !ok || k.Referent == nil {
		return plan.Resolved{}, fmt.Errorf("nothing can refer to the kind %s", ref.Kind)
	}
	in := cmp.Or(ref.Namespace, from)
	if refusal, err := i.refusal(ctx, in, from); err != nil || refusal != "" {
		return plan.Resolved{NotAllowed: refusal}, err
	}
	target, err := i.Source.Manifest(ctx, k, in, ref.Name)
	switch {
	case err != nil:
		return plan.Resolved{}, err
	case target == nil:
		missing := fmt.Sprintf("%s %q (%s), which does not exist in %s", ref.Kind, ref.Name, v1alpha1.GroupVersion.Group, where(ref))
		return plan.Resolved{Missing: missing}, nil
	}
	value := k.Referent(target)
	if value == "" {
		return plan.Resolved{Missing: fmt.Sprintf("%s %q, which has no %s in Google Cloud yet (%s)", ref.Kind, ref.Name, k.Name, why(target))}, nil
	}
	resolved := plan.Resolved{Value: value}
	if created := target.GetCommonStatus().LastCreateAttemptTime; created != nil && i.Now().Before(created.Add(k.Known)) {
		resolved.Fresh = created.Time
	}
	return resolved, nil
}

// refusal says why a manifest must not refer to one in another namespace; empty if it may. It says the same whether or not there is such a
// manifest, or such a namespace.
func (i *Inventory) refusal(ctx context.Context, in, from string) (string, error) {
	if in == from {
		return "", nil
	}
	annotations, err := i.Source.Namespace(ctx, in)
	if err != nil {
		return "", err
	}
	return tenancy.ReferenceRefusal(in, annotations, from), nil
}

func where(ref kind.Reference) string {
	if ref.Namespace == "" {
		return "this namespace"
	}
	return fmt.Sprintf("namespace %q", ref.Namespace)
}

// why says why a manifest has no resource yet.
func why(obj v1alpha1.Object) string {
	status := obj.GetCommonStatus()
	why := "Holdfast has not looked at it yet"
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		why = ready.Reason
	}
	if glass := status.BreakGlass; glass != nil {
		why += ", and break-glass is active: " + glass.Reason
	}
	return why
}
