package policy

import (
	"fmt"
	"maps"
	"strings"
)

// Addresses at googlemail are other names of those at gmail.
const (
	googlemail = "@googlemail.com"
	gmail      = "@gmail.com"
)

// Alias says that a user or group has another address besides its primary one:
// policies that name the alias are stored, and shown, with the primary one.
// Both are members such as "user:ada@example.com".
func (d *Directory) Alias(alias, primary string) error {
	from, errFrom := parseMember(alias)
	to, errTo := parseMember(primary)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case errFrom != nil || errTo != nil || from.kind != to.kind || !from.aliasable() || !to.aliasable():
		return fmt.Errorf("alias %q of %q: want two users or two groups, such as user:ada@example.com", alias, primary)
	case from.value == to.value:
		return fmt.Errorf("alias %q of %q: want two addresses that differ in more than letter case", alias, primary)
	case d.aliases[to.String()] != "":
		return fmt.Errorf("alias %q of %q: the latter is an alias of %q itself", alias, primary, d.aliases[to.String()])
	}
	d.aliases[from.String()] = to.String()
	return nil
}

// aliasable reports whether a member can have several addresses.
func (m member) aliasable() bool {
	return (m.kind == userType || m.kind == groupType) && !m.deleted
}

// Aliases returns the primary names by alias.
func (d *Directory) Aliases() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.aliases)
}

// LoadAliases replaces all aliases by what Aliases returned.
func (d *Directory) LoadAliases(aliases map[string]string) error {
	loaded := NewDirectory(d.projects)
	for alias, primary := range aliases {
		if err := loaded.Alias(alias, primary); err != nil {
			return fmt.Errorf("reading aliases: %w", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.aliases = loaded.aliases
	return nil
}

// primary returns a member by its primary name.
func (d *Directory) primary(m member) member {
	if !m.aliasable() {
		return m
	}
	if address, aliased := strings.CutSuffix(m.value, googlemail); aliased && m.kind == userType {
		m.value = address + gmail
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if primary, aliased := d.aliases[m.String()]; aliased {
		m.value = strings.TrimPrefix(primary, m.kind+":")
	}
	return m
}
