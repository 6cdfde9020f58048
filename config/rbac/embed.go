// Package rbac has the roles of people and of the operator, for whoever compares them with those of a cluster.
package rbac

import _ "embed"

// Users are the roles of people and GitOps tools, as YAML.
//
//go:embed users.yaml
var Users []byte

// Manager is what the operator may do, as YAML.
//
//go:embed role.yaml
var Manager []byte

// Metrics is what guarding the metrics takes, as YAML.
//
//go:embed metrics.yaml
var Metrics []byte
