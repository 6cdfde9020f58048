package storage

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/url"
	"reflect"
	"strconv"
	"time"

	raw "google.golang.org/api/storage/v1"
)

var (
	bucketType = reflect.TypeFor[raw.Bucket]()
	objectType = reflect.TypeFor[raw.Object]()
)

// bucket is one bucket, live or soft-deleted. Its fields are exported for
// the dump.
type bucket struct {
	Name           string    `json:"name"`
	Project        string    `json:"project"`
	ProjectNumber  int64     `json:"projectNumber"`
	Generation     int64     `json:"generation"`
	Metageneration int64     `json:"metageneration"`
	Created        time.Time `json:"created"`
	Updated        time.Time `json:"updated"`
	// Config is all that can be set, and what follows from it, in the form
	// of the API. It is replaced as a whole, never changed in place.
	Config document `json:"config"`
	// Bindings is the IAM policy, its members as package policy keeps them;
	// nil while it is the one that every bucket starts with.
	Bindings []any `json:"bindings,omitempty"`
	// Objects are all generations of all objects, by name, oldest first.
	Objects map[string][]*storedObject `json:"objects,omitempty"`
	// Folders and ManagedFolders are by name, which ends in a slash.
	Folders        map[string]folder `json:"folders,omitempty"`
	ManagedFolders map[string]folder `json:"managedFolders,omitempty"`
	// Caches are the Anywhere Caches, by zone.
	Caches map[string]cache `json:"caches,omitempty"`
	// SoftDeleted and HardDelete are set once the bucket is soft-deleted.
	SoftDeleted time.Time `json:"softDeleted,omitzero"`
	HardDelete  time.Time `json:"hardDelete,omitzero"`
	// purgeDue is when the first soft-deleted object has to be forgotten, or
	// earlier; zero while there is none.
	purgeDue time.Time
}

// timestamp writes a time as the JSON API does.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// etag writes a metageneration as Cloud Storage's etags do: a protocol
// buffer with the number in field 1, in base64 ("CAE=" for 1).
func etag(metageneration int64) string {
	encoded := binary.AppendUvarint([]byte{0x08}, uint64(metageneration))
	return base64.StdEncoding.EncodeToString(encoded)
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func number(n int64) json.Number { return json.Number(decimal(n)) }

const selfLinkBase = "https://www.googleapis.com/storage/v1/b/"

func (b *bucket) selfLink() string { return selfLinkBase + b.Name }

func (b *bucket) uniform() bool {
	return flag(b.Config, "iamConfiguration", "uniformBucketLevelAccess", "enabled")
}

func (b *bucket) versioned() bool { return flag(b.Config, "versioning", "enabled") }

// render is the bucket as the API shows it. With access it has the access
// control lists and the owner too, unless access is uniform.
func (b *bucket) render(access bool) document {
	shown := clone(b.Config)
	delete(shown, "acl")
	delete(shown, "defaultObjectAcl")
	shown["kind"] = "storage#bucket"
	shown["id"] = b.Name
	shown["name"] = b.Name
	shown["selfLink"] = b.selfLink()
	shown["projectNumber"] = decimal(b.ProjectNumber)
	shown["generation"] = decimal(b.Generation)
	shown["metageneration"] = decimal(b.Metageneration)
	shown["etag"] = etag(b.Metageneration)
	shown["timeCreated"] = timestamp(b.Created)
	shown["updated"] = timestamp(b.Updated)
	if !b.SoftDeleted.IsZero() {
		shown["softDeleteTime"] = timestamp(b.SoftDeleted)
		shown["hardDeleteTime"] = timestamp(b.HardDelete)
	}
	if text(b.Config, "locationType") == region {
		shown["satisfiesPZI"] = true
	}
	if access && !b.uniform() {
		shown["acl"] = b.renderACL()
		shown["defaultObjectAcl"] = b.renderDefaultObjectACL()
		shown["owner"] = document{"entity": b.team("owners")}
	}
	return shown
}

func (b *bucket) team(name string) string {
	return "project-" + name + "-" + decimal(b.ProjectNumber)
}

// projectPrivate is the access control list that buckets start with, for
// themselves and for their objects.
func (b *bucket) projectPrivate() []any {
	return []any{
		document{"entity": b.team("owners"), "role": "OWNER"},
		document{"entity": b.team("editors"), "role": "OWNER"},
		document{"entity": b.team("viewers"), "role": "READER"},
	}
}

// accessList returns a list that was set, or the one that buckets start with.
func (b *bucket) accessList(field string) []any {
	if set := list(b.Config, field); set != nil {
		return set
	}
	return b.projectPrivate()
}

func (b *bucket) renderACL() []any {
	entries := []any{}
	for _, item := range b.accessList("acl") {
		entry := b.renderEntry(item.(document), "storage#bucketAccessControl")
		entity := text(entry, "entity")
		entry["bucket"] = b.Name
		entry["id"] = b.Name + "/" + entity
		entry["selfLink"] = b.selfLink() + "/acl/" + url.PathEscape(entity)
		entries = append(entries, entry)
	}
	return entries
}

func (b *bucket) renderDefaultObjectACL() []any {
	entries := []any{}
	for _, item := range b.accessList("defaultObjectAcl") {
		entries = append(entries, b.renderEntry(item.(document), "storage#objectAccessControl"))
	}
	return entries
}

func (b *bucket) renderEntry(item document, kind string) document {
	entry := document{
		"kind": kind, "entity": text(item, "entity"), "role": text(item, "role"), "etag": etag(b.Metageneration),
	}
	for _, team := range []string{"owners", "editors", "viewers"} {
		if text(item, "entity") == b.team(team) {
			entry["projectTeam"] = document{"projectNumber": decimal(b.ProjectNumber), "team": team}
		}
	}
	return entry
}
