// Package fleet says how manifests stand, by what the operator has told in their status: one in full, and thousands in counts and in those
// that need somebody's attention. It is pure: the caller reads the cluster, page by page, and what is kept here is bounded.
package fleet
