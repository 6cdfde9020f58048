package storage

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// cache is an Anywhere Cache, which a bucket has at most one of in a zone:
// https://cloud.google.com/storage/docs/json_api/v1/AnywhereCaches
type cache struct {
	State   string    `json:"state"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
}

// The states of caches.
const (
	cacheRunning  = "RUNNING"
	cachePaused   = "PAUSED"
	cacheDisabled = "DISABLED"
)

// cacheGrace is how long after it was disabled a cache is deleted.
const cacheGrace = time.Hour

// purgeCaches forgets the caches whose time is over.
func (b *bucket) purgeCaches(now time.Time) {
	maps.DeleteFunc(b.Caches, func(_ string, c cache) bool {
		return c.State == cacheDisabled && !now.Before(c.Updated.Add(cacheGrace))
	})
}

func (b *bucket) renderCache(zone string) document {
	c := b.Caches[zone]
	return document{
		"kind": "storage#anywhereCache", "id": b.Name + "/" + zone, "bucket": b.Name, "anywhereCacheId": zone, "zone": zone,
		"state": c.State, "ttl": "86400s", "admissionPolicy": "admit-on-first-miss", "pendingUpdate": false,
		"createTime": timestamp(c.Created), "updateTime": timestamp(c.Updated),
		"selfLink": b.selfLink() + "/anywhereCaches/" + zone,
	}
}

func (s *Service) listCaches(r *request) (*reply, error) {
	b, err := s.open(r, "anywhereCaches.list")
	if err != nil {
		return nil, err
	}
	shown, next, err := page(r, slices.Sorted(maps.Keys(b.Caches)), func(zone string) string { return zone })
	if err != nil {
		return nil, err
	}
	answer := document{"kind": "storage#anywhereCaches"}
	var items []any
	for _, zone := range shown {
		items = append(items, b.renderCache(zone))
	}
	if items != nil {
		answer["items"] = items
	}
	if next != "" {
		answer["nextPageToken"] = next
	}
	return ok(answer), nil
}

// insertCache makes a cache. At Google that takes a while; here the operation
// is done at once.
func (s *Service) insertCache(r *request) (*reply, error) {
	b, err := s.open(r, "anywhereCaches.insert")
	if err != nil {
		return nil, err
	}
	sent, err := r.document()
	if err != nil {
		return nil, err
	}
	zone := text(sent, "zone")
	if zone == "" {
		return nil, invalidf("Required parameter: zone")
	}
	if _, there := b.Caches[zone]; there {
		return nil, conflict("The cache you tried to create already exists.")
	}
	if b.Caches == nil {
		b.Caches = map[string]cache{}
	}
	b.Caches[zone] = cache{State: cacheRunning, Created: r.now, Updated: r.now}
	return ok(document{
		"kind": "storage#operation", "name": "projects/_/buckets/" + b.Name + "/operations/" + decimal(s.nextGeneration(r.now)), "done": true,
		"response": b.renderCache(zone),
	}), nil
}

func (s *Service) getCache(r *request) (*reply, error) {
	b, zone, err := s.openCache(r, "get")
	if err != nil {
		return nil, err
	}
	return ok(b.renderCache(zone)), nil
}

// openCache returns the bucket of a request, and the zone of its cache.
func (s *Service) openCache(r *request, verb string) (*bucket, string, error) {
	b, err := s.open(r, "anywhereCaches."+verb)
	if err != nil {
		return nil, "", err
	}
	zone := r.PathValue("cache")
	if _, there := b.Caches[zone]; !there {
		return nil, "", failf(http.StatusNotFound, "notFound", "The cache does not exist.")
	}
	return b, zone, nil
}

// turnCache returns the method that brings a cache into a state. One that is
// disabled can only be resumed.
func turnCache(verb, state string) handler {
	return func(s *Service, r *request) (*reply, error) {
		b, zone, err := s.openCache(r, verb)
		if err != nil {
			return nil, err
		}
		c := b.Caches[zone]
		if c.State == cacheDisabled && state != cacheRunning {
			return nil, failf(http.StatusPreconditionFailed, "conditionNotMet", "The cache is disabled.")
		}
		c.State, c.Updated = state, r.now
		b.Caches[zone] = c
		return ok(b.renderCache(zone)), nil
	}
}
