package doctor

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// What the operator's service account is bound to. Without the first it cannot work, without the second nobody can read its metrics.
const (
	managerRole = "holdfast-manager"
	metricsRole = "holdfast-metrics-auth"
)

var operatorRoles = []string{managerRole, metricsRole}

// mostRights is how many missing rights a finding names.
const mostRights = 5

// Release is an operator that runs in the cluster.
type Release struct {
	// Namespace and ServiceAccount are whom the API server knows it as.
	Namespace, ServiceAccount string
	// Shard is the shard that it is for; empty for that of no shard.
	Shard string
}

// Releases are the operators among Deployments, each service account and shard once.
func Releases(all []appsv1.Deployment) []Release {
	var out []Release
	for _, d := range all {
		shard, _, ours := release(d)
		if !ours {
			continue
		}
		account := d.Spec.Template.Spec.ServiceAccountName
		if account == "" {
			account = "default"
		}
		if r := (Release{Namespace: d.Namespace, ServiceAccount: account, Shard: shard}); !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// Review asks the API server whether the release may do something.
func (r Release) Review(right authorizationv1.ResourceAttributes) *authorizationv1.SubjectAccessReview {
	return &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               fmt.Sprintf("system:serviceaccount:%s:%s", r.Namespace, r.ServiceAccount),
		Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + r.Namespace, "system:authenticated"},
		ResourceAttributes: &right,
	}}
}

// Needs are the rights that a role gives the release: each verb on each resource. Those of a Role are in the release's own namespace.
func (r Release) Needs(role *unstructured.Unstructured) ([]authorizationv1.ResourceAttributes, error) {
	var given rbacv1.ClusterRole // a Role has the same rules
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(role.Object, &given); err != nil {
		return nil, fmt.Errorf("reading %s %s, which is built in: %w", role.GetKind(), role.GetName(), err)
	}
	namespace := ""
	if role.GetKind() == "Role" {
		namespace = r.Namespace
	}
	var out []authorizationv1.ResourceAttributes
	for _, rule := range given.Rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				right := authorizationv1.ResourceAttributes{Group: group, Namespace: namespace}
				right.Resource, right.Subresource, _ = strings.Cut(resource, "/")
				out = append(out, r.each(right, rule.ResourceNames, rule.Verbs)...)
			}
		}
	}
	return out, nil
}

// breakerRecord is the ConfigMap that a release without a shard keeps in mind what was destroyed in.
const breakerRecord = "holdfast-breaker"

// each has a right for each verb on each object; on all objects if none is named. Lease and record are the shard's own.
func (r Release) each(right authorizationv1.ResourceAttributes, names, verbs []string) []authorizationv1.ResourceAttributes {
	if len(names) == 0 {
		names = []string{""}
	}
	var out []authorizationv1.ResourceAttributes
	for _, right.Name = range names {
		switch {
		case right.Resource == "leases" && right.Name == LeaseName:
			right.Name = LeaseOf(r.Shard)
		case right.Resource == "configmaps" && right.Name == breakerRecord && r.Shard != "":
			right.Name += "-" + r.Shard
		}
		for _, right.Verb = range verbs {
			out = append(out, right)
		}
	}
	return out
}

// Rights judges what a release may do of what a role says that it does.
func (r Release) Rights(role *unstructured.Unstructured, needed int, missing []authorizationv1.ResourceAttributes) Findings {
	var out Findings
	name := role.GetKind() + " " + role.GetName()
	account := "service account " + r.ServiceAccount + " of namespace " + r.Namespace
	if len(missing) == 0 {
		out.Add(OK, "operator", "", "%s has all %d rights of %s", account, needed, name)
		return out
	}
	level := Fail
	if role.GetName() != managerRole {
		level = Warn
	}
	var named []string
	for _, right := range missing {
		named = append(named, describe(right))
	}
	if more := len(named) - mostRights; more > 0 {
		named = append(named[:mostRights], fmt.Sprintf("%d more", more))
	}
	out.Add(level, "operator", "Bind it to "+name+", as config/rbac does: "+Install, "%s may not %s", account, strings.Join(named, ", "))
	return out
}

// describe names a right as kubectl auth can-i takes it.
func describe(right authorizationv1.ResourceAttributes) string {
	what := right.Resource
	if right.Group != "" {
		what += "." + right.Group
	}
	if right.Name != "" {
		what += "/" + right.Name
	}
	if right.Subresource != "" {
		what += " --subresource=" + right.Subresource
	}
	if right.Namespace != "" {
		what += " -n " + right.Namespace
	}
	return right.Verb + " " + what
}
