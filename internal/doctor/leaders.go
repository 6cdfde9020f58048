package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
)

// LeaseName is the name of the lease of the release that has no shard; that of a shard follows it after a hyphen.
const LeaseName = "holdfast-manager"

// LeaseOf is the name of a shard's lease.
func LeaseOf(shard string) string {
	if shard == "" {
		return LeaseName
	}
	return LeaseName + "-" + shard
}

// ShardOf is the shard whose lease has that name; ok is false for another lease.
func ShardOf(lease string) (shard string, ok bool) {
	if lease == LeaseName {
		return "", true
	}
	return strings.CutPrefix(lease, LeaseName+"-")
}

// named names a shard.
func named(shard string) string {
	if shard == "" {
		return "the release without --shard"
	}
	return "the shard " + shard
}

// Leaders judges who leads: leases are those of the operator's namespace and of others, bound says for each shard how many Namespaces that are
// bound to projects belong to it.
func Leaders(leases []coordinationv1.Lease, bound map[string]int, now time.Time) Findings {
	var out Findings
	leading := map[string][]string{}
	for _, lease := range leases {
		shard, ok := ShardOf(lease.Name)
		if !ok {
			continue
		}
		holder, renewed, lasts := held(lease)
		switch {
		case holder == "":
			continue
		case now.Sub(renewed) > lasts:
			out.Add(Warn, "leader", fmt.Sprintf("kubectl get pods -n %s", lease.Namespace), "%s held the lease of %s, and has not renewed it for %s",
				holder, named(shard), now.Sub(renewed).Round(time.Second))
			continue
		}
		leading[shard] = append(leading[shard], lease.Namespace)
		out.Add(OK, "leader", "", "%s leads %s; it renewed its lease %s ago", holder, named(shard), now.Sub(renewed).Round(time.Second))
	}
	for _, shard := range slices.Sorted(maps.Keys(leading)) {
		if in := leading[shard]; len(in) > 1 {
			out.Add(Fail, "leader", "Give one of them another --shard, or stop it",
				"%s runs in several namespaces, %s: they do not know of each other and both write", named(shard), strings.Join(in, ", "))
		}
	}
	for _, shard := range slices.Sorted(maps.Keys(bound)) {
		if len(leading[shard]) == 0 {
			fix := "Start the operator: kubectl apply --server-side -k config/default"
			if shard != "" {
				fix = "Start a release with --shard=" + shard + " (see config/shard), or take the label off: kubectl get namespaces -l holdfast.dev/shard=" + shard
			}
			out.Add(Fail, "leader", fix, "nobody holds the lease of %s, to which %s bound to projects belong: nothing there is reconciled", named(shard), counted(bound[shard], "Namespace"))
		}
	}
	return out
}

// held is who holds a lease, when it was renewed, and how long it lasts.
func held(lease coordinationv1.Lease) (holder string, renewed time.Time, lasts time.Duration) {
	spec := lease.Spec
	if spec.HolderIdentity != nil {
		holder = *spec.HolderIdentity
	}
	if spec.RenewTime != nil {
		renewed = spec.RenewTime.Time
	}
	if spec.LeaseDurationSeconds != nil {
		lasts = time.Duration(*spec.LeaseDurationSeconds) * time.Second
	}
	return holder, renewed, lasts
}

// Deployments judges the operator's Deployments in one namespace.
func Deployments(all []appsv1.Deployment) Findings {
	var out Findings
	of := map[string][]string{}
	for _, d := range all {
		shard, elects, ours := release(d)
		if !ours {
			continue
		}
		of[shard] = append(of[shard], d.Name)
		wanted := int32(1)
		if d.Spec.Replicas != nil {
			wanted = *d.Spec.Replicas
		}
		describe := fmt.Sprintf("kubectl describe deployment -n %s %s", d.Namespace, d.Name)
		switch available := d.Status.AvailableReplicas; {
		case available == 0:
			out.Add(Fail, "operator", describe, "no replica of deployment %s is available", d.Name)
		case available < wanted:
			out.Add(Warn, "operator", describe, "%d of %d replicas of deployment %s are available", available, wanted, d.Name)
		default:
			out.Add(OK, "operator", "", "%d replicas of deployment %s are available", available, d.Name)
		}
		if !elects && wanted > 1 {
			out.Add(Fail, "operator", "Add --leader-elect to its arguments", "deployment %s has %d replicas that all write, for it elects no leader", d.Name, wanted)
		}
	}
	for _, shard := range slices.Sorted(maps.Keys(of)) {
		if len(of[shard]) > 1 {
			out.Add(Warn, "operator", "Remove all but one, or give each a --shard of its own",
				"several deployments are for %s: %s", named(shard), strings.Join(of[shard], ", "))
		}
	}
	return out
}

// release reads from a Deployment's arguments which shard it is for and whether it elects a leader.
func release(d appsv1.Deployment) (shard string, elects, ours bool) {
	i := slices.IndexFunc(d.Spec.Template.Spec.Containers, func(c corev1.Container) bool { return c.Name == "manager" })
	if i < 0 || d.Spec.Template.Labels["app.kubernetes.io/name"] != "holdfast" {
		return "", false, false
	}
	args := d.Spec.Template.Spec.Containers[i].Args
	for i, arg := range args {
		if value, is := strings.CutPrefix(arg, "--shard="); is {
			shard = value
		} else if arg == "--shard" && i+1 < len(args) {
			shard = args[i+1]
		}
		elects = elects || arg == "--leader-elect" || arg == "--leader-elect=true"
	}
	return shard, elects, true
}
