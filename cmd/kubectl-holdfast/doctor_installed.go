package main

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/internal/doctor"
)

// installed reads the object of the cluster that has the name of one of ours; nil if there is none. mayNot says that somebody else would have
// to look.
func (d *doctorCommand) installed(
	ctx context.Context, shipped *unstructured.Unstructured,
) (found *unstructured.Unstructured, mayNot bool, err error) {
	found = &unstructured.Unstructured{}
	found.SetGroupVersionKind(shipped.GroupVersionKind())
	switch err := d.kube.Get(ctx, client.ObjectKey{Name: shipped.GetName()}, found); {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		return nil, false, nil
	case apierrors.IsForbidden(err):
		return nil, true, nil
	case err != nil:
		return nil, false, fmt.Errorf("reading %s %s: %w", shipped.GetKind(), shipped.GetName(), err)
	}
	return found, false, nil
}

// compare judges the objects of the cluster that ought to be like ours. What may not be read is told once.
func (d *doctorCommand) compare(
	ctx context.Context, check, resource string, shipped []*unstructured.Unstructured,
	judge func(shipped, installed *unstructured.Unstructured, version string) doctor.Findings,
) error {
	unread, all := 0, doctor.Findings{}
	for _, want := range shipped {
		found, mayNot, err := d.installed(ctx, want)
		if err != nil {
			return err
		}
		if mayNot {
			unread++
			continue
		}
		all = append(all, judge(want, found, short())...)
	}
	d.Findings = append(d.Findings, all...)
	if unread > 0 {
		d.Add(doctor.Warn, check, "Ask somebody who may get "+resource,
			"%d of %d could not be compared: you may not get %s", unread, len(shipped), resource)
	}
	if len(all) == 0 && unread < len(shipped) {
		d.Add(doctor.OK, check, "", "%d are as %s has them", len(shipped)-unread, short())
	}
	return nil
}

func (d *doctorCommand) definitions(ctx context.Context, shipped *doctor.Shipped) error {
	return d.compare(ctx, "CRDs", "customresourcedefinitions", shipped.Definitions, doctor.Definition)
}

func (d *doctorCommand) policies(ctx context.Context, shipped *doctor.Shipped, minor int) error {
	var expected []*unstructured.Unstructured
	for _, policy := range shipped.Policies {
		if minor >= stampsFrom || !strings.HasPrefix(policy.GetKind(), "Mutating") {
			expected = append(expected, policy)
		}
	}
	return d.compare(ctx, "policies", "validatingadmissionpolicies and the like", expected, doctor.Policy)
}

func (d *doctorCommand) roles(ctx context.Context, shipped *doctor.Shipped) error {
	if err := d.compare(ctx, "roles", "clusterroles", shipped.Roles, doctor.Role); err != nil {
		return err
	}
	for _, name := range []string{"view", "edit", "admin"} {
		role := &unstructured.Unstructured{}
		role.SetGroupVersionKind(shipped.Roles[0].GroupVersionKind())
		role.SetName(name)
		found, _, err := d.installed(ctx, role)
		if err != nil {
			return err
		}
		if found != nil {
			d.Findings = append(d.Findings, doctor.Aggregated(found)...)
		}
	}
	return nil
}
