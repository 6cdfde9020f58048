package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	iam "cloud.google.com/go/iam/admin/apiv1"
	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	pubsub "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	resourcemanager "cloud.google.com/go/resourcemanager/apiv3"
	"cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/api/storage/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// plainClient makes calls with Google's own libraries and does nothing with the answers: what it takes, nobody can do without.
type plainClient struct {
	buckets  *storage.Service
	topics   *pubsub.TopicAdminClient
	accounts *iam.IamClient
	projects *resourcemanager.ProjectsClient
}

func (w *world) plainClient() *plainClient {
	w.t.Helper()
	rpc := []option.ClientOption{
		option.WithEndpoint(w.cloud.GRPCAddr()), option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
	}
	ctx, c := w.t.Context(), &plainClient{}
	var err error
	c.buckets, err = storage.NewService(ctx, option.WithEndpoint(w.cloud.StorageEndpoint()), option.WithoutAuthentication())
	w.must(err)
	c.topics, err = pubsub.NewTopicAdminClient(ctx, rpc...)
	w.must(err)
	w.t.Cleanup(func() { _ = c.topics.Close() }) // all answers are in
	c.accounts, err = iam.NewIamClient(ctx, rpc...)
	w.must(err)
	w.t.Cleanup(func() { _ = c.accounts.Close() })
	c.projects, err = resourcemanager.NewProjectsClient(ctx, rpc...)
	w.must(err)
	w.t.Cleanup(func() { _ = c.projects.Close() })
	return c
}

// makes does calls, so many at a time, and says how long that took.
func (c *plainClient) makes(t *testing.T, calls []traffic.Call, atATime int) time.Duration {
	t.Helper()
	began := time.Now()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(atATime)
	for _, call := range calls {
		group.Go(func() error { return c.make(ctx, call) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}

func (c *plainClient) make(ctx context.Context, call traffic.Call) (err error) {
	project := "projects/" + call.Project
	switch call.String() {
	case "storage buckets.list":
		err = c.buckets.Buckets.List(call.Project).Projection("noAcl").MaxResults(1000).Pages(ctx, func(*storage.Buckets) error { return nil })
	case "storage buckets.get":
		_, err = c.buckets.Buckets.Get(call.Resource).Projection("noAcl").Context(ctx).Do()
		if refused, ok := errors.AsType[*googleapi.Error](err); ok && refused.Code == http.StatusNotFound {
			err = nil // which is an answer, too
		}
	case "storage buckets.getIamPolicy":
		_, err = c.buckets.Buckets.GetIamPolicy(call.Resource).OptionsRequestedPolicyVersion(iampolicy.Version).Context(ctx).Do()
	case "pubsub Publisher.ListTopics":
		err = drain(c.topics.ListTopics(ctx, &pubsubpb.ListTopicsRequest{Project: project, PageSize: 1000}).Next)
	case "pubsub IAMPolicy.GetIamPolicy":
		_, err = c.topics.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: project + "/topics/" + call.Resource})
	case "iam IAM.ListServiceAccounts":
		err = drain(c.accounts.ListServiceAccounts(ctx, &adminpb.ListServiceAccountsRequest{Name: project, PageSize: 100}).Next)
	case "iam IAM.GetIamPolicy":
		email := call.Resource + "@" + call.Project + ".iam.gserviceaccount.com"
		_, err = c.accounts.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: project + "/serviceAccounts/" + email})
	case "resourcemanager Projects.GetProject":
		_, err = c.projects.GetProject(ctx, &resourcemanagerpb.GetProjectRequest{Name: project})
	case "resourcemanager Projects.GetIamPolicy":
		_, err = c.projects.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: project})
	default:
		err = fmt.Errorf("the plain client cannot make the call %s", call)
	}
	return err
}

// drain reads a list to its end.
func drain[T any](next func() (T, error)) error {
	for {
		if _, err := next(); err != nil {
			if errors.Is(err, iterator.Done) {
				return nil
			}
			return err
		}
	}
}
