package iam

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// dump is the state as JSON.
type dump struct {
	Accounts []*account                 `json:"accounts,omitempty"`
	Policies map[string]json.RawMessage `json:"policies,omitempty"`
	Made     int                        `json:"made,omitempty"`
}

// Dump returns all accounts, deleted ones too, and the policies on them by
// unique ID. Settings are left out.
func (s *Service) Dump() any {
	d := dump{Policies: s.policies.Dump()}
	d.Accounts, d.Made = s.accounts.all()
	return d
}

// Load replaces everything by what Dump returned.
func (s *Service) Load(encoded json.RawMessage) error {
	var d dump
	if err := json.Unmarshal(encoded, &d); err != nil {
		return fmt.Errorf("reading the state of IAM: %w", err)
	}
	if err := s.policies.Load(d.Policies); err != nil {
		return fmt.Errorf("reading the state of IAM: %w", err)
	}
	s.accounts.replace(d.Accounts, d.Made)
	return nil
}

// all returns copies of all accounts, ordered by unique ID, and how many were
// ever made.
func (s *accounts) all() (list []*account, made int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.byUID {
		copied := *a
		list = append(list, &copied)
	}
	slices.SortFunc(list, func(a, b *account) int { return cmp.Compare(a.UniqueID, b.UniqueID) })
	return list, s.made
}

// replace puts other accounts in the place of all that there are.
func (s *accounts) replace(list []*account, made int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	s.made = made
	for _, a := range list {
		s.byUID[a.UniqueID] = a
		if a.live() {
			s.add(a)
		}
	}
}
