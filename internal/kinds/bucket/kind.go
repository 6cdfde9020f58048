package bucket

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Clients are those of Cloud Storage that act as a service account, given its e-mail; empty for the manager's own credentials.
type Clients interface {
	StorageService(ctx context.Context, impersonate string) (*gcp.StorageService, error)
}

var _ Clients = (*gcp.Clients)(nil)

// Kind is the kind Bucket.
type Kind struct {
	clients Clients
}

var (
	_ kind.Fielded[*v1alpha1.Bucket, *Live] = (*Kind)(nil)
	_ kind.Emptier[*Live]                   = (*Kind)(nil)
	_ kind.Referable[*v1alpha1.Bucket]      = (*Kind)(nil)
	_ kind.Naming[*v1alpha1.Bucket]         = (*Kind)(nil)
)

// New returns the kind Bucket, reaching Google Cloud through clients.
func New(clients Clients) *Kind {
	return &Kind{clients: clients}
}

// Traits implements kind.Fielded.
func (k *Kind) Traits() kind.Traits {
	return kind.Traits{
		Kind: "Bucket", Plural: "buckets", Name: "bucket", Methods: methods, FieldTraits: fields, Labels: true, Numbered: true,
		AssetType: "storage.googleapis.com/Bucket", ConsolePath: "storage/browser/{id}?project={project}",
		NotEmpty: ". What counts are all generations of objects, noncurrent ones too, folders, managed folders and Anywhere Caches; " +
			"soft-deleted objects do not count",
	}
}

// New implements kind.Fielded.
func (k *Kind) New() *v1alpha1.Bucket { return &v1alpha1.Bucket{} }

// ExternalName implements kind.Fielded. Bucket names are global: the project is no part of it.
func (k *Kind) ExternalName(ref kind.Ref) string {
	return "//storage.googleapis.com/" + ref.ID
}

// Referent is the bucket's name.
func (k *Kind) Referent(obj *v1alpha1.Bucket) string {
	return strings.TrimPrefix(obj.Status.URL, "gs://")
}

// Names are the bucket that usage logs are written to.
func (k *Kind) Names(obj *v1alpha1.Bucket) []kind.Name {
	if logging := obj.Spec.Logging; logging != nil && logging.LogBucket != "" {
		return []kind.Name{{Kind: "Bucket", Referent: logging.LogBucket}}
	}
	return nil
}

// Identify implements kind.Fielded. A name can change hands, even between projects; the time of creation tells.
func (k *Kind) Identify(live *Live) kind.Identity {
	return kind.Identity{
		UID:           fmt.Sprintf("%d/%s", live.ProjectNumber, live.TimeCreated.UTC().Format(time.RFC3339Nano)),
		ProjectNumber: live.ProjectNumber,
		Labels:        live.Labels,
	}
}

// Observe implements kind.Fielded.
func (k *Kind) Observe(ctx context.Context, ref kind.Ref) (*Live, error) {
	live, err := k.call(ctx, ref, http.MethodGet, pathOf(ref), withoutACL(), nil)
	if err != nil {
		return nil, fmt.Errorf("getting bucket %q: %w", ref.ID, err)
	}
	return live, nil
}

// call makes a call that is answered with the bucket.
func (k *Kind) call(ctx context.Context, ref kind.Ref, method, path string, query url.Values, body any) (*Live, error) {
	service, err := k.clients.StorageService(ctx, ref.Impersonate)
	if err != nil {
		return nil, err
	}
	live := &Live{}
	if err := service.Call(ctx, method, path, query, body, live); err != nil {
		return nil, err
	}
	return live, nil
}

func pathOf(ref kind.Ref) string { return "b/" + url.PathEscape(ref.ID) }

// withoutACL asks for buckets without their access control lists, for which Google would want one more permission.
func withoutACL() url.Values { return url.Values{"projection": {"noAcl"}} }

// unchanged is the precondition that nobody has changed the bucket since it was read.
func unchanged(query url.Values, live *Live) url.Values {
	query.Set("ifMetagenerationMatch", strconv.FormatInt(live.Metageneration, 10))
	return query
}
