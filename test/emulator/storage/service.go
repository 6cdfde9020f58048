// Package storage emulates the Cloud Storage JSON API: buckets as fully as
// documentation and recorded traffic allow, objects as far as it takes to
// fill, empty, version and protect a bucket.
//
// Nothing happens in the background: lifecycle rules are stored, not executed.
package storage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/holdfast-dev/holdfast/test/emulator/policy"
	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Options are what a Service needs and how strict it is.
type Options struct {
	// Projects, Traffic and Directory are shared with the other services.
	Projects  *projects.Registry
	Traffic   *traffic.Control
	Directory *policy.Directory
	// Now is the clock; nil means the real one.
	Now func() time.Time
	// LimitUpdates refuses to change a bucket's metadata more than once a
	// second, as Cloud Storage does.
	LimitUpdates bool
	// EnforceRequesterPays refuses calls about buckets whose requesters pay
	// that do not say who, as Cloud Storage does with all callers but those
	// who may assign billing accounts.
	EnforceRequesterPays bool
}

// Service is the emulated Cloud Storage.
type Service struct {
	projects     *projects.Registry
	traffic      *traffic.Control
	now          func() time.Time
	limitUpdates bool
	enforcePayer bool
	rules        policy.Rules
	// consoleRoutes makes the routes of the console, once.
	consoleRoutes func() http.Handler

	mu      sync.Mutex
	buckets map[string]*bucket
	// byProject has the same buckets once more: a fleet has many projects
	// with few buckets each, and lists them one by one.
	byProject map[string]map[string]*bucket
	// deleted are the soft-deleted buckets, in the order of deletion.
	deleted []*bucket
	uploads map[string]*upload
	// lastGeneration makes generations unique though the clock may stand
	// still.
	lastGeneration int64
}

// New returns a Cloud Storage without any bucket.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{
		projects: o.Projects, traffic: o.Traffic, now: o.Now, limitUpdates: o.LimitUpdates, enforcePayer: o.EnforceRequesterPays,
		rules:   policy.Rules{Directory: o.Directory, Roles: []string{"storage"}, NoBasicRoles: true, TeamMembers: true},
		buckets: map[string]*bucket{}, byProject: map[string]map[string]*bucket{}, uploads: map[string]*upload{},
	}
	s.consoleRoutes = sync.OnceValue(s.newConsole)
	return s
}

// add makes a bucket one of the live ones. The caller holds s.mu.
func (s *Service) add(b *bucket) {
	s.buckets[b.Name] = b
	if s.byProject[b.Project] == nil {
		s.byProject[b.Project] = map[string]*bucket{}
	}
	s.byProject[b.Project][b.Name] = b
}

// remove makes a bucket no longer one of the live ones. The caller holds
// s.mu.
func (s *Service) remove(b *bucket) {
	delete(s.buckets, b.Name)
	delete(s.byProject[b.Project], b.Name)
}

// Name is the service's short name.
func (s *Service) Name() string { return "storage" }

// RegisterGRPC does nothing: the gRPC API of Cloud Storage is not emulated.
func (s *Service) RegisterGRPC(*grpc.Server) {}

// ClassifyRPC finds nothing of its own, see RegisterGRPC.
func (s *Service) ClassifyRPC(string, any) (traffic.Call, bool) { return traffic.Call{}, false }

// state is what Dump returns and Load reads.
type state struct {
	Buckets        map[string]*bucket `json:"buckets"`
	Deleted        []*bucket          `json:"deleted,omitempty"`
	LastGeneration int64              `json:"lastGeneration"`
}

// Dump returns all buckets and objects. What it returns is not connected to
// the service's state.
func (s *Service) Dump() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	dump, err := json.Marshal(state{s.buckets, s.deleted, s.lastGeneration})
	if err != nil {
		return document{"error": err.Error()}
	}
	return json.RawMessage(dump)
}

// Load replaces all buckets and objects by those of a dump.
func (s *Service) Load(dump json.RawMessage) error {
	loaded, err := readState(dump)
	if err != nil {
		return fmt.Errorf("reading the state of storage: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets, s.byProject, s.uploads = map[string]*bucket{}, map[string]map[string]*bucket{}, map[string]*upload{}
	for _, b := range loaded.Buckets {
		s.add(b)
	}
	s.deleted, s.lastGeneration = loaded.Deleted, loaded.LastGeneration
	return nil
}

// nextGeneration returns the time in microseconds, as generations are, or
// the next number that is free. The caller holds s.mu.
func (s *Service) nextGeneration(now time.Time) int64 {
	s.lastGeneration = max(now.UnixMicro(), s.lastGeneration+1)
	return s.lastGeneration
}

// purge forgets what was soft-deleted and whose time is over. The caller
// holds s.mu.
func (s *Service) purge(now time.Time) {
	kept := s.deleted[:0]
	for _, b := range s.deleted {
		if now.Before(b.HardDelete) {
			kept = append(kept, b)
		}
	}
	clear(s.deleted[len(kept):])
	s.deleted = kept
}

// projectOf returns the ID of the project that a bucket is in, or "".
func (s *Service) projectOf(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[name]; b != nil {
		return b.Project
	}
	return ""
}

// Console is the same API without permissions, faults, counts and limits:
// what it answers at /storage/v1/b it answers at /b, and uploads at
// /upload/b.
func (s *Service) Console() http.Handler { return s.consoleRoutes() }

func (s *Service) newConsole() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		mux.Handle(rt.verb+" "+consolePath(rt.path), s.serve(rt.handle, true, writeFailure))
	}
	return mux
}
