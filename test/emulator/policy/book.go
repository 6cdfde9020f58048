package policy

import (
	"encoding/json"
	"fmt"
	"sync"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/protobuf/encoding/protojson"
)

// Book keeps the policies of a service's resources, by their names. All
// methods may be called at any time; that a resource exists is for the
// service to know.
type Book struct {
	rules Rules

	mu       sync.Mutex
	policies map[string]*iampb.Policy
}

// NewBook returns a book without policies.
func NewBook(rules Rules) *Book { return &Book{rules: rules, policies: map[string]*iampb.Policy{}} }

// Get answers a call that reads the policy of a resource.
func (b *Book) Get(name string, request *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rules.Directory.Show(b.policy(name), request.GetOptions().GetRequestedPolicyVersion())
}

// Check refuses a write of bindings by rules that are not those of all
// policies: current is the policy as it is shown, sent the one in its place.
type Check func(current, sent *iampb.Policy) error

// Set answers a call that writes the policy of a resource, if no check refuses
// it.
func (b *Book) Set(name string, request *iampb.SetIamPolicyRequest, checks ...Check) (*iampb.Policy, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.replace(name, request, checks...)
}

// Read returns the policy of a resource with all that it has.
func (b *Book) Read(name string) *iampb.Policy {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rules.Directory.ShowAll(b.policy(name))
}

// Edit changes the policy of a resource, by the same rules as anybody.
func (b *Book) Edit(name string, edit func(*iampb.Policy)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	edited := b.rules.Directory.ShowAll(b.policy(name))
	edit(edited)
	edited.Etag, edited.Version = nil, conditional
	_, err := b.replace(name, &iampb.SetIamPolicyRequest{Policy: edited, UpdateMask: everything})
	return err
}

// Drop forgets the policy of a resource.
func (b *Book) Drop(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.policies, name)
}

func (b *Book) replace(name string, request *iampb.SetIamPolicyRequest, checks ...Check) (*iampb.Policy, error) {
	current := b.policy(name)
	next, err := b.rules.Replace(current, request.GetPolicy(), request.GetUpdateMask())
	if err != nil {
		return nil, err
	}
	if written, _ := maskOf(request.GetUpdateMask()); written.bindings {
		for _, check := range checks {
			if err := check(b.rules.Directory.ShowAll(current), request.GetPolicy()); err != nil {
				return nil, err
			}
		}
	}
	b.policies[name] = next
	return b.rules.Directory.ShowAll(next), nil
}

// policy returns the policy of a resource as it is kept; the caller holds
// b.mu.
func (b *Book) policy(name string) *iampb.Policy {
	if p, ok := b.policies[name]; ok {
		return p
	}
	return Empty()
}

// Dump returns all policies in Google's own JSON form, with members as they
// are kept.
func (b *Book) Dump() map[string]json.RawMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	dump := map[string]json.RawMessage{}
	for name, p := range b.policies {
		encoded, err := protojson.Marshal(p)
		if err != nil {
			panic(fmt.Sprintf("policy: encoding the policy of %s: %v", name, err))
		}
		dump[name] = encoded
	}
	return dump
}

// Load replaces all policies by what Dump returned.
func (b *Book) Load(dump map[string]json.RawMessage) error {
	loaded := map[string]*iampb.Policy{}
	for name, raw := range dump {
		p := &iampb.Policy{}
		if err := protojson.Unmarshal(raw, p); err != nil {
			return fmt.Errorf("reading the policy of %s: %w", name, err)
		}
		loaded[name] = p
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.policies = loaded
	return nil
}
