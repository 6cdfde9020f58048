package iam

import (
	"cmp"
	"slices"
	"time"

	"cloud.google.com/go/iam/admin/apiv1/adminpb"
	"cloud.google.com/go/iam/apiv1/iampb"
)

// What "someone in the console" does, without a call being counted or
// faulted. Accounts are named by their e-mail addresses or unique IDs.

// Account returns an account as it is: also one that is not visible yet, and
// by its unique ID one that is deleted.
func (s *Service) Account(key string) (account *adminpb.ServiceAccount, found bool) {
	a, ok := s.accounts.any(key)
	if !ok {
		return nil, false
	}
	return a.proto(), true
}

// Accounts returns the live accounts of all projects, ordered by unique ID.
func (s *Service) Accounts() []*adminpb.ServiceAccount {
	var live []*adminpb.ServiceAccount
	all, _ := s.accounts.all()
	for _, a := range all {
		if a.live() {
			live = append(live, a.proto())
		}
	}
	return live
}

// CreateAccount makes an account, by the same rules as anybody.
func (s *Service) CreateAccount(projectID, id string) (*adminpb.ServiceAccount, error) {
	project, err := s.project("projects/"+projectID, "iam.serviceAccounts.create")
	if err != nil {
		return nil, err
	}
	created, err := s.add(account{Project: project.ID, ID: id})
	if err != nil {
		return nil, err
	}
	return created.proto(), nil
}

// EditAccount changes the display name, the description, or whether an
// account is disabled; all else stays.
func (s *Service) EditAccount(key string, edit func(*adminpb.ServiceAccount)) error {
	var invalid error
	err := s.accounts.changeAny(key, func(a *account) {
		edited := a.proto()
		edit(edited)
		next := *a
		next.DisplayName, next.Description, next.Disabled = edited.GetDisplayName(), edited.GetDescription(), edited.GetDisabled()
		if invalid = checkTexts(next); invalid == nil {
			*a = next
		}
	})
	return cmp.Or(err, invalid)
}

// DeleteAccount deletes an account.
func (s *Service) DeleteAccount(key string) error { return s.accounts.changeAny(key, s.delete) }

// UndeleteAccount restores an account, which only its unique ID can name.
func (s *Service) UndeleteAccount(uid string) error {
	_, err := s.accounts.restore(uid)
	return err
}

// Policy returns the policy of an account with all that it has.
func (s *Service) Policy(key string) (policy *iampb.Policy, found bool) {
	a, ok := s.accounts.any(key)
	if !ok {
		return nil, false
	}
	return s.policies.Read(a.UniqueID), true
}

// EditPolicy changes the policy of an account, by the same rules as anybody.
func (s *Service) EditPolicy(key string, edit func(*iampb.Policy)) error {
	a, ok := s.accounts.any(key)
	if !ok {
		return unknown()
	}
	return s.policies.Edit(a.UniqueID, edit)
}

// Settings are what can be set about service accounts.
type Settings struct {
	// Quota is how many accounts a project may have.
	Quota int
	// VisibilityDelay is how long an account that was created is not found:
	// by reads, changes, and policies that name it. Google says that it may
	// take a minute.
	VisibilityDelay time.Duration
	// Sightings says which of the first calls about an account that is
	// visible find it, in their order; to the others it does not exist. After
	// those every call finds it.
	Sightings []bool
}

// RecordedSightings are those of an account that Google had just created.
func RecordedSightings() []bool { return []bool{true, false, true, false, false, false} }

// Settings returns what is set.
func (s *Service) Settings() Settings {
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	settings := s.accounts.settings
	settings.Sightings = slices.Clone(settings.Sightings)
	return settings
}

// Set changes the settings, at once and for accounts that exist too.
func (s *Service) Set(settings Settings) {
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	s.accounts.settings = settings
	s.accounts.settings.Sightings = slices.Clone(settings.Sightings)
}
