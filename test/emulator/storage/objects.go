package storage

import (
	"slices"
	"strings"
	"time"
)

// openObject returns the generation of an object that a request is about.
func (s *Service) openObject(r *request, method string) (*bucket, *storedObject, error) {
	b, err := s.open(r, method)
	if err != nil {
		return nil, nil, err
	}
	generation, _, err := r.queryInt("generation")
	if err != nil {
		return nil, nil, err
	}
	name := r.PathValue("object")
	o := b.generation(name, generation)
	if r.queryFlag("softDeleted") {
		o = b.find(name, func(o *storedObject) bool { return o.Generation == generation && o.softDeleted() })
	}
	if o == nil {
		return nil, nil, objectNotFound(b.Name, name)
	}
	if err := r.checkObjectConditions(o); err != nil {
		return nil, nil, err
	}
	return b, o, nil
}

func (r *request) checkObjectConditions(o *storedObject) error {
	if err := r.checkCondition("ifGeneration", o.Generation); err != nil {
		return err
	}
	return r.checkCondition("ifMetageneration", o.Metageneration)
}

func (s *Service) getObject(r *request) (*reply, error) {
	b, o, err := s.openObject(r, "objects.get")
	if err != nil {
		return nil, err
	}
	if r.query("alt") == "media" {
		return media(o), nil
	}
	return ok(b.renderObject(o, r.full(false))), nil
}

// listEntry is one line of a list: an object, or the prefix that several
// objects have in common up to the delimiter.
type listEntry struct {
	position string
	object   *storedObject
	prefix   string
}

func (s *Service) listObjects(r *request) (*reply, error) {
	b, err := s.open(r, "objects.list")
	if err != nil {
		return nil, err
	}
	entries := b.entries(r)
	shown, next, err := page(r, entries, func(e listEntry) string { return e.position })
	if err != nil {
		return nil, err
	}
	var items, prefixes []any
	for _, e := range shown {
		if e.object == nil {
			prefixes = append(prefixes, e.prefix)
		} else {
			items = append(items, b.renderObject(e.object, r.full(false)))
		}
	}
	answer := document{"kind": "storage#objects"}
	if items != nil {
		answer["items"] = items
	}
	if prefixes != nil {
		answer["prefixes"] = prefixes
	}
	if next != "" {
		answer["nextPageToken"] = next
	}
	return ok(answer), nil
}

// entries returns all that a list request asks for, sorted.
func (b *bucket) entries(r *request) []listEntry {
	prefix, delimiter := r.query("prefix"), r.query("delimiter")
	start, end := r.query("startOffset"), r.query("endOffset")
	versions, softDeleted, trailing := r.queryFlag("versions"), r.queryFlag("softDeleted"), r.queryFlag("includeTrailingDelimiter")
	seen := map[string]bool{}
	var entries []listEntry
	for name, generations := range b.Objects {
		if !strings.HasPrefix(name, prefix) || name < start || (end != "" && name >= end) {
			continue
		}
		visible := visibleGenerations(generations, versions, softDeleted)
		common, folded := fold(name, prefix, delimiter)
		if folded && len(visible) > 0 && !seen[common] {
			seen[common] = true
			entries = append(entries, listEntry{position: common, prefix: common})
		}
		if folded && !(trailing && common == name) {
			continue
		}
		for _, o := range visible {
			entries = append(entries, listEntry{position: name + "\x00" + decimal(o.Generation), object: o})
		}
	}
	slices.SortFunc(entries, func(a, b listEntry) int { return strings.Compare(a.position, b.position) })
	return entries
}

// fold returns the beginning of a name up to and with the first delimiter
// after the prefix, and whether there is one.
func fold(name, prefix, delimiter string) (string, bool) {
	if delimiter == "" {
		return "", false
	}
	i := strings.Index(name[len(prefix):], delimiter)
	if i < 0 {
		return "", false
	}
	return name[:len(prefix)+i+len(delimiter)], true
}

func visibleGenerations(generations []*storedObject, versions, softDeleted bool) []*storedObject {
	var visible []*storedObject
	for _, o := range generations {
		if softDeleted == o.softDeleted() && (o.live() || versions || softDeleted) {
			visible = append(visible, o)
		}
	}
	return visible
}

func (s *Service) patchObject(r *request) (*reply, error) {
	return s.writeObject(r, "objects.patch", merge)
}

func (s *Service) updateObject(r *request) (*reply, error) {
	return s.writeObject(r, "objects.update", func(old, request document) document {
		next := merge(document{}, request)
		for _, fixed := range []string{"contentType", "storageClass", "kmsKeyName"} {
			if _, given := next[fixed]; !given && old[fixed] != nil {
				next[fixed] = old[fixed]
			}
		}
		return next
	})
}

func (s *Service) writeObject(r *request, method string, decide func(old, request document) document) (*reply, error) {
	b, o, err := s.openObject(r, method)
	if err != nil {
		return nil, err
	}
	sent, err := r.document()
	if err != nil {
		return nil, err
	}
	resource, err := normalize(sent, objectType)
	if err != nil {
		return nil, err
	}
	next := decide(o.Metadata, withoutObjectOutputs(resource))
	if err := b.checkObjectRetention(o, next, r.queryFlag("overrideUnlockedRetention")); err != nil {
		return nil, err
	}
	o.Metadata = tidyObject(next)
	o.Metageneration++
	o.Updated = r.now
	return ok(b.renderObject(o, r.full(true))), nil
}

// objectOutputs are the fields of an object that cannot be set.
var objectOutputs = []string{
	"kind", "id", "selfLink", "mediaLink", "name", "bucket", "generation", "metageneration", "etag", "size",
	"md5Hash", "crc32c", "timeCreated", "timeFinalized", "timeStorageClassUpdated", "updated", "timeDeleted", "owner",
	"softDeleteTime", "hardDeleteTime", "retentionExpirationTime", "restoreToken", "componentCount",
}

func withoutObjectOutputs(resource document) document {
	settable := clone(resource)
	for _, field := range objectOutputs {
		delete(settable, field)
	}
	return settable
}

// tidyObject drops what is there but empty.
func tidyObject(metadata document) document {
	tidy := clone(metadata)
	for _, field := range []string{"metadata", "retention"} {
		if len(object(tidy, field)) == 0 {
			delete(tidy, field)
		}
	}
	return tidy
}

func (s *Service) deleteObject(r *request) (*reply, error) {
	b, o, err := s.openObject(r, "objects.delete")
	if err != nil {
		return nil, err
	}
	if r.query("generation") == "" && b.versioned() {
		err = b.retire(o, r.now)
	} else {
		err = b.destroy(o, r.now)
	}
	if err != nil {
		return nil, err
	}
	return noContent(), nil
}

// restoreObject makes a copy of a soft-deleted generation the live one.
func (s *Service) restoreObject(r *request) (*reply, error) {
	b, err := s.open(r, "objects.restore")
	if err != nil {
		return nil, err
	}
	generation, given, err := r.queryInt("generation")
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, requiredParameter("generation")
	}
	name := r.PathValue("object")
	old := b.find(name, func(o *storedObject) bool { return o.Generation == generation && o.softDeleted() })
	if old == nil {
		return nil, objectNotFound(b.Name, name)
	}
	if err := b.replace(name, r.now); err != nil {
		return nil, err
	}
	restored := s.addObject(b, name, old.Metadata, old.Content, r.now)
	return ok(b.renderObject(restored, r.full(false))), nil
}

// addObject adds a new live generation.
func (s *Service) addObject(b *bucket, name string, metadata document, content []byte, now time.Time) *storedObject {
	o := &storedObject{
		Name: name, Generation: s.nextGeneration(now), Metageneration: 1, Created: now, Updated: now,
		Metadata: metadata, Content: content,
	}
	b.Objects[name] = append(b.Objects[name], o)
	if flag(b.Config, "hierarchicalNamespace", "enabled") {
		b.addFolders(name, now)
	}
	return o
}
