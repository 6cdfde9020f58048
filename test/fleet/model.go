package main

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// model is a fleet: so many resources in so many projects, one Namespace for each. Each project has one ProjectPolicy; what remains are
// buckets, topics and service accounts in equal parts, spread evenly.
type model struct{ resources, projects int }

// policyEvery says that every so many-th of the buckets and topics has a policy of its own, in spec.iam.
const policyEvery = 20

func namespaceName(project int) string { return fmt.Sprintf("fleet-%04d", project) }

func projectID(project int) string { return fmt.Sprintf("fleet-project-%04d", project) }

// listed is how many resources a list of their project shows: all but ProjectPolicies.
func (m model) listed() int { return m.resources - m.projects }

// byProject are all manifests in the order in which they are applied: those of one project after those of another, as a tool applies a folder
// of each.
func (m model) byProject() []int {
	order := make([]int, 0, m.resources)
	for project := range m.projects {
		for i := project; i < m.listed(); i += m.projects {
			order = append(order, i)
		}
		order = append(order, m.listed()+project)
	}
	return order
}

// recordedFirst says whether something of a manifest is recorded before its resource is written: what Google keeps no mark of, grants and accounts.
func (m model) recordedFirst(i int) bool {
	return i >= m.listed() || m.kindOf(i) == 2 || m.hasPolicy(i)
}

// policies is how many IAM policies there are.
func (m model) policies() int {
	n := m.projects
	for i := range m.listed() {
		if m.hasPolicy(i) {
			n++
		}
	}
	return n
}

// kindOf is the kind of a listed resource: 0 a bucket, 1 a topic, 2 an account.
func (m model) kindOf(i int) int { return i / m.projects % 3 }

// hasPolicy says whether a listed resource that is no account has a policy.
func (m model) hasPolicy(i int) bool { return m.kindOf(i) != 2 && i%policyEvery == 0 }

// object is the i-th manifest. The ProjectPolicies come last.
func (m model) object(i int) v1alpha1.Object {
	if i >= m.listed() {
		return m.projectPolicy(i - m.listed())
	}
	namespace, nth := namespaceName(i%m.projects), i/m.projects
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }
	labels := v1alpha1.Labels{"team": "shop", "wave": "0"}
	switch m.kindOf(i) {
	case 0:
		return &v1alpha1.Bucket{ObjectMeta: meta(fmt.Sprintf("%s-data-%d", namespace, nth)), Spec: v1alpha1.BucketSpec{
			Location: "EUROPE-WEST1", StorageClass: "STANDARD", Labels: labels, Versioning: &v1alpha1.Versioning{Enabled: new(true)},
			UniformBucketLevelAccess: &v1alpha1.UniformBucketLevelAccess{Enabled: new(true)}, PublicAccessPrevention: "enforced",
			IAM: m.policy(i, "roles/storage.objectViewer"),
		}}
	case 1:
		return &v1alpha1.Topic{ObjectMeta: meta(fmt.Sprintf("events-%d", nth)), Spec: v1alpha1.TopicSpec{
			Labels: labels, MessageRetentionSeconds: new(int64(86400)), IAM: m.policy(i, "roles/pubsub.publisher"),
		}}
	default:
		return &v1alpha1.ServiceAccount{ObjectMeta: meta(fmt.Sprintf("account-%d", nth)), Spec: v1alpha1.ServiceAccountSpec{
			DisplayName: new("wave 0"), Description: new("An account of the model fleet."),
		}}
	}
}

// policy is spec.iam of a listed resource, if it has one.
func (m model) policy(i int, role string) *v1alpha1.IAMPolicy {
	if !m.hasPolicy(i) {
		return nil
	}
	return &v1alpha1.IAMPolicy{Bindings: []v1alpha1.IAMBinding{{Role: role, Members: []v1alpha1.IAMMember{"group:readers@example.com"}}}}
}

// What the policy of each project grants, besides to others.
const (
	projectRole   = "roles/viewer"
	projectMember = "user:ada@example.com"
)

func (m model) projectPolicy(project int) v1alpha1.Object {
	members := []v1alpha1.IAMMember{"group:shop-developers@example.com", projectMember}
	return &v1alpha1.ProjectPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespaceName(project), Name: "access"},
		Spec: v1alpha1.ProjectPolicySpec{IAMPolicy: v1alpha1.IAMPolicy{
			Bindings: []v1alpha1.IAMBinding{{Role: projectRole, Members: members}},
		}},
	}
}

// edit is a merge patch that changes one field of a listed resource, which the manifest has already.
func edit(obj client.Object, value string) []byte {
	if _, account := obj.(*v1alpha1.ServiceAccount); account {
		return fmt.Appendf(nil, `{"spec":{"displayName":"wave %s"}}`, value)
	}
	return fmt.Appendf(nil, `{"spec":{"labels":{"wave":%q}}}`, value)
}
