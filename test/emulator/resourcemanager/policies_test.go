package resourcemanager_test

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/iam/apiv1/iampb"
	apiv3 "cloud.google.com/go/resourcemanager/apiv3"
	"github.com/google/go-cmp/cmp"
	"github.com/googleapis/gax-go/v2/callctx"
	"golang.org/x/sync/errgroup"
	"google.golang.org/genproto/googleapis/type/expr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/holdfast-dev/holdfast/test/emulator/grpctest"
	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

const (
	project    = "projects/my-project"
	concurrent = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."
)

func read(version int32) *iampb.GetIamPolicyRequest {
	return &iampb.GetIamPolicyRequest{Resource: project, Options: &iampb.GetPolicyOptions{RequestedPolicyVersion: version}}
}

func TestPolicyOfAProject(t *testing.T) {
	eachTransport(t, func(t *testing.T, c *cloud, client *apiv3.ProjectsClient) {
		t.Helper()
		p, err := client.GetIamPolicy(t.Context(), read(3))
		if diff := cmp.Diff(policy.Empty(), p, protocmp.Transform()); err != nil || diff != "" {
			t.Fatalf("never set: %v (-want +got):\n%s", err, diff)
		}
		p.Version = 3
		p.Bindings = []*iampb.Binding{{
			Role: "roles/compute.admin", Members: []string{"user:Ada@example.com"},
			Condition: &expr.Expr{Title: "until", Expression: "request.time < timestamp('2030-01-01T00:00:00Z')"},
		}}
		p.AuditConfigs = []*iampb.AuditConfig{{Service: "allServices", AuditLogConfigs: []*iampb.AuditLogConfig{{LogType: iampb.AuditLogConfig_DATA_READ}}}}
		written, err := client.SetIamPolicy(t.Context(), &iampb.SetIamPolicyRequest{
			Resource: "projects/123", Policy: p, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"bindings", "etag", "audit_configs"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		p.Etag, p.Bindings[0].Members[0] = written.GetEtag(), "user:ada@example.com"
		if diff := cmp.Diff(p, written, protocmp.Transform()); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
		again, err := client.GetIamPolicy(t.Context(), read(3))
		if diff := cmp.Diff(p, again, protocmp.Transform()); err != nil || diff != "" {
			t.Errorf("read again: %v (-want +got):\n%s", err, diff)
		}

		grpctest.Must(t, c.service.EditPolicy("my-project", func(p *iampb.Policy) { policy.Grant(p, "roles/viewer", "user:ada@example.com") }))
		_, err = client.SetIamPolicy(t.Context(), &iampb.SetIamPolicyRequest{Resource: project, Policy: p})
		grpctest.WantRefusal(t, err, codes.Aborted, concurrent)
		if p := c.service.Policy("my-project"); len(p.GetBindings()) != 2 || len(p.GetAuditConfigs()) != 1 {
			t.Errorf("in the console: %v", p)
		}
		for _, resource := range []string{"projects/theirs", "projects/unknown"} {
			_, err := client.GetIamPolicy(t.Context(), &iampb.GetIamPolicyRequest{Resource: resource})
			grpctest.WantRefusal(t, err, codes.PermissionDenied, "The caller does not have permission")
		}
	})
}

// TestNoWriterIsLost: ten writers, each with a read, a change and a write
// under the etag that is tried again, and somebody in the console.
func TestNoWriterIsLost(t *testing.T) {
	c := start(t)
	client := c.client(t)
	var writers errgroup.Group
	for i := range 10 {
		writers.Go(func() error {
			for {
				p, err := client.GetIamPolicy(t.Context(), read(3))
				if err != nil {
					return err
				}
				policy.Grant(p, "roles/viewer", fmt.Sprintf("user:w%d@example.com", i))
				_, err = client.SetIamPolicy(t.Context(), &iampb.SetIamPolicyRequest{Resource: project, Policy: p})
				if status.Code(err) != codes.Aborted {
					return err
				}
			}
		})
		writers.Go(func() error {
			return c.service.EditPolicy("my-project", func(p *iampb.Policy) { policy.Grant(p, "roles/editor", fmt.Sprintf("user:c%d@example.com", i)) })
		})
	}
	grpctest.Must(t, writers.Wait())
	p := c.service.Policy("my-project")
	for i := range 10 {
		if !policy.Has(p, "roles/viewer", fmt.Sprintf("user:w%d@example.com", i)) || !policy.Has(p, "roles/editor", fmt.Sprintf("user:c%d@example.com", i)) {
			t.Errorf("writer %d is lost: %v", i, p)
		}
	}
}

// TestOwnersOutsideOfOrganizations: users are invited to be owners, in the
// spelling that they are shown in, and the last owner stays.
func TestOwnersOutsideOfOrganizations(t *testing.T) {
	c := start(t)
	client := c.client(t)
	grpctest.Must(t, c.registry.Edit("my-project", func(p *projects.Project) { p.Standalone = true }))
	grpctest.Must(t, c.directory.Set("user:Ada@example.com", policy.Known))
	grpctest.Must(t, c.service.EditPolicy("my-project", func(p *iampb.Policy) { policy.Grant(p, "roles/owner", "user:ada@example.com") }))
	for name, step := range map[string]struct {
		owners  []string
		refused bool
	}{
		"as it is":           {[]string{"user:Ada@example.com"}, false},
		"in another case":    {[]string{"user:ada@example.com"}, true},
		"another user":       {[]string{"user:Ada@example.com", "user:eve@example.com"}, true},
		"an account besides": {[]string{"user:Ada@example.com", "serviceAccount:x@others.iam.gserviceaccount.com"}, false},
		"nobody":             {nil, true},
	} {
		p := &iampb.Policy{Bindings: []*iampb.Binding{{Role: "roles/owner", Members: step.owners}}}
		_, err := client.SetIamPolicy(t.Context(), &iampb.SetIamPolicyRequest{Resource: project, Policy: p})
		if step.refused {
			grpctest.WantRefusal(t, err, codes.InvalidArgument, "Request contains an invalid argument.")
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := client.SetIamPolicy(t.Context(), &iampb.SetIamPolicyRequest{
		Resource: project, Policy: &iampb.Policy{}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"audit_configs"}},
	})
	if err != nil {
		t.Errorf("a write that is not about bindings: %v", err)
	}
	if status, answer := c.Send(t, "GET", "/v1/projects/my-project", ""); status != 200 || strings.Contains(answer, "parent") {
		t.Errorf("the parent of a project without one: %d %s", status, answer)
	}
}

func TestWithheldPermissions(t *testing.T) {
	eachTransport(t, func(t *testing.T, c *cloud, client *apiv3.ProjectsClient) {
		t.Helper()
		grpctest.Must(t, c.registry.Withhold("my-project", "resourcemanager.projects.setIamPolicy"))
		held, err := client.TestIamPermissions(t.Context(), &iampb.TestIamPermissionsRequest{
			Resource: project, Permissions: []string{"resourcemanager.projects.getIamPolicy", "resourcemanager.projects.setIamPolicy"},
		})
		if diff := cmp.Diff([]string{"resourcemanager.projects.getIamPolicy"}, held.GetPermissions()); err != nil || diff != "" {
			t.Errorf("held: %v (-want +got):\n%s", err, diff)
		}
		_, err = client.SetIamPolicy(t.Context(), &iampb.SetIamPolicyRequest{Resource: project, Policy: &iampb.Policy{}})
		grpctest.WantRefusal(t, err, codes.PermissionDenied, "The caller does not have permission")
		grpctest.Must(t, c.registry.Withhold("my-project"))
		if _, err := client.SetIamPolicy(t.Context(), &iampb.SetIamPolicyRequest{Resource: project, Policy: &iampb.Policy{}}); err != nil {
			t.Error(err)
		}
	})
}

// TestWhoseQuota: calls use the quota of the caller's own project, or of the
// one that it names in a header, over both transports.
func TestWhoseQuota(t *testing.T) {
	const header = "x-goog-user-project"
	eachTransport(t, func(t *testing.T, c *cloud, client *apiv3.ProjectsClient) {
		t.Helper()
		c.control.SetQuota("resourcemanager", "my-project", 1)
		c.control.SetQuota("resourcemanager", "payer", 1)
		for range 3 {
			if _, err := client.GetIamPolicy(t.Context(), read(3)); err != nil {
				t.Fatalf("the quota of the project that the call is about: %v", err)
			}
		}
		// Over gRPC the client hands on metadata, over REST headers.
		paid := metadata.AppendToOutgoingContext(callctx.SetHeaders(t.Context(), header, "payer"), header, "payer")
		if _, err := client.GetIamPolicy(paid, read(3)); err != nil {
			t.Fatal(err)
		}
		_, err := client.GetIamPolicy(paid, read(3))
		grpctest.WantRefusal(t, err, codes.ResourceExhausted,
			"Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' of service 'cloudresourcemanager.googleapis.com' for consumer 'project_number:payer'.")
		if n := c.control.Count(traffic.Call{Project: "my-project"}); n != 5 {
			t.Errorf("%d calls are about the project, want 5", n)
		}
	})
}
