// Package admission has the policies that the operator knows by heart: it trusts what they vouch for only where they are installed as
// they are here.
package admission

import "embed"

// Guard is the policy that vouches for who broke a glass, and its binding, as YAML.
//
//go:embed guard.yaml
var Guard []byte

// Files are all policies, and the roles with the verbs that they ask for, as YAML.
//
//go:embed *.yaml
var Files embed.FS
