package asset

import (
	"context"
	"encoding/base64"
	"regexp"
	"slices"

	pb "cloud.google.com/go/asset/apiv1/assetpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// Page sizes: what a list returns if it is not told, and the largest.
const (
	defaultPage = 100
	maxPage     = 1000
)

// Types are the asset types that there are.
var Types = []string{
	projectType, "iam.googleapis.com/ServiceAccount", "pubsub.googleapis.com/Topic", "storage.googleapis.com/Bucket",
}

// ListAssets returns a page of the assets in a scope, ordered by name: their
// data, or the policies of those that have one, or nothing but names.
func (s *Service) ListAssets(ctx context.Context, request *pb.ListAssetsRequest) (*pb.ListAssetsResponse, error) {
	content := request.GetContentType()
	permission, known := permissions[content]
	if !known || request.GetReadTime() != nil {
		return nil, status.Error(codes.Unimplemented, "The emulator lists resources and IAM policies, and those of the present only.")
	}
	within, err := s.scope(ctx, request.GetParent(), permission)
	if err != nil {
		return nil, err
	}
	wanted, err := typesOf(request.GetAssetTypes())
	if err != nil {
		return nil, err
	}
	size := int(request.GetPageSize())
	if size < 0 || size > maxPage {
		return nil, invalid("Invalid page size %d: want 1 to %d.", size, maxPage)
	}
	if size == 0 {
		size = defaultPage
	}
	last, err := base64.RawURLEncoding.DecodeString(request.GetPageToken())
	if err != nil {
		return nil, invalid("Invalid page token.")
	}
	seen := s.view()
	page := seen.page(string(last), size+1, content, within, wanted) // one more, which tells whether there is another page
	response := &pb.ListAssetsResponse{ReadTime: timestamppb.New(seen.taken), Assets: page}
	if len(page) > size {
		response.Assets = page[:size]
		response.NextPageToken = base64.RawURLEncoding.EncodeToString([]byte(page[size-1].GetName()))
	}
	return response, nil
}

// page returns so many assets at most that come after a name.
func (v view) page(after string, size int, content pb.ContentType, within func(projects.Project) bool, wanted []string) []*pb.Asset {
	var page []*pb.Asset
	for _, e := range v.assets {
		if e.name <= after || !slices.Contains(wanted, e.kind) || !within(e.project) {
			continue
		}
		if shown := reduced(e.show(), content); shown != nil {
			if page = append(page, shown); len(page) == size {
				break
			}
		}
	}
	return page
}

// reduced leaves the content that was asked for; nil if there is none.
func reduced(a *pb.Asset, content pb.ContentType) *pb.Asset {
	if a == nil {
		return nil
	}
	policy := a.GetIamPolicy()
	if content != pb.ContentType_IAM_POLICY {
		a.IamPolicy = nil
	}
	if content != pb.ContentType_RESOURCE {
		a.Resource = nil
	}
	if content == pb.ContentType_IAM_POLICY && len(policy.GetBindings()) == 0 && len(policy.GetAuditConfigs()) == 0 {
		return nil
	}
	return a
}

// typesOf returns the types that any of the patterns fits, all if there is no
// pattern.
func typesOf(patterns []string) ([]string, error) {
	if len(patterns) == 0 {
		return Types, nil
	}
	var wanted []string
	for _, pattern := range patterns {
		expression, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			return nil, invalid("Invalid asset type %q.", pattern)
		}
		fits := slices.DeleteFunc(slices.Clone(Types), func(name string) bool { return !expression.MatchString(name) })
		if len(fits) == 0 {
			return nil, invalid("No supported asset type matches: %s.", pattern)
		}
		wanted = append(wanted, fits...)
	}
	return wanted, nil
}
