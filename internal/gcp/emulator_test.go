package gcp

import (
	"context"
	"net/http"
	"testing"
	"time"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/storage"

	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/test/emulator"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// TestEmulator classifies what the emulated Google Cloud answers to the real clients.
func TestEmulator(t *testing.T) {
	cloud := emulator.StartTest(t)
	if err := cloud.AddProject("shop", 4711); err != nil {
		t.Fatal(err)
	}
	clients := newClients(t, Options{
		Storage:         insecure(t, cloud.StorageEndpoint()),
		PubSub:          insecure(t, cloud.GRPCAddr()),
		IAM:             insecure(t, cloud.GRPCAddr()),
		ResourceManager: insecure(t, cloud.GRPCAddr()),
		Timeout:         2 * time.Second,
		QuotaShare:      100,
	})
	buckets, err := clients.Storage(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	topics, err := clients.Topics(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	makeBucket := func(ctx context.Context) error { return buckets.Bucket("shop-logs").Create(ctx, "shop", nil) }
	readBucket := func(ctx context.Context) error {
		_, err := buckets.Bucket("shop-logs").Attrs(ctx)
		return err
	}
	makeTopic := func(ctx context.Context) error {
		_, err := topics.CreateTopic(ctx, &pubsubpb.Topic{Name: "projects/shop/topics/orders"})
		return err
	}
	readTopic := func(ctx context.Context) error {
		_, err := topics.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: "projects/shop/topics/orders"})
		return err
	}
	accounts, err := clients.ServiceAccounts(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	makeAccount := func(ctx context.Context) error {
		_, err := accounts.CreateServiceAccount(ctx, &adminpb.CreateServiceAccountRequest{Name: "projects/shop", AccountId: "orders"})
		return err
	}
	readAccount := func(ctx context.Context) error {
		_, err := accounts.GetServiceAccount(ctx, &adminpb.GetServiceAccountRequest{Name: "projects/shop/serviceAccounts/orders@shop.iam.gserviceaccount.com"})
		return err
	}
	projects, err := clients.Projects(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	grant := func(member string, etag []byte) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := projects.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: "projects/shop", Policy: &iampb.Policy{
				Etag: etag, Bindings: []*iampb.Binding{{Role: "roles/pubsub.viewer", Members: []string{member}}},
			}})
			return err
		}
	}
	steps := []struct {
		name  string
		fault traffic.Fault
		call  func(context.Context) error
		want  kind.Class
	}{
		{"no bucket", traffic.Fault{}, readBucket, kind.NotFound},
		{"a bucket, but the reply is lost", traffic.Fault{LoseReply: true}, makeBucket, kind.Unavailable},
		{"the bucket is there", traffic.Fault{}, makeBucket, kind.AlreadyExists},
		{"somebody else changed the bucket", traffic.Fault{}, func(ctx context.Context) error {
			stale := storage.BucketConditions{MetagenerationMatch: 99}
			_, err := buckets.Bucket("shop-logs").If(stale).Update(ctx, storage.BucketAttrsToUpdate{VersioningEnabled: true})
			return err
		}, kind.Conflict},
		{"no such storage class", traffic.Fault{}, func(ctx context.Context) error {
			return buckets.Bucket("shop-cold").Create(ctx, "shop", &storage.BucketAttrs{StorageClass: "LUKEWARM"})
		}, kind.Invalid},
		{"bucket denied", traffic.Fault{Status: http.StatusForbidden}, readBucket, kind.Denied},
		{"storage down", traffic.Fault{Status: http.StatusServiceUnavailable}, readBucket, kind.Unavailable},
		{"storage gone", traffic.Fault{Outage: true}, makeBucket, kind.Unavailable},
		{"an object", traffic.Fault{}, func(context.Context) error {
			return cloud.Storage.PutObject("shop-logs", "today", nil)
		}, ""},
		{"bucket not empty", traffic.Fault{}, func(ctx context.Context) error { return buckets.Bucket("shop-logs").Delete(ctx) }, kind.NotEmpty},

		{"no topic", traffic.Fault{}, readTopic, kind.NotFound},
		{"a topic, but the reply is lost", traffic.Fault{LoseReply: true}, makeTopic, kind.Unavailable},
		{"the topic is there", traffic.Fault{}, makeTopic, kind.AlreadyExists},
		{"no such name", traffic.Fault{}, func(ctx context.Context) error {
			_, err := topics.CreateTopic(ctx, &pubsubpb.Topic{Name: "projects/shop/topics/1"})
			return err
		}, kind.Invalid},
		{"topic denied", traffic.Fault{Status: http.StatusForbidden}, readTopic, kind.Denied},
		{"Pub/Sub down", traffic.Fault{Status: http.StatusServiceUnavailable}, readTopic, kind.Unavailable},
		{"no account", traffic.Fault{}, readAccount, kind.NotFound},
		{"an account, but the reply is lost", traffic.Fault{LoseReply: true}, makeAccount, kind.Unavailable},
		{"the account is there", traffic.Fault{}, makeAccount, kind.AlreadyExists},
		{"account denied", traffic.Fault{Status: http.StatusForbidden}, readAccount, kind.Denied},
		{"IAM down", traffic.Fault{Status: http.StatusServiceUnavailable}, readAccount, kind.Unavailable},
		{"a member who is nobody", traffic.Fault{}, grant("user:nobody@invalid.example", nil), kind.Invalid},
		{"somebody else changed the policy", traffic.Fault{}, grant("user:ann@example.com", []byte("stale")), kind.Conflict},
		{"policy denied", traffic.Fault{Status: http.StatusForbidden}, grant("user:ann@example.com", nil), kind.Denied},
		{"IAM throttles", traffic.Fault{Status: http.StatusTooManyRequests, RetryAfter: 30 * time.Second}, readAccount, kind.Throttled},
		{"and is left alone in what it throttled", traffic.Fault{}, readAccount, kind.Throttled},
		{"but not in writes, which have a quota of their own", traffic.Fault{}, makeAccount, kind.AlreadyExists},

		{"Pub/Sub throttles", traffic.Fault{Status: http.StatusTooManyRequests, RetryAfter: 30 * time.Second}, readTopic, kind.Throttled},
		{"and is left alone", traffic.Fault{}, readTopic, kind.Throttled},
		{"storage throttles", traffic.Fault{Status: http.StatusTooManyRequests, RetryAfter: 30 * time.Second}, readBucket, kind.Throttled},
		{"and is left alone, too", traffic.Fault{}, readBucket, kind.Throttled},
	}
	const reason = "shop/orders@3"
	ctx := WithReason(WithProject(t.Context(), "shop"), reason)
	for _, step := range steps {
		cloud.Traffic.RemoveAll()
		if step.fault != (traffic.Fault{}) {
			cloud.Traffic.Inject(step.fault)
		}
		cloud.Traffic.ResetCounts()
		err := step.call(ctx)
		switch got := Classify(err); {
		case got == nil && step.want != "", got != nil && got.Class != step.want:
			t.Errorf("%s: %v, want %q", step.name, err, step.want)
		case cloud.Traffic.Total() > 1:
			t.Errorf("%s: %d calls", step.name, cloud.Traffic.Total())
		}
	}
	cloud.Traffic.RemoveAll()
	if number, err := clients.ProjectNumber(ctx, "", "shop"); number != 4711 || err != nil {
		t.Errorf("project number %d, %v", number, err)
	}
	calls := cloud.Traffic.Since(0)
	if len(calls) == 0 {
		t.Error("no calls are on record")
	}
	for _, call := range calls {
		if call.Reason != reason {
			t.Errorf("%s gives the reason %q", call.Method, call.Reason)
		}
	}
}
