// Package kind is the contract of a kind of resource: what all that is special to Buckets, Topics, ServiceAccounts or
// ProjectPolicies looks like to everybody else.
//
// A resource consists of parts, which are observed, planned and written one by one: its fields (Fields), and its IAM policy
// (Policy). A kind has one of them or both. A ProjectPolicy is the IAM policy of a project, which exists without Holdfast: it has
// no fields.
//
// What can be said of a kind without calling anybody is data (Traits): its names, Google's methods that it calls with their steps,
// quota scopes and permissions (Method), what is special about its fields, what its manifests refer to (References).
//
// A kind is written against the typed interfaces in typed.go and comes to everybody else without type parameters (Kind), by Of or
// PolicyOf. internal/kinds has the list of all kinds.
package kind
