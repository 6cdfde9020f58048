// Package inventory answers which project, which resource, which rivals and which references a manifest means. There is one answer,
// served from wherever manifests and Namespaces are: the API server's cache (internal/engine has that Source), or files
// (Folder), which internal/manifests reads and nothing in the operator does.
//
// It looks at manifests alone, never at Google Cloud.
package inventory
