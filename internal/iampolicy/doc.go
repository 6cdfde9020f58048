// Package iampolicy plans the change of a resource's IAM policy: what a manifest says and what is live, to the policy that is to be
// written. It knows nothing of which resource it works on, and calls nobody.
//
// A grant is one member holding one role under one condition, or under none. Grants are compared in their normal form: e-mails,
// domains and prefixes in Google's letter case, conditions without white space that means nothing; the order of anything, and roles
// and members that are listed twice, mean nothing either. What is not changed is written back to the letter.
//
// What the manifest would remove of what is live and not wanted:
//
//	Additive              what is own
//	AuthoritativeRoles    what is own, and everything in the roles that are listed, under any condition
//	Authoritative         everything
//	nothing said          what is own: so with a manifest without bindings, or one that is being deleted
//
// Own are grants that this manifest made: those that its status records, and those that were pending when an attempt was lost and
// that are live. What was live before is not own, unless another manifest records it: then both own it, and it goes when neither
// wants it. What is own, not wanted and still there stays own, whyever it is there.
//
// What stays nevertheless:
//
//	what other manifests want                           always
//	anything, while references are missing              then nothing at all is removed
//	deleted: principals                                 unless own, or deletedPrincipals is Remove; reported
//	Holdfast's own access                               always; kept with a word
//	the last owners (roles/owner)                       always; kept with a word
//	service agents' roles (…serviceAgent)               unless own and held by nobody's agent; kept with a word
//	service agents in other roles                       unless own; kept with a word
//	grants for a limited time (request.time)            unless own; kept with a word
//
// A person must approve (Plan.Hold) more removals than MaxRemovals, whoever made the grants; removing an owner; the first removals in
// an authoritative mode; and removing others' groups, domains or sets, if Holdfast itself is granted nothing in the policy, since it
// may have its access by them.
//
// Not written at all (Plan.Refusal) is what would leave nothing of a policy that others had grants in; what removes others' grants
// while it is not known who Holdfast is; what adds beyond Google's limits; and anything to a policy that came without an etag.
package iampolicy
