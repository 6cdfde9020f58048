// Package layout says how manifests are written that nobody has written yet: what they are called in Kubernetes, which file they are in, and
// in which order their fields are. It depends on nothing but the resource, so that whoever writes the same manifest again writes the same
// bytes to the same file. It is pure.
package layout
