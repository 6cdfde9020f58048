// Package admission has the policies that the operator knows by heart: it trusts what they vouch for only where they are installed as
// they are here.
package admission

import (
	"bytes"
	"embed"
)

// Operator is the user name by which the files know the operator: that of its service account in config/rbac.
const Operator = "system:serviceaccount:holdfast-system:holdfast-manager"

// For is the text of a file as it is installed for an operator of another name.
func For(operator string, text []byte) []byte {
	return bytes.ReplaceAll(text, []byte(Operator), []byte(operator))
}

// Guard is the policy that vouches for who broke a glass, and its binding, as YAML.
//
//go:embed guard.yaml
var Guard []byte

// Files are all policies, and the roles with the verbs that they ask for, as YAML.
//
//go:embed *.yaml
var Files embed.FS
