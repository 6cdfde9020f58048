// Package inventory answers which project, which resource, which rivals and which references a manifest means. There is one answer,
// served from wherever manifests and Namespaces are: the API server's cache (internal/engine has that Source), or a folder
// (Folder), which nothing in the operator reads.
//
// It looks at manifests alone, never at Google Cloud.
package inventory
