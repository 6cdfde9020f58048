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
	// Looked is how many of the settings' Sightings are over.
	Looked int `json:"looked,omitempty"`
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
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.get(email)
	if a == nil || !s.visible(a) {
		return "", false
	}
	return a.UniqueID, true
}

// Exists reports whether an account is there and not deleted.
func (s *accounts) Exists(uid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.byUID[uid]
	return ok && a.live()
}

// find returns the account of an e-mail address or a unique ID that a call is
// about, see look.
func (s *accounts) find(key string) (account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.look(key)
	if err != nil {
		return account{}, err
	}
	return *a, nil
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

// look returns the account that a call is about, if the call finds it: one
// that was created may not be seen yet, or not by each call. The caller holds
// s.mu.
func (s *accounts) look(key string) (*account, error) {
	a := s.get(key)
	switch {
	case a == nil:
		return nil, unknown()
	case !s.visible(a) || !s.sighted(a):
		return nil, unseen(*a)
	default:
		return a, nil
	}
}

// sighted reports whether the next call in the order of the settings finds an
// account; the caller holds s.mu.
func (s *accounts) sighted(a *account) bool {
	if a.Looked >= len(s.settings.Sightings) {
		return true
	}
	a.Looked++
	return s.settings.Sightings[a.Looked-1]
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
	delay := s.settings.VisibilityDelay
	return delay == 0 || !s.now().Before(a.Created.Add(delay)) // whatever the clock does
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

// change edits the account that a call is about, see look.
func (s *accounts) change(key string, edit func(*account)) (account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.look(key)
	if err != nil {
		return account{}, err
	}
	s.edit(a, edit)
	return *a, nil
}

// changeAny edits an account that is there, seen or not.
func (s *accounts) changeAny(key string, edit func(*account)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.get(key)
	if a == nil {
		return unknown()
	}
	s.edit(a, edit)
	return nil
}

// edit changes a live account; the caller holds s.mu.
func (s *accounts) edit(a *account, edit func(*account)) {
	edit(a)
	if !a.live() {
		s.remove(a)
	}
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
