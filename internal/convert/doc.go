// Package convert makes manifests of what other tools keep: the manifests of Config Connector, and the state of Terraform.
//
// Each field of the source is either in a manifest or in a note that says why not (rules.go): what the tables do not know is told, so that
// nothing is dropped in silence, whatever a later version of those tools adds. Grants are gathered from all over the source into the manifest
// of their resource (grants.go). It is pure: text in, manifests out.
package convert
