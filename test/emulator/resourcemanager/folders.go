package resourcemanager

import (
	"context"
	"slices"

	pb "cloud.google.com/go/resourcemanager/apiv3/resourcemanagerpb"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
)

// folders answers what is asked of folders, which is only their lists.
type folders struct {
	pb.UnimplementedFoldersServer
	service *Service
}

// ListFolders returns a page of the folders under a parent: an organization or
// folder that the caller may list.
func (f *folders) ListFolders(_ context.Context, request *pb.ListFoldersRequest) (*pb.ListFoldersResponse, error) {
	if !f.service.listable(request.GetParent()) {
		return nil, denied("resourcemanager.folders.list", request.GetParent())
	}
	var children []*pb.Folder
	for _, folder := range f.service.projects.Folders() {
		if folder.Parent == request.GetParent() && (!folder.Deleted || request.GetShowDeleted()) {
			children = append(children, describeFolder(folder))
		}
	}
	part, next, err := cut(children, request.GetPageSize(), request.GetPageToken(), (*pb.Folder).GetName)
	if err != nil {
		return nil, err
	}
	return &pb.ListFoldersResponse{Folders: part, NextPageToken: next}, nil
}

func describeFolder(folder projects.Folder) *pb.Folder {
	state := pb.Folder_ACTIVE
	if folder.Deleted {
		state = pb.Folder_DELETE_REQUESTED
	}
	return &pb.Folder{Name: folder.Name, Parent: folder.Parent, DisplayName: folder.Name, State: state}
}

// listable says whether the caller may list what is in a parent. Google does
// not say whether one that may not be listed exists.
func (s *Service) listable(parent string) bool {
	return parent == Organization || slices.ContainsFunc(s.projects.Folders(), func(f projects.Folder) bool {
		return f.Name == parent && !f.Foreign
	})
}
