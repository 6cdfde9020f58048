// Package manifests reads manifests as people write them, from files, folders and kustomizations, and checks them as the API server would,
// without one: by the schemas, defaults and rules of the CustomResourceDefinitions.
package manifests
