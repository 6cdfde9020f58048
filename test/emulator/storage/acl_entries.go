package storage

import (
	"net/http"
	"slices"
)

// accessList is one of the two lists of a bucket whose entries have calls of
// their own.
type accessList struct {
	// field is where the bucket has the list.
	field string
	// resource is how the methods of the list are called.
	resource string
	// kind is the one of the list; that of an entry lacks the s.
	kind string
	// render returns all entries as the API shows them.
	render func(*bucket) []any
}

var (
	bucketACL = accessList{
		"acl", "bucketAccessControls", "storage#bucketAccessControls", (*bucket).renderACL,
	}
	defaultObjectACL = accessList{
		"defaultObjectAcl", "defaultObjectAccessControls", "storage#objectAccessControls", (*bucket).renderDefaultObjectACL,
	}
)

// open returns the bucket of a request to read its list, which it does not
// have where access is uniform.
func (l accessList) open(s *Service, r *request, verb string) (*bucket, error) {
	b, err := s.open(r, l.resource+"."+verb)
	if err != nil {
		return nil, err
	}
	if b.uniform() {
		return nil, invalidf("Cannot get legacy ACL for a bucket that has uniform bucket-level access. Read more at https://cloud.google.com/storage/docs/uniform-bucket-level-access")
	}
	return b, nil
}

func (l accessList) list(s *Service, r *request) (*reply, error) {
	b, err := l.open(s, r, "list")
	if err != nil {
		return nil, err
	}
	return ok(document{"kind": l.kind, "items": l.render(b)}), nil
}

func (l accessList) get(s *Service, r *request) (*reply, error) {
	b, err := l.open(s, r, "get")
	if err != nil {
		return nil, err
	}
	return l.shown(b, r.PathValue("entity"))
}

// shown answers with the entry of an entity.
func (l accessList) shown(b *bucket, entity string) (*reply, error) {
	entries := l.render(b)
	i := indexEntity(entries, entity)
	if i < 0 {
		return nil, entryNotFound()
	}
	return ok(entries[i].(document)), nil
}

func indexEntity(entries []any, entity string) int {
	return slices.IndexFunc(entries, func(item any) bool { return text(item.(document), "entity") == entity })
}

func entryNotFound() error {
	return failf(http.StatusNotFound, "notFound", "The specified key does not exist.")
}

func (l accessList) insert(s *Service, r *request) (*reply, error) {
	sent, err := r.document()
	if err != nil {
		return nil, err
	}
	entity := text(sent, "entity")
	err = l.write(s, r, "insert", func(entries []any) ([]any, error) {
		entry, err := newEntry(sent, l.field)
		if err != nil {
			return nil, err
		}
		if i := indexEntity(entries, entity); i >= 0 {
			entries[i] = entry
			return entries, nil
		}
		return append(entries, entry), nil
	})
	if err != nil {
		return nil, err
	}
	return l.shown(s.buckets[r.PathValue("bucket")], entity)
}

func (l accessList) update(s *Service, r *request) (*reply, error) { return l.replace(s, r, "update") }

// patch is like update: an entry has nothing to set but its role.
func (l accessList) patch(s *Service, r *request) (*reply, error) { return l.replace(s, r, "patch") }

func (l accessList) replace(s *Service, r *request, verb string) (*reply, error) {
	sent, err := r.document()
	if err != nil {
		return nil, err
	}
	entity := r.PathValue("entity")
	if named := text(sent, "entity"); named != "" && named != entity {
		return nil, disagreement(named, entity)
	}
	err = l.write(s, r, verb, func(entries []any) ([]any, error) {
		i := indexEntity(entries, entity)
		if i < 0 {
			return nil, entryNotFound()
		}
		var err error
		entries[i], err = newEntry(merge(entries[i].(document), sent), l.field)
		return entries, err
	})
	if err != nil {
		return nil, err
	}
	return l.shown(s.buckets[r.PathValue("bucket")], entity)
}

func (l accessList) delete(s *Service, r *request) (*reply, error) {
	err := l.write(s, r, "delete", func(entries []any) ([]any, error) {
		i := indexEntity(entries, r.PathValue("entity"))
		if i < 0 {
			return nil, entryNotFound()
		}
		return slices.Delete(entries, i, i+1), nil
	})
	if err != nil {
		return nil, err
	}
	return noContent(), nil
}

// write puts an edited list in the place of a bucket's, which is a change to
// the bucket like any other.
func (l accessList) write(s *Service, r *request, verb string, edit func([]any) ([]any, error)) error {
	b, err := s.open(r, l.resource+"."+verb)
	if err != nil {
		return err
	}
	if b.uniform() {
		return writeUnderUniformAccess()
	}
	entries, err := edit(slices.Clone(b.accessList(l.field)))
	if err != nil {
		return err
	}
	if err := checkPublic(b.Config, entries); err != nil {
		return err
	}
	if err := s.limitUpdate(r, b); err != nil {
		return err
	}
	b.store(merge(b.Config, document{l.field: entries}), r.now)
	return nil
}
