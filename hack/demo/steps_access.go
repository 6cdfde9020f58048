package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

const (
	feedFile   = "hack/demo/story/feed.yaml"
	feedBucket = "demo-analytics-feed"
	feedWriter = "serviceAccount:feed-writer@" + analyticsProject + ".iam.gserviceaccount.com"
	accessFile = "hack/demo/story/access.yaml"
	// identity is the account that Google sees the operator as.
	identity = "holdfast@" + operationsProject + ".iam.gserviceaccount.com"
	// leftover is somebody whose access everybody has forgotten.
	leftover = "user:mallory@example.com"
)

// grantsBefore is who has access to the project before any manifest says so.
var grantsBefore = []document{
	{"role": "roles/resourcemanager.projectIamAdmin", "member": "serviceAccount:" + identity},
	{"role": "roles/owner", "member": "user:grace@example.com"},
	{"role": "roles/pubsub.serviceAgent", "member": "serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com"},
	{"role": "roles/editor", "member": leftover},
}

// policyPath is where the console has the policy of the story's project.
const policyPath = "/emulator/resourcemanager/projects/" + analyticsProject + "/policy"

// playAccess: an account and its grants are applied together; a policy that takes access away waits for approval, and then locks
// nobody out.
func (s *stage) playAccess(ctx context.Context) error {
	feed, writer := bucketObject("feed"), &v1alpha1.ServiceAccount{}
	writer.Namespace, writer.Name = analytics, "feed-writer"
	if err := s.apply(ctx, feedFile); err != nil {
		return err
	}
	for _, obj := range []v1alpha1.Object{writer, feed} {
		if err := s.untilStands(ctx, obj, v1alpha1.ReasonUpToDate); err != nil {
			return err
		}
	}
	policy, err := s.grants(ctx, bucketPath(feedBucket)+"/iam")
	if err != nil {
		return err
	}
	if err := s.expect(policy.has("roles/storage.objectCreator", feedWriter),
		"the bucket waited for its account; now %s may write to it", writer.Status.Email); err != nil {
		return err
	}
	return s.ownPolicy(ctx)
}

// ownPolicy shows how a manifest becomes the owner of a project's whole policy.
func (s *stage) ownPolicy(ctx context.Context) error {
	for _, grant := range grantsBefore {
		if err := s.cloud.Call(ctx, http.MethodPost, policyPath+":grant", grant, nil); err != nil {
			return fmt.Errorf("setting up an old grant: %w", err)
		}
		s.show.sayf("somebody granted %s to %s long ago", grant["role"], grant["member"])
	}
	mark, err := s.cloud.mark(ctx)
	if err != nil {
		return err
	}
	access := &v1alpha1.ProjectPolicy{}
	access.Namespace, access.Name = analytics, "access"
	if err := s.apply(ctx, accessFile); err != nil {
		return err
	}
	if err := s.untilStands(ctx, access, v1alpha1.ReasonAwaitingAdoption); err != nil {
		return err
	}
	if _, err := s.kubectl.run(ctx, "get", "gcppolicy", "-n", analytics, access.Name, "-o", "jsonpath-as-json={.status.plan}"); err != nil {
		return err
	}
	if err := s.noWrites(ctx, mark, analyticsProject); err != nil {
		return err
	}
	s.show.sawf("it takes access away, so its plan is on hold, and nothing was written")
	if _, err := s.kubectl.run(ctx, "annotate", "-n", analytics, "gcppolicy", access.Name,
		v1alpha1.ApproveAnnotation+"="+access.Status.Plan.Hash); err != nil {
		return err
	}
	if err := s.untilStands(ctx, access, v1alpha1.ReasonUpToDate); err != nil {
		return err
	}
	if _, err := s.kubectl.run(ctx, "get", "gcppolicy", "-n", analytics, access.Name, "-o", "jsonpath-as-json={.status.iam.kept}"); err != nil {
		return err
	}
	policy, err := s.grants(ctx, policyPath)
	if err != nil {
		return err
	}
	kept := 0
	for _, grant := range grantsBefore[:3] {
		if policy.has(fmt.Sprint(grant["role"]), fmt.Sprint(grant["member"])) {
			kept++
		}
	}
	return s.expect(kept == 3 && !policy.has("roles/editor", leftover) && policy.has("roles/pubsub.publisher", feedWriter),
		"approved: %s lost access; the last owner, the service agent and the operator itself keep theirs, and status says why", strings.TrimPrefix(leftover, "user:"))
}

// grants is an IAM policy as Google shows it.
type grants struct {
	Bindings []struct {
		Role    string
		Members []string
	}
}

func (g grants) has(role, member string) bool {
	for _, binding := range g.Bindings {
		for _, m := range binding.Members {
			if binding.Role == role && m == member {
				return true
			}
		}
	}
	return false
}

// grants reads a policy in the console.
func (s *stage) grants(ctx context.Context, path string) (grants, error) {
	var policy grants
	err := s.cloud.Call(ctx, http.MethodGet, path, nil, &policy)
	return policy, err
}
