package engine

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/breakglass"
)

// In the operator's namespace, and nobody deletes them but a person.
// +kubebuilder:rbac:groups=gcp.holdfast.dev,resources=breakglassrecords,namespace=holdfast-system,verbs=get;create;update

// tries is how often a BreakGlassRecord is written that others, manifests of the same resource, write at the same time.
const tries = 5

// keepHistory puts the manifest's closed glasses on record beyond the manifest: once a glass is closed, and before the finalizer goes. It writes
// nothing where all of them are on record.
func (p *pass) keepHistory(ctx context.Context) error {
	history := p.obj.GetCommonStatus().BreakGlassHistory
	key, spec := p.ledger()
	if spec.ExternalName == "" || !slices.ContainsFunc(history, func(e v1alpha1.BreakGlassEpisode) bool { return e.Manifest == nil }) {
		return nil
	}
	var err error
	for range tries {
		if err = p.writeHistory(ctx, key, spec, history); !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
			break
		}
	}
	if recordsGo(err) {
		log.FromContext(ctx).WithName("audit").Info("the history of the glass goes with the manifest: there is no place any more to keep it in",
			"resource", spec.ExternalName, "error", err.Error())
		return nil
	}
	if err != nil {
		return fmt.Errorf("keeping the history of the glass in BreakGlassRecord %s: %w", key.Name, err)
	}
	return nil
}

// recordsGo says whether an error means that Holdfast is being uninstalled: records cannot be kept, and manifests are not to wait for that.
func recordsGo(err error) bool {
	return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) || apierrors.IsMethodNotSupported(err) ||
		apierrors.HasStatusCause(err, "NamespaceTerminating")
}

func (p *pass) writeHistory(
	ctx context.Context, key client.ObjectKey, spec v1alpha1.BreakGlassRecordSpec, history []v1alpha1.BreakGlassEpisode,
) error {
	var record v1alpha1.BreakGlassRecord
	err := p.uncached.Get(ctx, key, &record)
	isNew := apierrors.IsNotFound(err)
	if err != nil && !isNew {
		return err
	}
	before := record.DeepCopy()
	spec.Episodes = breakglass.Keep(record.Spec.Episodes, p.asManifest(), history)
	record.Spec = spec
	switch {
	case isNew:
		record.ObjectMeta = metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}
		return p.client.Create(ctx, &record)
	case equality.Semantic.DeepEqual(before.Spec, record.Spec):
		return nil
	}
	return p.client.Update(ctx, &record)
}

// ledger is where the history of the resource's glass is kept: by what the manifest owns, or else means. There is none for a manifest whose
// project is not known.
func (p *pass) ledger() (client.ObjectKey, v1alpha1.BreakGlassRecordSpec) {
	spec := v1alpha1.BreakGlassRecordSpec{ExternalName: p.record.ExternalName, Project: p.record.Project}
	if env := p.inventory.Locate(p.kind, p.obj, p.namespace.Annotations); env.Refusal == nil {
		spec.ExternalName, spec.Project = p.kind.ExternalName(env.Ref), env.Ref.Project
	}
	return client.ObjectKey{Namespace: p.home, Name: breakglass.RecordName(spec.ExternalName, spec.Project)}, spec
}

func (p *pass) asManifest() v1alpha1.BreakGlassManifest {
	return v1alpha1.BreakGlassManifest{Kind: p.kind.Kind, Namespace: p.obj.GetNamespace(), Name: p.obj.GetName(), UID: p.obj.GetUID()}
}

// recallHistory shows what is on record of the resource's glass in the status of a manifest that looks at the resource for the first time,
// or again after it could not: the resource is one of the manifest's project then, beyond doubt. Of what many manifests share, such as a
// project's policy, a manifest shows what was about its own name.
func (p *pass) recallHistory(ctx context.Context) *outcome {
	drifted := meta.FindStatusCondition(p.stored.GetCommonStatus().Conditions, v1alpha1.ConditionDrifted)
	unread := p.seen.Fields.Err != nil || p.kind.Fields == nil && p.seen.Policy.Err != nil
	if drifted != nil && drifted.Status != metav1.ConditionUnknown || p.seen.Fields.Foreign || unread || p.deleting() {
		return nil
	}
	key, _ := p.ledger()
	var record v1alpha1.BreakGlassRecord
	switch err := p.uncached.Get(ctx, key, &record); {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err): // nor is it on record without the CustomResourceDefinition
		return nil
	case err != nil:
		return because("reading the history of the glass", err)
	}
	episodes := record.Spec.Episodes
	if p.kind.Shared() {
		episodes = slices.DeleteFunc(slices.Clone(episodes), func(e v1alpha1.BreakGlassEpisode) bool {
			return e.Manifest == nil || e.Manifest.Namespace != p.obj.GetNamespace() || e.Manifest.Name != p.obj.GetName()
		})
	}
	breakglass.Recall(p.obj.GetCommonStatus(), p.asManifest(), episodes)
	return nil
}
