// Package crd has the definitions of the kinds, for whoever checks manifests as the API server does without one.
package crd

import "embed"

// Bases are the CustomResourceDefinitions, one YAML file each.
//
//go:embed bases/*.yaml
var Bases embed.FS
