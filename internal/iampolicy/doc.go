// Package iampolicy plans the change of a resource's IAM policy: from what a manifest says and what is live to the policy that should
// be written. It does not know which resource that is, and makes no calls.
//
// A grant is one member having one role under one condition, or under none. Grants are compared in their normal form: e-mails,
// domains and prefixes in Google's letter case, conditions without insignificant white space. Neither order nor roles and members
// that are listed twice matter. What is not changed is written back exactly as it was read.
//
// Which live grants that are not wanted the manifest would remove:
//
//	Additive              its own
//	AuthoritativeRoles    its own, and all in the listed roles, under any condition
//	Authoritative         all
//	no policy             its own: for a manifest without a policy, or one that is being deleted
//
// Its own are the grants that this manifest made: those that its status records, and those that were pending when an attempt was lost
// and that are live. A grant that was live before is not its own, unless another manifest records it: then both own it, and it is
// removed when neither wants it; or unless existingGrants is Own, by which a manifest claims whatever it lists. A grant of its own that is
// not wanted and still live stays its own, whatever the reason.
//
// What is kept nevertheless:
//
//	what other manifests want                           always
//	everything, while references are unresolved         always
//	deleted: principals                                 unless its own, or deletedPrincipals is Remove; reported
//	Holdfast's own access                               always; reported
//	the last owners (roles/owner)                       always; reported
//	service agents' roles (…serviceAgent)               unless its own and the member is no service agent; reported
//	service agents in other roles                       unless its own; reported
//	grants for a limited time (request.time)            unless its own; reported
//
// A person must approve (Plan.Hold) more removals than MaxRemovals, whoever made the grants; removing an owner; the first removals in
// an authoritative mode; and removing others' groups, domains or sets, if Holdfast itself is granted nothing in the policy, since it
// may have its access through them.
//
// Never written (Plan.Refusal) is what would empty a policy that others had grants in; what removes others' grants while Holdfast
// does not know its own identity; what exceeds Google's limits; and anything to a policy that was returned without an etag.
package iampolicy
