package gcp

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/grpc/metadata"
)

type projectKey struct{}

// WithProject sets the project of the resources that calls with the context are about. Cloud Storage's quotas are per project, but
// most of its calls name only the bucket.
func WithProject(ctx context.Context, projectID string) context.Context {
	return context.WithValue(ctx, projectKey{}, projectID)
}

func projectFrom(ctx context.Context) string {
	project, _ := ctx.Value(projectKey{}).(string)
	return project
}

// storageScopes are what a call to Cloud Storage counts against, the project first.
func storageScopes(req *http.Request, call storageCall) []scope {
	var scopes []scope
	project := projectFrom(req.Context())
	if project == "" {
		project = req.URL.Query().Get("project")
	}
	if project != "" {
		scopes = append(scopes, scope{scopeProject, serviceStorage, project})
	}
	if call.updatesBucket() {
		scopes = append(scopes, scope{scopeBucket, serviceStorage, call.bucket})
	}
	return scopes
}

// pubsubScopes are what a call to Pub/Sub counts against.
func pubsubScopes(ctx context.Context) []scope {
	rest, ok := strings.CutPrefix(routedTo(ctx), "projects/")
	if !ok {
		return nil
	}
	project, _, _ := strings.Cut(rest, "/")
	return []scope{{scopeProject, servicePubSub, project}}
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

// quotaScopes are what a call to IAM or Resource Manager counts against: the project of the service account that makes it, which is
// part of its e-mail (name@PROJECT.iam.gserviceaccount.com).
func quotaScopes(service, account string) func(context.Context) []scope {
	name := "of the manager"
	if _, domain, ok := strings.Cut(account, "@"); ok {
		name, _, _ = strings.Cut(domain, ".")
	}
	scopes := []scope{{scopeQuotaProject, service, name}}
	return func(context.Context) []scope { return scopes }
}
