package storage

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"net/url"
	"slices"
	"strings"
	"time"
)

// storedObject is one generation of an object. Its fields are exported for
// the dump.
type storedObject struct {
	Name           string    `json:"name"`
	Generation     int64     `json:"generation"`
	Metageneration int64     `json:"metageneration"`
	Created        time.Time `json:"created"`
	Updated        time.Time `json:"updated"`
	// Metadata is all that can be set, in the form of the API. It is
	// replaced as a whole, never changed in place.
	Metadata document `json:"metadata"`
	Content  []byte   `json:"content,omitempty"`
	// Noncurrent is when a later generation took this one's place.
	Noncurrent time.Time `json:"noncurrent,omitzero"`
	// SoftDeleted and HardDelete are set once the generation is soft-deleted.
	SoftDeleted time.Time `json:"softDeleted,omitzero"`
	HardDelete  time.Time `json:"hardDelete,omitzero"`
}

func (o *storedObject) live() bool        { return o.Noncurrent.IsZero() && !o.softDeleted() }
func (o *storedObject) softDeleted() bool { return !o.SoftDeleted.IsZero() }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (o *storedObject) crc32c() string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.Checksum(o.Content, castagnoli)))
}

func (o *storedObject) md5() string {
	sum := md5.Sum(o.Content)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// renderObject is the object as the API shows it. With access it has the
// owner and, where access is not uniform, the access control list.
func (b *bucket) renderObject(o *storedObject, access bool) document {
	shown := clone(o.Metadata)
	delete(shown, "acl")
	generation := decimal(o.Generation)
	path := b.Name + "/o/" + url.PathEscape(o.Name)
	shown["kind"] = "storage#object"
	shown["id"] = b.Name + "/" + o.Name + "/" + generation
	shown["name"] = o.Name
	shown["bucket"] = b.Name
	shown["selfLink"] = selfLinkBase + path
	shown["mediaLink"] = "https://storage.googleapis.com/download/storage/v1/b/" + path + "?generation=" + generation + "&alt=media"
	shown["generation"] = generation
	shown["metageneration"] = decimal(o.Metageneration)
	shown["etag"] = o.etag()
	shown["size"] = decimal(int64(len(o.Content)))
	shown["md5Hash"] = o.md5()
	shown["crc32c"] = o.crc32c()
	shown["timeCreated"] = timestamp(o.Created)
	shown["timeFinalized"] = timestamp(o.Created)
	shown["timeStorageClassUpdated"] = timestamp(o.Created)
	shown["updated"] = timestamp(o.Updated)
	b.renderTimes(o, shown)
	if access && !b.uniform() {
		shown["owner"] = document{"entity": b.team("owners")}
		shown["acl"] = b.renderObjectACL(o)
	}
	return shown
}

func (b *bucket) renderTimes(o *storedObject, shown document) {
	if !o.Noncurrent.IsZero() {
		shown["timeDeleted"] = timestamp(o.Noncurrent)
	}
	if o.softDeleted() {
		shown["softDeleteTime"] = timestamp(o.SoftDeleted)
		shown["hardDeleteTime"] = timestamp(o.HardDelete)
	}
	if until := b.expiry(o); !until.IsZero() {
		shown["retentionExpirationTime"] = timestamp(until)
	}
}

func (b *bucket) renderObjectACL(o *storedObject) []any {
	entries := b.accessList("defaultObjectAcl")
	if set := list(o.Metadata, "acl"); set != nil {
		entries = set
	}
	var shown []any
	for _, item := range entries {
		entry := b.renderEntry(item.(document), "storage#objectAccessControl")
		entry["bucket"], entry["object"] = b.Name, o.Name
		entry["generation"], entry["etag"] = decimal(o.Generation), o.etag()
		shown = append(shown, entry)
	}
	return shown
}

// etag writes generation and metageneration as the etags of objects do: a
// protocol buffer with them in fields 1 and 2, in base64.
func (o *storedObject) etag() string {
	encoded := binary.AppendUvarint([]byte{0x08}, uint64(o.Generation))
	encoded = binary.AppendUvarint(append(encoded, 0x10), uint64(o.Metageneration))
	return base64.StdEncoding.EncodeToString(encoded)
}

// current returns the live generation of an object, or nil.
func (b *bucket) current(name string) *storedObject {
	for _, o := range b.Objects[name] {
		if o.live() {
			return o
		}
	}
	return nil
}

// generation returns one generation of an object, live or not but not
// soft-deleted, or nil. Generation 0 means the live one.
func (b *bucket) generation(name string, generation int64) *storedObject {
	if generation == 0 {
		return b.current(name)
	}
	return b.find(name, func(o *storedObject) bool { return o.Generation == generation && !o.softDeleted() })
}

func (b *bucket) find(name string, match func(*storedObject) bool) *storedObject {
	if i := slices.IndexFunc(b.Objects[name], match); i >= 0 {
		return b.Objects[name][i]
	}
	return nil
}

// empty reports whether nothing but soft-deleted objects is left.
func (b *bucket) empty() bool {
	return len(b.Folders) == 0 && len(b.ManagedFolders) == 0 && len(b.Caches) == 0 && !b.hasObjects("")
}

// hasObjects reports whether there are objects whose names have a prefix and
// that are not soft-deleted.
func (b *bucket) hasObjects(prefix string) bool {
	for name, generations := range b.Objects {
		if strings.HasPrefix(name, prefix) && slices.ContainsFunc(generations, func(o *storedObject) bool { return !o.softDeleted() }) {
			return true
		}
	}
	return false
}

// replace makes room for a new live generation of an object.
func (b *bucket) replace(name string, now time.Time) error {
	o := b.current(name)
	if o == nil {
		return nil
	}
	if b.versioned() {
		return b.retire(o, now)
	}
	return b.destroy(o, now)
}

// retire makes the live generation a noncurrent one.
func (b *bucket) retire(o *storedObject, now time.Time) error {
	if err := b.checkHolds(o); err != nil {
		return err
	}
	o.Noncurrent = now
	return nil
}

// destroy deletes a generation for good, or soft-deletes it where the bucket
// says so.
func (b *bucket) destroy(o *storedObject, now time.Time) error {
	if err := b.checkProtection(o, now); err != nil {
		return err
	}
	if kept := b.softDelete(); kept > 0 {
		o.SoftDeleted, o.HardDelete = now, now.Add(kept)
		b.duePurge(o)
		return nil
	}
	b.forget(o)
	return nil
}

func (b *bucket) forget(o *storedObject) {
	rest := slices.DeleteFunc(b.Objects[o.Name], func(other *storedObject) bool { return other == o })
	if len(rest) == 0 {
		delete(b.Objects, o.Name)
		return
	}
	b.Objects[o.Name] = rest
}

// softDelete returns for how long deleted objects are kept.
func (b *bucket) softDelete() time.Duration {
	seconds, _ := integer(b.Config, "softDeletePolicy", "retentionDurationSeconds")
	return time.Duration(seconds) * time.Second
}

// duePurge remembers when a soft-deleted object has to be forgotten.
func (b *bucket) duePurge(o *storedObject) {
	if o.softDeleted() && (b.purgeDue.IsZero() || o.HardDelete.Before(b.purgeDue)) {
		b.purgeDue = o.HardDelete
	}
}

// purge forgets the soft-deleted objects whose time is over, unless that is
// paused.
func (b *bucket) purge(now time.Time) {
	if b.purgeDue.IsZero() || now.Before(b.purgeDue) || flag(b.Config, "softDeletePolicy", "hardDeletePause", "enabled") {
		return
	}
	b.purgeDue = time.Time{}
	for _, generations := range b.Objects {
		for _, o := range slices.Clone(generations) {
			if o.softDeleted() && !now.Before(o.HardDelete) {
				b.forget(o)
				continue
			}
			b.duePurge(o)
		}
	}
}
