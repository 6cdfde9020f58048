package gcp

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

// call is one call to Google Cloud, as far as limits and metrics are concerned.
type call struct {
	service kind.Service
	// method is its name in kind.Method.
	method string
	// unnamed is what is called, where method is not its name.
	unnamed string
	// account is whom the call is made as, by e-mail; empty for the manager.
	account string
	// project and bucket are those of the resource. Empty if they are unknown.
	project, bucket string
}

// title is the method for people.
func (c call) title() string { return cmp.Or(c.unnamed, c.method) }

// scopes are what a call of a declared method counts against, the widest first. Calls about unknown projects count together.
func (c call) scopes(declared kind.Method) []scope {
	q, _ := quotaOf(declared)
	project := scope{kind.ScopeProject, c.service, q, c.project}
	switch declared.Scope {
	case kind.ScopeProject:
		return []scope{project}
	case kind.ScopeBucket:
		return []scope{project, {kind.ScopeBucket, c.service, bucketUpdates, c.bucket}}
	case kind.ScopeContents:
		return []scope{{kind.ScopeContents, c.service, q, c.bucket}}
	case kind.ScopeQuotaProject:
		return []scope{{kind.ScopeQuotaProject, c.service, q, quotaProject(c.account)}}
	default:
		return nil
	}
}

// quotaProject is the project that a service account belongs to, as its e-mail (name@PROJECT.iam.gserviceaccount.com) tells.
// The manager's is unknown, and empty.
func quotaProject(account string) string {
	_, domain, _ := strings.Cut(account, "@")
	project, _, _ := strings.Cut(domain, ".")
	return project
}

// scope is what a limit is for: a quota of a service, in a project, in the quota project of credentials, or of a bucket.
type scope struct {
	of      kind.Scope
	service kind.Service
	quota   quota
	name    string
}

// String is "iam writes for quota project p".
func (s scope) String() string {
	what := fmt.Sprintf("%s %s", s.service, s.quota.name)
	switch {
	case s.name != "":
		return fmt.Sprintf("%s for %s %s", what, s.of, s.name)
	case s.of == kind.ScopeQuotaProject:
		return what + " for the quota project of Holdfast's own credentials"
	default:
		return fmt.Sprintf("%s for an unknown %s", what, s.of)
	}
}

type projectKey struct{}

// WithProject says which project's resources the calls made with the context are about. Cloud Storage's quotas are the
// project's, but most of its calls name only the bucket. Where the requesters of a bucket pay, the project does.
func WithProject(ctx context.Context, projectID string) context.Context {
	return context.WithValue(ctx, projectKey{}, projectID)
}

func projectFrom(ctx context.Context) string {
	project, _ := ctx.Value(projectKey{}).(string)
	return project
}

type namespaceKey struct{}

// WithNamespace says on behalf of which namespace calls are made with the context: what Google grants to all is shared among them.
func WithNamespace(ctx context.Context, namespace string) context.Context {
	return context.WithValue(ctx, namespaceKey{}, namespace)
}

func namespaceFrom(ctx context.Context) string {
	namespace, _ := ctx.Value(namespaceKey{}).(string)
	return namespace
}

type editorKey struct{}

// WithEditor says whose edit calls are made for with the context, see fair.Tenant.
func WithEditor(ctx context.Context, editor string) context.Context {
	return context.WithValue(ctx, editorKey{}, editor)
}

func editorFrom(ctx context.Context) string {
	editor, _ := ctx.Value(editorKey{}).(string)
	return editor
}

// rpcCall reads a call to a gRPC API, given the method's full name.
func rpcCall(ctx context.Context, service kind.Service, method, account string) call {
	_, rest, _ := strings.Cut(routedTo(ctx), "projects/")
	project, _, _ := strings.Cut(rest, "/")
	return call{service: service, method: rpcMethod(method), account: account, project: cmp.Or(project, projectFrom(ctx))}
}

// rpcMethod shortens /google.pubsub.v1.Publisher/GetTopic to Publisher.GetTopic.
func rpcMethod(full string) string {
	service, method, _ := strings.Cut(strings.TrimPrefix(full, "/"), "/")
	return service[strings.LastIndex(service, ".")+1:] + "." + method
}

// routedTo is the resource that a gRPC call is about: projects/p/topics/t. The client libraries send its name along as a
// header, for routing: topic=projects%2Fp%2Ftopics%2Ft. Empty if there is none in a project.
func routedTo(ctx context.Context) string {
	outgoing, _ := metadata.FromOutgoingContext(ctx)
	for _, header := range outgoing.Get("x-goog-request-params") {
		params, err := url.ParseQuery(header)
		if err != nil {
			continue
		}
		for _, values := range params {
			for _, value := range values {
				if strings.HasPrefix(value, "projects/") {
					return value
				}
			}
		}
	}
	return ""
}

// storageMethods name the calls of Cloud Storage's JSON API that our clients make, by verb and shape of the path.
// https://cloud.google.com/storage/docs/json_api/v1
var storageMethods = map[string]string{
	"GET b":                        "buckets.list",
	"POST b":                       "buckets.insert",
	"GET b/*":                      "buckets.get",
	"PATCH b/*":                    "buckets.patch",
	"DELETE b/*":                   "buckets.delete",
	"POST b/*/lockRetentionPolicy": "buckets.lockRetentionPolicy",
	"GET b/*/iam":                  "buckets.getIamPolicy",
	"PUT b/*/iam":                  "buckets.setIamPolicy",
	"GET b/*/o":                    "objects.list",
	"GET b/*/o/*":                  "objects.get",
	"PATCH b/*/o/*":                "objects.patch",
	"DELETE b/*/o/*":               "objects.delete",

	"GET b/*/folders":                   "folders.list",
	"DELETE b/*/folders/*":              "folders.delete",
	"GET b/*/managedFolders":            "managedFolders.list",
	"DELETE b/*/managedFolders/*":       "managedFolders.delete",
	"GET b/*/anywhereCaches":            "anywhereCaches.list",
	"POST b/*/anywhereCaches/*/disable": "anywhereCaches.disable",
}

// storageCall reads a request to Cloud Storage's JSON API whose root is at the path.
func storageCall(req *http.Request, root, account string) call {
	c := call{
		service: kind.ServiceStorage, account: account,
		project: cmp.Or(projectFrom(req.Context()), req.URL.Query().Get("project")),
	}
	segments := strings.Split(strings.TrimPrefix(req.URL.EscapedPath(), root), "/")
	if len(segments) > 1 && segments[0] == "b" {
		c.bucket = segments[1]
	}
	// The names of actions are where those of collections are; only names of resources are replaced.
	for i := 1; i < len(segments); i += 2 {
		segments[i] = "*"
	}
	shape := req.Method + " " + strings.Join(segments, "/")
	method, ok := storageMethods[shape]
	if !ok {
		c.method, c.unnamed = "other", shape
		return c
	}
	c.method = method
	return c
}
