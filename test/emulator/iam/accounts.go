package iam

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"
)

// DefaultQuota is how many accounts a project may have unless another number
// is set.
const DefaultQuota = 100

// undeletable is how long an account can be restored after it was deleted.
const undeletable = 30 * 24 * time.Hour

// account is one service account, live or deleted.
type account struct {
	Project     string    `json:"project"`
	ID          string    `json:"id"`
	UniqueID    string    `json:"uniqueId"`
	DisplayName string    `json:"displayName,omitempty"`
	Description string    `json:"description,omitempty"`
	Disabled    bool      `json:"disabled,omitempty"`
	Created     time.Time `json:"created"`
	// Deleted is when, or zero.
	Deleted time.Time `json:"deleted,omitzero"`
}

// Email returns ID@PROJECT.iam.gserviceaccount.com; of a project in a domain,
// "example.com:p", it is ID@p.example.com.iam.gserviceaccount.com.
func (a account) Email() string { return email(a.Project, a.ID) }

func email(project, id string) string {
	if scope, name, scoped := strings.Cut(project, ":"); scoped {
		project = name + "." + scope
	}
	return id + "@" + project + ".iam.gserviceaccount.com"
}

func (a account) live() bool { return a.Deleted.IsZero() }

// accounts is all accounts there are. Its lock is held by its own methods
// only, so that the directory can ask it at any time.
type accounts struct {
	now func() time.Time

	mu    sync.Mutex
	byUID map[string]*account
	// byEmail has the live ones, and byProject the same once more: a fleet has
	// many projects with few accounts each, and lists them one by one.
	byEmail   map[string]*account
	byProject map[string]map[string]*account
	settings  Settings
	// made counts the accounts, so that none gets the number of another.
	made int
}

func newAccounts(now func() time.Time) *accounts {
	s := &accounts{now: now, settings: Settings{Quota: DefaultQuota}}
	s.clear()
	return s
}

// clear forgets all accounts; the caller holds s.mu.
func (s *accounts) clear() {
	s.byUID, s.byEmail, s.byProject = map[string]*account{}, map[string]*account{}, map[string]map[string]*account{}
}

// add makes an account one of the live ones; the caller holds s.mu.
func (s *accounts) add(a *account) {
	email := a.Email()
	s.byEmail[email] = a
	if s.byProject[a.Project] == nil {
		s.byProject[a.Project] = map[string]*account{}
	}
	s.byProject[a.Project][email] = a
}

// remove makes an account no longer one of the live ones; the caller holds
// s.mu.
func (s *accounts) remove(a *account) {
	delete(s.byEmail, a.Email())
	delete(s.byProject[a.Project], a.Email())
}

// UniqueID returns who has an e-mail address, once that is visible.
func (s *accounts) UniqueID(email string) (string, bool) {
	a, ok := s.find(email)
	return a.UniqueID, ok
}

// Exists reports whether an account is there and not deleted.
func (s *accounts) Exists(uid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.byUID[uid]
	return ok && a.live()
}

// find returns the live and visible account of an e-mail address or a unique
// ID.
func (s *accounts) find(key string) (account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.get(key)
	if a == nil || !s.visible(a) {
		return account{}, false
	}
	return *a, true
}

// any returns the account of an e-mail address or a unique ID, even if it is
// not visible yet; by its unique ID also if it is deleted.
func (s *accounts) any(key string) (account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byUID[key]; a != nil {
		return *a, true
	}
	if a := s.byEmail[strings.ToLower(key)]; a != nil {
		return *a, true
	}
	return account{}, false
}

// get returns a live account; the caller holds s.mu.
func (s *accounts) get(key string) *account {
	if a := s.byEmail[strings.ToLower(key)]; a != nil {
		return a
	}
	if a := s.byUID[key]; a != nil && a.live() {
		return a
	}
	return nil
}

// visible reports whether an account can be seen already; the caller holds
// s.mu.
func (s *accounts) visible(a *account) bool {
	return !s.now().Before(a.Created.Add(s.settings.VisibilityDelay))
}

// of returns the visible accounts of a project, ordered by e-mail address.
func (s *accounts) of(project string) []account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []account
	for _, a := range s.byProject[project] {
		if s.visible(a) {
			found = append(found, *a)
		}
	}
	slices.SortFunc(found, func(a, b account) int { return cmp.Compare(a.Email(), b.Email()) })
	return found
}

// create adds an account and gives it its numbers.
func (s *accounts) create(a account) (account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byEmail[a.Email()] != nil {
		return account{}, alreadyExists(a)
	}
	if len(s.byProject[a.Project]) >= s.settings.Quota {
		return account{}, tooMany()
	}
	s.made++
	a.UniqueID, a.Created = uniqueID(a.Email(), s.made), s.now()
	s.byUID[a.UniqueID] = &a
	s.add(&a)
	return a, nil
}

// change edits an account that is there; unseen ones only if hidden is set.
func (s *accounts) change(key string, hidden bool, edit func(*account)) (account, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.get(key)
	if a == nil || !hidden && !s.visible(a) {
		return account{}, false
	}
	edit(a)
	if !a.live() {
		s.remove(a)
	}
	return *a, true
}

// restore brings a deleted account back.
func (s *accounts) restore(uid string) (account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.byUID[uid]
	switch {
	case a == nil || !a.live() && s.now().Sub(a.Deleted) >= undeletable:
		return account{}, unknown()
	case a.live():
		return account{}, notDeleted(*a)
	case s.byEmail[a.Email()] != nil:
		return account{}, replaced(*a)
	case len(s.byProject[a.Project]) >= s.settings.Quota:
		return account{}, tooMany()
	}
	a.Deleted = time.Time{}
	s.add(a)
	return *a, nil
}

// uniqueID makes the 21 digits of the nth account.
func uniqueID(email string, n int) string {
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%s %d", email, n) // a hash never fails to be written to
	return fmt.Sprintf("1%020d", hash.Sum64())
}
