// Package projects keeps the emulator's Google Cloud projects: which exist,
// what their numbers are, and which of them the caller cannot access. All
// services share one Registry.
package projects

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Project is one project.
type Project struct {
	// ID is the project ID, such as "my-project".
	ID string `json:"id"`
	// Number is the project number, by which Google names the project in
	// what it stores.
	Number int64 `json:"number"`
	// Foreign says that the caller has no access to the project, as if
	// somebody else owned it.
	Foreign bool `json:"foreign,omitempty"`
	// Name is the display name; empty for the ID.
	Name string `json:"name,omitempty"`
	// Parent is the organization or folder, such as "organizations/1"; empty
	// for the one that all projects are in unless told otherwise.
	Parent string `json:"parent,omitempty"`
	// Standalone says that the project is in no organization: users become
	// its owners by invitation only, and the last owner stays.
	Standalone bool              `json:"standalone,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	// Created is when; zero for the beginning of the emulator.
	Created time.Time `json:"created,omitzero"`
	// Deleted says that the project is shut down: its deletion was asked for.
	// It can be seen and restored, and nothing in it can be used.
	Deleted bool `json:"deleted,omitempty"`
	// Withheld are permissions that the caller lacks: testing them says so,
	// and IAM and Resource Manager refuse what needs them, Cloud Storage only
	// what IP filters and billing need.
	Withheld []string `json:"withheld,omitempty"`
}

// Lacks reports whether the caller lacks a permission in the project.
func (p Project) Lacks(permission string) bool {
	return p.Foreign || slices.Contains(p.Withheld, permission)
}

// Held returns those of some permissions that the caller has in the project.
func (p Project) Held(permissions []string) []string {
	return slices.DeleteFunc(slices.Clone(permissions), p.Lacks)
}

// Registry is the set of projects. All methods may be called at any time.
type Registry struct {
	strict bool

	mu       sync.Mutex
	byID     map[string]Project
	byNumber map[int64]string
	folders  map[string]Folder
}

// Folder is a folder of an organization.
type Folder struct {
	// Name is such as "folders/7".
	Name string `json:"name"`
	// Parent is the organization or folder that it is in.
	Parent string `json:"parent"`
	// Foreign says that the caller may not list what is in it.
	Foreign bool `json:"foreign,omitempty"`
	// Deleted says that its deletion was asked for.
	Deleted bool `json:"deleted,omitempty"`
}

// SetFolder makes a folder known, or replaces it.
func (r *Registry) SetFolder(f Folder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.folders[f.Name] = f
}

// Folders returns all folders, ordered by name.
func (r *Registry) Folders() []Folder {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.SortedFunc(maps.Values(r.folders), func(a, b Folder) int { return strings.Compare(a.Name, b.Name) })
}

// New returns an empty registry. A strict one knows only the projects that
// were added; any other makes a project up whenever one is looked up, with a
// number that depends on nothing but its ID.
func New(strict bool) *Registry {
	return &Registry{strict: strict, byID: map[string]Project{}, byNumber: map[int64]string{}, folders: map[string]Folder{}}
}

// Add makes a project known, or replaces it. A number of 0 stands for the one
// that the project has, and for a new one for the number that its ID always
// gets.
func (r *Registry) Add(p Project) error {
	if !idPattern.MatchString(p.ID) {
		return fmt.Errorf("project ID %q: want at most 30 lower-case letters, digits and hyphens, beginning with a letter", p.ID)
	}
	if p.Number < 0 {
		return fmt.Errorf("project %q: number %d is negative", p.ID, p.Number)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old, known := r.byID[p.ID]
	if p.Number == 0 {
		p.Number = cmp.Or(old.Number, numberOf(p.ID))
	}
	if other, taken := r.byNumber[p.Number]; taken && other != p.ID {
		return fmt.Errorf("project %q: number %d belongs to project %q", p.ID, p.Number, other)
	}
	if known {
		delete(r.byNumber, old.Number)
	}
	r.add(p)
	return nil
}

// idPattern is Google's rule for project IDs, with domain-scoped ones
// ("example.com:my-project") and, since tests like short names, from one
// letter on.
var idPattern = regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z]([a-z0-9-]{0,28}[a-z0-9])?$`)

// Lookup finds a project by its ID or its number in decimal, either of them
// with or without "projects/" before it.
func (r *Registry) Lookup(name string) (Project, bool) {
	name = strings.TrimPrefix(name, "projects/")
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, ok := r.byID[name]; ok {
		return p, true
	}
	if number, err := strconv.ParseInt(name, 10, 64); err == nil {
		p, ok := r.byID[r.byNumber[number]]
		return p, ok
	}
	if r.strict || !idPattern.MatchString(name) {
		return Project{}, false
	}
	p := Project{ID: name, Number: r.freeNumber(name)}
	r.add(p)
	return p, true
}

// Edit changes a project; its ID and number stay. An unknown project is not
// made up.
func (r *Registry) Edit(id string, edit func(*Project)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.byID[id]
	if !ok {
		return fmt.Errorf("project %q: not found", id)
	}
	edited := p
	edit(&edited)
	edited.ID, edited.Number = p.ID, p.Number
	r.add(edited)
	return nil
}

// Withhold sets the permissions that the caller lacks in a project.
func (r *Registry) Withhold(id string, permissions ...string) error {
	return r.Edit(id, func(p *Project) { p.Withheld = permissions })
}

// Known finds a project by its ID without making one up.
func (r *Registry) Known(id string) (Project, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.byID[id]
	return p, ok
}

// NumberText returns the number of a project in decimal, or the name itself
// if there is no such project.
func (r *Registry) NumberText(name string) string {
	p, ok := r.Lookup(name)
	if !ok {
		return name
	}
	return strconv.FormatInt(p.Number, 10)
}

// List returns all projects, ordered by ID.
func (r *Registry) List() []Project {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Project, 0, len(r.byID))
	for _, p := range r.byID {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Project) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// Dump returns the projects in the form that Load reads.
func (r *Registry) Dump() any { return r.List() }

// Load replaces all projects by those of a dump.
func (r *Registry) Load(dump json.RawMessage) error {
	var list []Project
	if err := json.Unmarshal(dump, &list); err != nil {
		return fmt.Errorf("reading projects: %w", err)
	}
	loaded := New(r.strict)
	for _, p := range list {
		if err := loaded.Add(p); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byID, r.byNumber = loaded.byID, loaded.byNumber
	return nil
}

// LoadFolders replaces all folders by those of a dump.
func (r *Registry) LoadFolders(dump json.RawMessage) error {
	var list []Folder
	if err := json.Unmarshal(dump, &list); err != nil {
		return fmt.Errorf("reading folders: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.folders = map[string]Folder{}
	for _, f := range list {
		r.folders[f.Name] = f
	}
	return nil
}

// add stores a project; the caller holds r.mu.
func (r *Registry) add(p Project) {
	r.byID[p.ID] = p
	r.byNumber[p.Number] = p.ID
}

// freeNumber returns the number of an ID, or the next one that nobody has;
// the caller holds r.mu.
func (r *Registry) freeNumber(id string) int64 {
	number := numberOf(id)
	for {
		if _, taken := r.byNumber[number]; !taken {
			return number
		}
		number++
	}
}

// numberOf makes a twelve-digit number, as Google's are, out of an ID.
func numberOf(id string) int64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(id)) // a hash never fails to be written to
	return 100_000_000_000 + int64(hash.Sum64()%900_000_000_000)
}
