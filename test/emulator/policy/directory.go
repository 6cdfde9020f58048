package policy

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/holdfast-dev/holdfast/test/emulator/projects"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// Accounts knows the service accounts that exist.
type Accounts interface {
	// UniqueID returns who has an e-mail address now.
	UniqueID(email string) (uid string, ok bool)
	// Exists reports whether an account is there and not deleted.
	Exists(uid string) bool
}

// State is what there is behind a principal's name.
type State string

// The states of principals.
const (
	// Known is what everybody is who is not said to be anything else.
	Known State = "known"
	// Unknown never was there.
	Unknown State = "unknown"
	// Deleted was there: policies show it as "deleted:…?uid=…".
	Deleted State = "deleted"
)

// noDomain is a domain in which nobody is known, from the beginning.
const noDomain = "domain:invalid.example"

// Directory knows which principals can be granted something. All methods may
// be called at any time.
type Directory struct {
	projects *projects.Registry

	mu       sync.Mutex
	accounts Accounts
	states   map[string]State
	spelling map[string]string
	// aliases are the primary names of those that have another one too.
	aliases map[string]string
}

// NewDirectory returns a directory in which everybody is known but the
// principals of the domain invalid.example, and the service accounts of the
// registry's projects that do not exist.
func NewDirectory(registry *projects.Registry) *Directory {
	return &Directory{
		projects: registry, states: map[string]State{noDomain: Unknown}, spelling: map[string]string{}, aliases: map[string]string{},
	}
}

// UseAccounts sets who knows the service accounts; without that no account of
// the registry's projects exists.
func (d *Directory) UseAccounts(accounts Accounts) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.accounts = accounts
}

// Set says what there is behind a principal's name, such as
// "user:ada@example.com", or, for a domain ("domain:example.com"), behind
// every name in it. A user's address is shown the way it is spelt here,
// though letter case makes no difference to who is meant. Service accounts of
// the registry's projects are what the IAM service says, whatever is set here.
func (d *Directory) Set(principal string, state State) error {
	m, err := parseMember(principal)
	switch {
	case err != nil:
		return fmt.Errorf("principal %q: %w", principal, err)
	case m.deleted || m.public():
		return fmt.Errorf("principal %q: want a name such as user:ada@example.com", principal)
	case state != Known && state != Unknown && state != Deleted:
		return fmt.Errorf("state %q: want %q, %q or %q", state, Known, Unknown, Deleted)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.states[m.String()] = state
	d.spelling[m.String()] = principal
	return nil
}

// Principals returns what was set, by name.
func (d *Directory) Principals() map[string]State {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]State{}
	for name, state := range d.states {
		all[d.spelt(name)] = state
	}
	return all
}

// Load replaces what was set by what Principals returned.
func (d *Directory) Load(principals map[string]State) error {
	loaded := NewDirectory(d.projects)
	loaded.states = map[string]State{}
	for _, name := range slices.Sorted(maps.Keys(principals)) {
		if err := loaded.Set(name, principals[name]); err != nil {
			return fmt.Errorf("reading principals: %w", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.states, d.spelling = loaded.states, loaded.spelling
	return nil
}

// bind turns a member that somebody wants to grant something to into the
// form that policies are kept in: service accounts as
// "serviceAccount:EMAIL?uid=UID", so that they stay who they are after they
// were deleted; everything else as it is shown, aliases by their primary names.
// Held says which members the policy has already, in that form.
func (d *Directory) bind(m member, held map[string]bool) (string, error) {
	m = d.primary(m)
	switch {
	case m.deleted:
		return d.bindDeleted(m, held)
	case m.kind == serviceAccountType && d.ours(m.value):
		uid, ok := d.uniqueID(m.value)
		if !ok {
			return "", invalid("Service account %s does not exist.", m.value)
		}
		return bound(m.value, uid), nil
	case d.state(m) != Known:
		return "", invalid("%s %s does not exist.", titles[m.kind], m.value)
	default:
		return m.String(), nil
	}
}

// titles are what errors call the types of members.
var titles = map[string]string{
	userType: "User", groupType: "Group", domainType: "Domain", serviceAccountType: "Service account",
	principalType: "Principal", principalSetType: "Principal set",
}

// bindDeleted takes a deleted member only where it is already.
func (d *Directory) bindDeleted(m member, held map[string]bool) (string, error) {
	if held[m.String()] { // of a state that was not made here
		return m.String(), nil
	}
	form := bound(m.value, m.uid)
	if m.kind != serviceAccountType || !d.ours(m.value) {
		form = member{kind: m.kind, value: m.value}.String()
	}
	if !held[form] {
		return "", invalid("Deleted member %s cannot be added to a policy.", m)
	}
	return form, nil
}

func bound(email, uid string) string { return serviceAccountType + ":" + email + "?uid=" + uid }

// show turns a member from the form that policies are kept in into the one
// that they are shown in.
func (d *Directory) show(form string) string {
	form = strings.TrimPrefix(form, "deleted:")
	plain, uid, isBound := strings.Cut(form, "?uid=")
	if isBound {
		if d.exists(uid) {
			return plain
		}
		return "deleted:" + form
	}
	m, err := parseMember(form)
	if err != nil || m.public() {
		return form
	}
	if d.state(m) == Deleted {
		m.deleted, m.uid = true, uidOf(form)
		return m.String()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.spelt(form)
}

// spelt returns a name as it was spelt when it was set; the caller holds d.mu.
func (d *Directory) spelt(name string) string {
	if spelling, ok := d.spelling[name]; ok {
		return spelling
	}
	return name
}

// state is what was set for a member, or else for its domain.
func (d *Directory) state(m member) State {
	d.mu.Lock()
	defer d.mu.Unlock()
	if state, ok := d.states[m.String()]; ok {
		return state
	}
	if _, domain, ok := strings.Cut(m.value, "@"); ok {
		if state, ok := d.states[domainType+":"+domain]; ok {
			return state
		}
	}
	return Known
}

func (d *Directory) uniqueID(email string) (string, bool) {
	accounts := d.knownAccounts()
	if accounts == nil {
		return "", false
	}
	return accounts.UniqueID(email)
}

func (d *Directory) exists(uid string) bool {
	accounts := d.knownAccounts()
	return accounts != nil && accounts.Exists(uid)
}

// knownAccounts is read under the lock and used outside of it, since the
// accounts have a lock of their own.
func (d *Directory) knownAccounts() Accounts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.accounts
}

// accountDomain is where the e-mail addresses of user-managed accounts end.
const accountDomain = ".iam.gserviceaccount.com"

// ours reports whether an e-mail address is one of a user-managed account in
// a project that is the caller's own. Those of other people's projects, those
// that Google makes, and the caller itself are taken to exist.
func (d *Directory) ours(email string) bool {
	if email == traffic.Caller {
		return false
	}
	_, domain, _ := strings.Cut(email, "@")
	project, ok := strings.CutSuffix(domain, accountDomain)
	if !ok {
		return false
	}
	if name, scope, scoped := strings.Cut(project, "."); scoped {
		project = scope + ":" + name
	}
	known, ok := d.projects.Known(project)
	return ok && !known.Foreign
}

// uidOf makes the 21 digits of a deleted principal out of its name.
func uidOf(name string) string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(name)) // a hash never fails to be written to
	return fmt.Sprintf("1%020d", hash.Sum64())
}
