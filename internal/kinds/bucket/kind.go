package bucket

import (
	"context"
	"fmt"
	"time"

	"cloud.google.com/go/storage"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Clients returns the client that acts as a service account, given its e-mail; empty for the manager's own credentials.
type Clients func(ctx context.Context, impersonate string) (*storage.Client, error)

// Kind is the kind Bucket.
type Kind struct {
	clients Clients
}

var (
	_ kind.Fielded[*v1alpha1.Bucket, *storage.BucketAttrs] = (*Kind)(nil)
	_ kind.Emptier[*storage.BucketAttrs]                   = (*Kind)(nil)
)

// New returns the kind Bucket, reaching Google Cloud through clients.
func New(clients Clients) *Kind {
	return &Kind{clients: clients}
}

// Traits implements kind.Fielded.
func (k *Kind) Traits() kind.Traits {
	return kind.Traits{Kind: "Bucket", Plural: "buckets", Name: "bucket", Fields: fields, Labels: true}
}

// New implements kind.Fielded.
func (k *Kind) New() *v1alpha1.Bucket { return &v1alpha1.Bucket{} }

// ExternalName implements kind.Fielded. Bucket names are global: the project is no part of it.
func (k *Kind) ExternalName(ref kind.Ref) string {
	return "//storage.googleapis.com/" + ref.ID
}

// Identify implements kind.Fielded. A name can change hands, even between projects; the time of creation tells.
func (k *Kind) Identify(live *storage.BucketAttrs) kind.Identity {
	return kind.Identity{
		UID:           fmt.Sprintf("%d/%s", live.ProjectNumber, live.Created.UTC().Format(time.RFC3339Nano)),
		ProjectNumber: live.ProjectNumber,
		Labels:        live.Labels,
	}
}

// Observe implements kind.Fielded.
func (k *Kind) Observe(ctx context.Context, ref kind.Ref) (*storage.BucketAttrs, error) {
	bucket, err := k.handle(ctx, ref)
	if err != nil {
		return nil, err
	}
	return observe(ctx, ref, bucket)
}

func observe(ctx context.Context, ref kind.Ref, bucket *storage.BucketHandle) (*storage.BucketAttrs, error) {
	live, err := bucket.Attrs(ctx)
	if err != nil {
		return nil, fmt.Errorf("getting bucket %q: %w", ref.ID, err)
	}
	return live, nil
}

// handle is the bucket for the client library, which is told not to retry.
func (k *Kind) handle(ctx context.Context, ref kind.Ref) (*storage.BucketHandle, error) {
	client, err := k.clients(ctx, ref.Impersonate)
	if err != nil {
		return nil, err
	}
	return client.Bucket(ref.ID).Retryer(storage.WithPolicy(storage.RetryNever)), nil
}

// unchanged is the precondition that nobody has changed the bucket since it was read.
func unchanged(live *storage.BucketAttrs) storage.BucketConditions {
	return storage.BucketConditions{MetagenerationMatch: live.MetaGeneration}
}
