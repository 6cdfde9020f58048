package storage

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// folder is a folder or a managed folder, which have nothing to set but their
// names and the policies of the latter; these are not emulated.
type folder struct {
	Created time.Time `json:"created"`
}

// folderKind is one of the two kinds of folders.
type folderKind struct {
	// resource is how the methods are called and what the path has.
	resource string
	// kind is the one of a folder; that of a list has an s more.
	kind string
	// of returns the folders of this kind that a bucket has.
	of func(*bucket) *map[string]folder
	// check refuses buckets that have none of this kind.
	check func(*bucket) error
	// nested says that a folder has to be in one of the same kind.
	nested bool
}

var (
	folders = folderKind{
		resource: "folders", kind: "storage#folder", nested: true,
		of: func(b *bucket) *map[string]folder { return &b.Folders },
		check: func(b *bucket) error {
			if !flag(b.Config, "hierarchicalNamespace", "enabled") {
				return conflict("The bucket does not support hierarchical namespace.")
			}
			return nil
		},
	}
	managedFolders = folderKind{
		resource: "managedFolders", kind: "storage#managedFolder",
		of: func(b *bucket) *map[string]folder { return &b.ManagedFolders },
		check: func(b *bucket) error {
			if !b.uniform() {
				return failf(http.StatusPreconditionFailed, "conditionNotMet", "Cannot use managed folders in a bucket without uniform bucket-level access.")
			}
			return nil
		},
	}
)

// addFolders makes the folders that an object or a folder is in; they stay when
// it goes.
func (b *bucket) addFolders(name string, now time.Time) {
	if b.Folders == nil {
		b.Folders = map[string]folder{}
	}
	for i, letter := range strings.TrimSuffix(name, "/") {
		if letter != '/' {
			continue
		}
		if _, there := b.Folders[name[:i+1]]; !there {
			b.Folders[name[:i+1]] = folder{now}
		}
	}
}

// open returns the bucket of a request, if it has folders of this kind.
func (k folderKind) open(s *Service, r *request, verb string) (*bucket, error) {
	b, err := s.open(r, k.resource+"."+verb)
	if err != nil {
		return nil, err
	}
	return b, k.check(b)
}

func (k folderKind) list(s *Service, r *request) (*reply, error) {
	b, err := k.open(s, r, "list")
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(*k.of(b)))
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, r.query("prefix")) })
	shown, next, err := page(r, names, func(name string) string { return name })
	if err != nil {
		return nil, err
	}
	answer := document{"kind": k.kind + "s"}
	var items []any
	for _, name := range shown {
		items = append(items, k.render(b, name))
	}
	if items != nil {
		answer["items"] = items
	}
	if next != "" {
		answer["nextPageToken"] = next
	}
	return ok(answer), nil
}

func (k folderKind) render(b *bucket, name string) document {
	created := timestamp((*k.of(b))[name].Created)
	return document{
		"kind": k.kind, "id": b.Name + "/" + name, "bucket": b.Name, "name": name, "metageneration": "1",
		"createTime": created, "updateTime": created,
		"selfLink": b.selfLink() + "/" + k.resource + "/" + url.PathEscape(name),
	}
}

func (k folderKind) get(s *Service, r *request) (*reply, error) {
	b, err := k.open(s, r, "get")
	if err != nil {
		return nil, err
	}
	name := r.PathValue("folder")
	if _, there := (*k.of(b))[name]; !there {
		return nil, folderNotFound()
	}
	return ok(k.render(b, name)), nil
}

func folderNotFound() error {
	return failf(http.StatusNotFound, "notFound", "The folder does not exist.")
}

// insert makes a folder; those that it is in have to be there, unless it is
// said to be recursive.
func (k folderKind) insert(s *Service, r *request) (*reply, error) {
	b, err := k.open(s, r, "insert")
	if err != nil {
		return nil, err
	}
	sent, err := r.document()
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(text(sent, "name"), "/") + "/"
	if err := checkObjectName(name); err != nil || name == "/" {
		return nil, invalidf("Invalid folder name: '%s'", text(sent, "name"))
	}
	all := k.of(b)
	if _, there := (*all)[name]; there {
		return nil, conflict("The folder you tried to create already exists.")
	}
	if k.nested {
		parent := name[:strings.LastIndex(strings.TrimSuffix(name, "/"), "/")+1]
		if _, there := (*all)[parent]; parent != "" && !there && !r.queryFlag("recursive") {
			return nil, folderNotFound()
		}
		b.addFolders(name, r.now)
	}
	if *all == nil {
		*all = map[string]folder{}
	}
	(*all)[name] = folder{r.now}
	return ok(k.render(b, name)), nil
}

// delete removes a folder with nothing in it, and a managed one also with
// something in it if the request says so. With a folder goes the managed one
// of its name.
func (k folderKind) delete(s *Service, r *request) (*reply, error) {
	b, err := k.open(s, r, "delete")
	if err != nil {
		return nil, err
	}
	name, all := r.PathValue("folder"), *k.of(b)
	if _, there := all[name]; !there {
		return nil, folderNotFound()
	}
	if err := r.checkCondition("ifMetageneration", 1); err != nil {
		return nil, err
	}
	inside := func(other string) bool { return other != name && strings.HasPrefix(other, name) }
	full := b.hasObjects(name) || slices.ContainsFunc(slices.Collect(maps.Keys(all)), inside)
	if full && (k.nested || !r.queryFlag("allowNonEmpty")) {
		return nil, conflict("The folder you tried to delete is not empty.")
	}
	delete(all, name)
	if k.nested {
		delete(b.ManagedFolders, name)
	}
	return noContent(), nil
}
