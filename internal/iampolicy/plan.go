package iampolicy

import (
	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
)

// DefaultMaxRemovals is how many members a plan may remove from their roles unless the manifest says otherwise.
const DefaultMaxRemovals = 10

// Input is what a plan is made from.
type Input struct {
	// Live is the policy as it was read.
	Live Policy
	// Prefix is where the policy stands in the manifest: spec, or spec.iam.
	Prefix string
	// Mode is how much of the policy the manifest owns.
	Mode v1alpha1.IAMMode
	// Managed says that the manifest speaks of the policy. One that does not, or no longer, and wants nothing, has its recorded
	// grants revoked, whatever the mode.
	Managed bool
	// Wanted are the grants of the manifest, references resolved.
	Wanted []Grant
	// Unresolved says that references are missing from Wanted. Nothing is removed then.
	Unresolved bool
	// AuditConfigs are wanted. Services that are not among them stay as they are.
	AuditConfigs []AuditConfig
	// AuditServices are those that this manifest set before. One that left it is reset to no logging.
	AuditServices []string
	// Recorded are the grants that this manifest made, by its status.
	Recorded []Grant
	// Pending are the grants that this manifest was about to make when it was last heard of.
	Pending []Grant
	// Declared are the grants that other manifests of the same resource want now. They are never revoked.
	Declared []Grant
	// Shared are the grants that other manifests of the same resource recorded as theirs. Those that are wanted here too are
	// owned by both, and live until both have dropped them.
	Shared []Grant
	// DeletedPrincipals says what becomes of grants whose principal was deleted. Empty: Keep.
	DeletedPrincipals v1alpha1.IAMDeletedPrincipals
	// MaxRemovals is how many members may be removed from their roles without approval.
	MaxRemovals int
	// First says that no plan has been applied yet in this mode.
	First bool
	// Self is the e-mail of whom the policy is written as. Empty: unknown.
	Self string
	// Refused are members that Google does not accept. They are not added, and go on to differ.
	Refused []string
}

// Plan is what shall happen to a policy.
type Plan struct {
	// Changes are what differs from the manifest, refused members included.
	Changes diff.Changes
	// Next is the policy to write: the live one with the changes. It is the live one if there is nothing to write.
	Next Policy
	// Add and Revoke are the grants by which Next differs from the live policy.
	Add, Revoke []Grant
	// Own are the grants to record as this manifest's once the plan is applied, also if there is nothing to write.
	Own []Grant
	// Kept are the grants that the manifest would remove and that are left alone.
	Kept []Kept
	// Deleted are grants of deleted principals in the roles that the manifest speaks of.
	Deleted []Grant
	// Hold is why a person must approve the plan first. Empty: nobody needs to.
	Hold string
	// Refusal is why Next cannot be written at all. Empty: it can.
	Refusal string
	// Members and Groups count those of the live policy as Google does for its limits.
	Members, Groups int
}

// Kept is a grant that is left alone.
type Kept struct {
	Grant

	// Why says what keeps it, and how a person can remove it all the same.
	Why string
}

// Make plans the change.
func Make(in Input) Plan {
	return Plan{Next: in.Live}
}
