package storage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
)

// consolePath is where the console has what the API has at path.
func consolePath(path string) string { return strings.Replace(path, apiPath, "", 1) }

// Console calls for tests that hold the service in their hands: all of them
// act as "someone in the console", past faults, counts and permissions.

// CreateBucket creates a bucket from a resource of the JSON API, which has
// at least a name.
func (s *Service) CreateBucket(project string, resource map[string]any) error {
	_, err := s.console(http.MethodPost, "/b?project="+url.QueryEscape(project), resource)
	return err
}

// Bucket returns a bucket as the JSON API shows it, numbers being
// json.Number, and whether it is there.
func (s *Service) Bucket(name string) (map[string]any, bool) {
	doc, err := s.console(http.MethodGet, "/b/"+url.PathEscape(name), nil)
	return doc, err == nil
}

// EditBucket changes a bucket by a JSON merge patch.
func (s *Service) EditBucket(name string, patch map[string]any) error {
	_, err := s.console(http.MethodPatch, "/b/"+url.PathEscape(name), patch)
	return err
}

// DeleteBucket deletes a bucket with all that is in it.
func (s *Service) DeleteBucket(name string) error {
	_, err := s.console(http.MethodDelete, "/b/"+url.PathEscape(name)+"?force=true", nil)
	return err
}

// PutObject writes an object.
func (s *Service) PutObject(bucket, object string, content []byte) error {
	path := "/upload/b/" + url.PathEscape(bucket) + "/o?uploadType=media&name=" + url.QueryEscape(object)
	_, err := s.consoleRaw(http.MethodPost, path, content)
	return err
}

// Generations returns how many generations of objects a bucket has that are
// not soft-deleted, by the name of the object.
func (s *Service) Generations(bucket string) map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{}
	if b := s.buckets[bucket]; b != nil {
		for name, generations := range b.Objects {
			if n := len(visibleGenerations(generations, true, false)); n > 0 {
				counts[name] = n
			}
		}
	}
	return counts
}

// BucketNames returns the names of all buckets of all projects, sorted.
func (s *Service) BucketNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.buckets))
}

// BucketProjects returns the ID of each bucket's project, by the name of the
// bucket.
func (s *Service) BucketProjects() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := make(map[string]string, len(s.buckets))
	for name, b := range s.buckets {
		in[name] = b.Project
	}
	return in
}

func (s *Service) console(verb, path string, body map[string]any) (document, error) {
	var encoded []byte
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	return s.consoleRaw(verb, path, encoded)
}

func (s *Service) consoleRaw(verb, path string, body []byte) (document, error) {
	r, err := http.NewRequest(verb, path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	s.Console().ServeHTTP(w, r)
	if w.Code >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s %s: %d %s", verb, path, w.Code, bytes.TrimSpace(w.Body.Bytes()))
	}
	return decode(w.Body.Bytes())
}

// readState reads a dump, keeping numbers as they are written.
func readState(dump []byte) (state, error) {
	decoder := json.NewDecoder(bytes.NewReader(dump))
	decoder.UseNumber()
	loaded := state{Buckets: map[string]*bucket{}}
	if err := decoder.Decode(&loaded); err != nil {
		return state{}, err
	}
	for _, b := range slices.Concat(slices.Collect(maps.Values(loaded.Buckets)), loaded.Deleted) {
		b.revive()
	}
	return loaded, nil
}

// revive completes a bucket that was read from a dump.
func (b *bucket) revive() {
	if b.Objects == nil {
		b.Objects = map[string][]*storedObject{}
	}
	for _, generations := range b.Objects {
		for _, o := range generations {
			b.duePurge(o)
		}
	}
}
