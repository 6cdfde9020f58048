package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/doctor"
	"github.com/holdfast-dev/holdfast/internal/fleet"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// guardPolicy is the policy that refuses a forged name.
const guardPolicy = "holdfast-guard-break-glass"

// inForce tries to forge who broke a glass, as a dry run: in a manifest, or else in the Namespace. The policies refuse that to anybody.
func (d *doctorCommand) inForce(ctx context.Context) error {
	namespace, err := d.namespace()
	if err != nil {
		return err
	}
	forged := map[string]string{
		v1alpha1.BreakGlassAnnotation:   "INC-0000: a dry run of kubectl holdfast doctor",
		v1alpha1.BreakGlassByAnnotation: "somebody-else-of-" + namespace,
	}
	topic := &v1alpha1.Topic{ObjectMeta: metav1.ObjectMeta{Name: "holdfast-doctor", Namespace: namespace, Annotations: forged}}
	refusal := d.kube.Create(ctx, topic, client.DryRunAll)
	if isForbidden(refusal) && !strings.Contains(refusal.Error(), "AdmissionPolicy") {
		before := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
		after := before.DeepCopy()
		after.Annotations = forged
		refusal = d.kube.Patch(ctx, after, client.MergeFrom(before), client.DryRunAll)
	}
	switch {
	case refusal == nil:
		d.Add(doctor.Fail, "in force", doctor.Install, "a forged %s was accepted (in a dry run): the policy %s is not in force", v1alpha1.BreakGlassByAnnotation, guardPolicy)
	case strings.Contains(refusal.Error(), guardPolicy):
		d.Add(doctor.OK, "in force", "", "a forged %s is refused", v1alpha1.BreakGlassByAnnotation)
	case isForbidden(refusal), apierrors.IsNotFound(refusal), meta.IsNoMatchError(refusal):
		d.Add(doctor.Warn, "in force", "Ask somebody who may create topics in a namespace: kubectl holdfast doctor -n NAMESPACE",
			"whether the policies are in force could not be tried: %s", oneLine(refusal))
	default:
		return fmt.Errorf("trying whether the policies are in force: %w", refusal)
	}
	return nil
}

// verbs are the RBAC verbs that the policies ask for, with what they are asked on.
var verbs = []struct {
	verb       string
	namespaces bool
	role       string
}{
	{"break-glass", false, "holdfast-break-glass"},
	{"approve", false, "holdfast-approve"},
	{"grant", false, "holdfast-grant"},
	{"break-glass", true, "holdfast-break-glass-namespaces"},
	{"bind", true, "holdfast-bind"},
	{"allow-destructive", true, "holdfast-allow-destructive"},
}

// rights says which of Holdfast's verbs whoever asks holds. To hold none is no fault.
func (d *doctorCommand) rights(ctx context.Context) error {
	namespace, err := d.namespace()
	if err != nil {
		return err
	}
	var may, mayNot []string
	for _, v := range verbs {
		on, resources, group := "in namespace "+namespace, kindsPlural(), v1alpha1.GroupVersion.Group
		if v.namespaces {
			on, resources, group = "on namespace "+namespace, []string{"namespaces"}, ""
		}
		var missing []string
		for _, resource := range resources {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: v.verb, Group: group, Resource: resource, Namespace: namespace},
			}}
			if v.namespaces {
				review.Spec.ResourceAttributes.Name = namespace
			}
			if err := d.kube.Create(ctx, review); err != nil {
				return fmt.Errorf("asking the API server what you may do: %w", err)
			}
			if !review.Status.Allowed {
				missing = append(missing, resource)
			}
		}
		switch {
		case len(missing) == 0:
			may = append(may, v.verb+" "+on)
		case len(missing) == len(resources):
			mayNot = append(mayNot, fmt.Sprintf("%s %s (ClusterRole %s)", v.verb, on, v.role))
		default:
			mayNot = append(mayNot, fmt.Sprintf("%s %s for %s (ClusterRole %s)", v.verb, on, strings.Join(missing, ", "), v.role))
		}
	}
	if len(may) > 0 {
		d.Add(doctor.OK, "rights", "", "you may %s", strings.Join(may, ", "))
	}
	if len(mayNot) > 0 {
		d.Add(doctor.OK, "rights", "", "you may not %s", strings.Join(mayNot, ", "))
	}
	return nil
}

func kindsPlural() []string {
	var out []string
	for _, k := range kinds.All(nil) {
		out = append(out, k.Plural)
	}
	return out
}

// namespaces reads what they are bound to, page by page.
func (d *doctorCommand) namespaces(ctx context.Context, bindings *doctor.Bindings) error {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(namespaceKind.GroupVersion().WithKind("NamespaceList"))
	_, err := eachPage(ctx, d.kube, list, func() error {
		for _, n := range list.Items {
			bindings.Add(n.Name, n.Labels, n.Annotations)
		}
		return nil
	})
	if isForbidden(err) {
		d.Add(doctor.Warn, "bindings", "Ask somebody who may list namespaces", "you may not list namespaces, so what they are bound to is not known")
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing Namespaces: %w", err)
	}
	d.Findings = append(d.Findings, bindings.Findings()...)
	return nil
}

// leaders reads who leads each shard: in the operator's namespace, and whether somebody else does elsewhere.
func (d *doctorCommand) leaders(ctx context.Context, bindings *doctor.Bindings) error {
	var leases coordinationv1.LeaseList
	err := d.kube.List(ctx, &leases, client.InNamespace(d.operatorNamespace))
	if isForbidden(err) {
		d.Add(doctor.Warn, "leader", "Ask somebody who may list leases in "+d.operatorNamespace,
			"you may not list leases in %s, so who leads is not known", d.operatorNamespace)
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the leases in %s: %w", d.operatorNamespace, err)
	}
	all := leases.Items
	for _, lease := range leases.Items {
		if _, ours := doctor.ShardOf(lease.Name); !ours {
			continue
		}
		var elsewhere coordinationv1.LeaseList
		err := d.kube.List(ctx, &elsewhere, client.MatchingFields{"metadata.name": lease.Name})
		if err != nil && !isForbidden(err) {
			return fmt.Errorf("looking for the lease %s in other namespaces: %w", lease.Name, err)
		}
		all = slices.Concat(all, slices.DeleteFunc(elsewhere.Items, func(l coordinationv1.Lease) bool { return l.Namespace == d.operatorNamespace }))
	}
	d.Findings = append(d.Findings, doctor.Leaders(all, bindings.Shards, d.now())...)
	return nil
}

// operators reads how the operator's Deployments stand, and asks the API server whether their service accounts may do what the operator does.
func (d *doctorCommand) operators(ctx context.Context, shipped *doctor.Shipped) error {
	var deployments appsv1.DeploymentList
	err := d.kube.List(ctx, &deployments, client.InNamespace(d.operatorNamespace))
	if isForbidden(err) { // who leads says as much
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the Deployments in %s: %w", d.operatorNamespace, err)
	}
	d.Findings = append(d.Findings, doctor.Deployments(deployments.Items)...)
	for _, release := range doctor.Releases(deployments.Items) {
		for _, role := range shipped.Operator {
			needs, err := release.Needs(role)
			if err != nil {
				return err
			}
			missing, err := d.missing(ctx, release, needs)
			if isForbidden(err) {
				d.Add(doctor.Warn, "operator", "Ask somebody who may create subjectaccessreviews",
					"you may not ask what service account %s may do, so whether it is bound to its roles is not known", release.ServiceAccount)
				return nil
			}
			if err != nil {
				return err
			}
			d.Findings = append(d.Findings, release.Rights(role, len(needs), missing)...)
		}
	}
	return nil
}

// missing are the rights that a release does not have.
func (d *doctorCommand) missing(
	ctx context.Context, release doctor.Release, needs []authorizationv1.ResourceAttributes,
) (missing []authorizationv1.ResourceAttributes, err error) {
	for _, right := range needs {
		review := release.Review(right)
		if err := d.kube.Create(ctx, review); err != nil {
			return nil, fmt.Errorf("asking the API server what service account %s may do: %w", release.ServiceAccount, err)
		}
		if !review.Status.Allowed {
			missing = append(missing, right)
		}
	}
	return missing, nil
}

// access reads what the operator says of all manifests, page by page. A kind that cannot be read is told.
func (d *doctorCommand) access(ctx context.Context) error {
	causes := doctor.NewCauses()
	for _, k := range kinds.All(nil) {
		_, err := selection{}.eachOf(ctx, d.kube, k, func(obj v1alpha1.Object) error {
			causes.Add(fleet.Title(k.Kind, obj.GetNamespace(), obj.GetName()), obj)
			return nil
		}, nil)
		switch {
		case isForbidden(err):
			d.Add(doctor.Warn, "access", "Ask somebody who may list them everywhere", "you may not list all %s, so what Holdfast says of them is not known", k.Plural)
		case meta.IsNoMatchError(err), apierrors.IsNotFound(err): // that it is not installed is told
		case err != nil:
			return err
		}
	}
	d.Findings = append(d.Findings, causes.Findings()...)
	return nil
}
