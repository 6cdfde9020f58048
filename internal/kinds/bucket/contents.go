package bucket

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/api/googleapi"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/gcp"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// Contents implements kind.Emptier: all generations of objects; folders, where there is a hierarchy; and what hardly any bucket has. What is
// soft-deleted does not keep a bucket from being deleted.
func (k *Kind) Contents(ref kind.Ref, live *Live) []kind.Contents {
	c := contents{k.clients, ref, live}
	objects := func(p *v1alpha1.DeletionProgress) *int64 { return &p.ObjectsDeleted }
	folders := func(p *v1alpha1.DeletionProgress) *int64 { return &p.FoldersDeleted }
	all := []kind.Contents{{Name: "object generations", Deleted: objects, List: c.list("objects", c.objects)}}
	if live.HierarchicalNamespace.Enabled {
		all = append(all, kind.Contents{Name: "folders", Deleted: folders, List: c.list("folders", c.folders)})
	}
	if live.IAMConfiguration.UniformBucketLevelAccess.Enabled { // without it there are none
		all = append(all, kind.Contents{Name: "managed folders", Rare: true, Deleted: folders, List: c.list("managed folders", c.managedFolders)})
	}
	return append(all, kind.Contents{Name: "Anywhere Caches", Rare: true, List: c.list("Anywhere Caches", c.caches)})
}

// contents are those of a bucket.
type contents struct {
	clients Clients
	ref     kind.Ref
	live    *Live
}

// page is a call that lists a page.
type page func(ctx context.Context, service *gcp.StorageService, token string) (pieces []kind.Piece, next string, err error)

// call is a call that does away with a piece.
type call func(ctx context.Context, service *gcp.StorageService) error

// list lists pages of something in the bucket. In a bucket that is gone there is nothing.
func (c contents) list(what string, list page) func(context.Context, string) ([]kind.Piece, string, error) {
	return func(ctx context.Context, token string) (pieces []kind.Piece, next string, err error) {
		service, err := c.clients.StorageService(ctx, c.ref.Impersonate)
		if err == nil {
			pieces, next, err = list(ctx, service, token)
		}
		if err != nil && !gcp.IsNotFound(err) {
			return nil, "", fmt.Errorf("listing the %s of bucket %q: %w", what, c.ref.ID, err)
		}
		return pieces, next, nil
	}
}

// remove does away with a piece. One that is gone already is no error.
func (c contents) remove(doing string, remove call) func(context.Context) error {
	return func(ctx context.Context) error {
		service, err := c.clients.StorageService(ctx, c.ref.Impersonate)
		if err == nil {
			err = remove(ctx, service)
		}
		if err != nil && !gcp.IsNotFound(err) {
			return fmt.Errorf("%s of bucket %q: %w", doing, c.ref.ID, err)
		}
		return nil
	}
}

// objectFields are those that are read of objects: a thousand have half a megabyte besides.
const objectFields googleapi.Field = "nextPageToken,items(name,generation,temporaryHold,eventBasedHold,retentionExpirationTime,retention)"

// objects lists object generations, live and noncurrent.
func (c contents) objects(ctx context.Context, service *gcp.StorageService, token string) (pieces []kind.Piece, next string, err error) {
	list, err := service.Objects.List(c.ref.ID).Versions(true).Projection("noAcl").MaxResults(pageSize).PageToken(token).Fields(objectFields).
		Context(ctx).Do()
	if err != nil {
		return nil, "", err
	}
	for _, object := range list.Items {
		name, generation := object.Name, object.Generation
		remove := func(ctx context.Context, service *gcp.StorageService) error {
			return service.Objects.Delete(c.ref.ID, name).Generation(generation).Context(ctx).Do()
		}
		pieces = append(pieces, kind.Piece{
			Name: fmt.Sprintf("%s#%d", name, generation), Kept: c.keeps(object),
			Delete: c.remove(fmt.Sprintf("deleting generation %d of object %q", generation, name), remove),
		})
	}
	return pieces, list.NextPageToken, nil
}

// folders lists the folders of a bucket with a hierarchy. With each goes the managed folder of its name.
func (c contents) folders(ctx context.Context, service *gcp.StorageService, token string) (pieces []kind.Piece, next string, err error) {
	list, err := service.Folders.List(c.ref.ID).PageSize(pageSize).PageToken(token).Context(ctx).Do()
	if err != nil {
		return nil, "", err
	}
	for _, folder := range list.Items {
		pieces = append(pieces, c.folder("folder", folder.Name, func(ctx context.Context, service *gcp.StorageService) error {
			return service.Folders.Delete(c.ref.ID, folder.Name).IfMetagenerationMatch(folder.Metageneration).Context(ctx).Do()
		}))
	}
	return pieces, list.NextPageToken, nil
}

// managedFolders lists the managed folders of a bucket.
func (c contents) managedFolders(ctx context.Context, service *gcp.StorageService, token string) (pieces []kind.Piece, next string, err error) {
	list, err := service.ManagedFolders.List(c.ref.ID).PageSize(pageSize).PageToken(token).Context(ctx).Do()
	if err != nil {
		return nil, "", err
	}
	for _, managed := range list.Items {
		remove := func(ctx context.Context, service *gcp.StorageService) error {
			return service.ManagedFolders.Delete(c.ref.ID, managed.Name).IfMetagenerationMatch(managed.Metageneration).Context(ctx).Do()
		}
		pieces = append(pieces, c.folder("managed folder", managed.Name, remove))
	}
	return pieces, list.NextPageToken, nil
}

// folder is a folder of either sort, whose name ends in a slash and has one after each folder that it is in.
func (c contents) folder(what, name string, remove call) kind.Piece {
	return kind.Piece{Name: name, Depth: strings.Count(name, "/"), Delete: c.remove(fmt.Sprintf("deleting %s %q", what, name), remove)}
}

// caches lists the Anywhere Caches of a bucket. They are not deleted but disabled, and stay for a while.
func (c contents) caches(ctx context.Context, service *gcp.StorageService, token string) (pieces []kind.Piece, next string, err error) {
	list, err := service.AnywhereCaches.List(c.ref.ID).PageSize(pageSize).PageToken(token).Context(ctx).Do()
	if err != nil {
		return nil, "", err
	}
	for _, cache := range list.Items {
		id := cache.AnywhereCacheId
		disable := func(ctx context.Context, service *gcp.StorageService) error {
			_, err := service.AnywhereCaches.Disable(c.ref.ID, id).Context(ctx).Do()
			return err
		}
		pieces = append(pieces, kind.Piece{Name: id, Kept: leaving(cache), Delete: c.remove(fmt.Sprintf("disabling Anywhere Cache %q", id), disable)})
	}
	return pieces, list.NextPageToken, nil
}
