package plan

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// unobservedRules decide before anybody looks at Google Cloud.
func unobservedRules(s subject) []rule {
	if s.deleting() {
		return unobservedDeletionRules
	}
	return []rule{
		{"the namespace must reach the project", ruleBinding},
		{"one of several manifests owns the resource", ruleRival},
	}
}

// rules decide once Google Cloud was looked at; the last of them always does.
func (s subject) rules() []rule {
	switch {
	case s.deleting():
		return deletionRules
	case s.management() == v1alpha1.ManagementObserve:
		return observeRules
	default:
		return manageRules
	}
}

// seenRules are about what could not be seen, or must not be.
var seenRules = []rule{
	{"a project that is shut down shows nothing that counts", ruleShutDown},
	{"what Google says of a resource that is new, or was just there, may change", ruleNotYet},
	{"the resource must be readable", ruleUnreadable},
	{"a project whose policy is managed must exist", ruleNoProject},
	{"a name that another project holds is none of our business", ruleForeignProject},
}

// observeRules are for management: Observe, which never writes.
var observeRules = append(append([]rule{}, seenRules...),
	rule{"observed: it must exist", ruleObservedAbsent},
	rule{"observed: differences are told", ruleObservedDiffers},
	rule{"the policy must be readable", rulePolicyUnreadable},
	rule{"observed: references must resolve", ruleObservedWaits},
	rule{"observed: it matches", ruleUpToDate},
)

// manageRules are for everything that may write.
var manageRules = append(append([]rule{}, seenRules...),
	rule{"another installation's resource is left alone", ruleForeignOwner},
	rule{"adoption: Never takes nothing over", ruleNeverAdopt},
	rule{"what Google rejected is not tried again", ruleUnwritable},
	rule{"what Google stores under another name is told", ruleStoredOtherwise},
	rule{"the policy must be readable, if nothing else is to be done", rulePolicyUnreadable},
	rule{"references must resolve, if nothing else is to be done", ruleWaits},
	rule{"it matches", ruleUpToDate},
	rule{"immutable fields do not change", ruleImmutable},
	rule{"nobody is let in as Holdfast, and Holdfast is not locked out", ruleOwnAccount},
	rule{"granting on an adopted account takes a permission", ruleAdoptedAccount},
	rule{"no grant on a project reaches the accounts that Holdfast acts as", ruleOverOwnAccounts},
	rule{"what is used is in a project of the namespace", ruleUses},
	rule{"break-glass puts writes on hold", ruleGlass},
	rule{"nothing is adopted that could not be seen in full", ruleAdoptUnseen},
	rule{"adopting what differs waits for a person", ruleAdoption},
	rule{"management: Approve waits for a person", ruleApprove},
	rule{"a change that cannot be undone waits for a person", ruleFieldHold},
	rule{"a change that loses data waits for a person", ruleDataLoss},
	rule{"what the spec has no field for is not removed unseen", ruleUnmanagedHold},
	rule{"a risky change of the policy waits for a person", rulePolicyHold},
	rule{"what differs is written", ruleWrite},
)

func ruleBinding(s subject) *Verdict {
	if s.env.Refusal == nil {
		return nil
	}
	return blind(s.env.Refusal.Reason, s.refusal())
}

// refusal says why the Namespace does not allow the manifest its project. Where nobody knows whether there is anything in the project that
// the manifest is bound to, allowing it for good is not the obvious thing to do.
func (s subject) refusal() string {
	refusal := s.env.Refusal
	if refusal.Reason != v1alpha1.ReasonBindingChanged || s.record.Identity != "" {
		return refusal.Message
	}
	return fmt.Sprintf("%s may have been written to in project %q, since the answer of Google Cloud was lost, and the namespace no longer allows that project; "+
		"Holdfast will not write or delete. Look whether it is there. If not, or if it may stay there unmanaged: delete this manifest with "+
		"spec.deletionPolicy Orphan and apply it again. To keep it there: %s", s.record.ExternalName, s.record.Project, refusal.Allow)
}

func ruleRival(s subject) *Verdict {
	winner := s.winner()
	if winner == nil {
		return nil
	}
	name := winner.GetNamespace() + "/" + winner.GetName()
	if s.Kind.Shared() {
		return blind(v1alpha1.ReasonConflict, fmt.Sprintf("conflicts with the manifest %s: both claim a role, a service's audit config or the whole "+
			"policy; change spec.mode, or remove what both mention from one of them", name))
	}
	return blind(v1alpha1.ReasonConflict, fmt.Sprintf("the manifest %s declares the same resource and owns it; delete one of the two", name))
}

func ruleUnreadable(s subject) *Verdict {
	if s.seen.Fields.Err == nil {
		return nil
	}
	return &Verdict{Action: Leave, Err: s.seen.Fields.Err, Doing: "reading the " + s.name(), Blind: true}
}

func rulePolicyUnreadable(s subject) *Verdict {
	if s.seen.Policy.Err == nil || len(s.so.Changes) > 0 {
		return nil
	}
	if v := s.notYet(ReadingPolicy(s.Kind), s.seen.Policy.Err); v != nil {
		return v
	}
	return &Verdict{Action: Leave, Err: s.seen.Policy.Err, Doing: ReadingPolicy(s.Kind), Blind: s.Kind.Shared()}
}

// ReadingPolicy is what is being done when a kind's policy is read, for errors.
func ReadingPolicy(k kind.Kind) string {
	if k.Shared() {
		return "reading the " + k.Name
	}
	return "reading the IAM policy of the " + k.Name
}

func ruleNotYet(s subject) *Verdict {
	v := s.notYet("reading the "+s.name(), cmp.Or(s.seen.Fields.Err, s.seen.Fields.Missing))
	if v != nil {
		v.Blind = true
	}
	return v
}

func ruleNoProject(s subject) *Verdict {
	if !s.Kind.Shared() || s.seen.Policy.Err == nil || s.seen.Policy.Err.Class != kind.NotFound {
		return nil
	}
	return blind(v1alpha1.ReasonNotFound, s.externalName()+" does not exist")
}

func ruleForeignProject(s subject) *Verdict {
	if !s.seen.Fields.Foreign {
		return nil
	}
	return blind(v1alpha1.ReasonConflict, fmt.Sprintf(
		"the name of this %s belongs to another Google Cloud project; create a new object with another spec.resourceID", s.name()))
}

func ruleObservedAbsent(s subject) *Verdict {
	if s.exists() {
		return nil
	}
	return leave(v1alpha1.ReasonNotFound, s.name()+" does not exist ("+s.managementIs()+")")
}

func ruleObservedDiffers(s subject) *Verdict {
	if len(s.so.Changes) == 0 {
		return nil
	}
	return leave(v1alpha1.ReasonDiffers, "Google Cloud differs from the manifest in "+List(s.so.Changes.Paths())+" ("+s.managementIs()+")")
}

func ruleObservedWaits(s subject) *Verdict {
	p := s.so.Policy
	switch {
	case p == nil:
		return nil
	case p.NotAllowed() != "":
		return leave(v1alpha1.ReasonReferenceNotAllowed, p.NotAllowed())
	case p.Waits() != "":
		return leave(v1alpha1.ReasonAwaitingReference, "unresolved references: "+p.Waits()+" ("+s.managementIs()+")")
	}
	return nil
}

func ruleForeignOwner(s subject) *Verdict {
	live := s.identity().Labels
	if !s.exists() || readMark(live, s.marks()) != markForeign {
		return nil
	}
	return leave(v1alpha1.ReasonConflict, fmt.Sprintf(
		"%s is owned by another installation: %s. Delete that manifest there (its deletionPolicy Orphan removes the label), or remove the label %s yourself",
		s.name(), foreignOwner(live), v1alpha1.OwnerLabel))
}

func ruleNeverAdopt(s subject) *Verdict {
	sharing := s.Kind.Shared() && s.so.Policy.granting()
	if !s.exists() || s.so.Owned || sharing || s.spec().Adoption != v1alpha1.AdoptionNever {
		return nil
	}
	return leave(v1alpha1.ReasonConflict, fmt.Sprintf(
		"%s %s and spec.adoption is Never; to adopt it, set spec.adoption to IfMatches or Always", s.name(), s.existedBefore()))
}

// idle says that none of the changes can be written now.
func (s subject) idle() bool {
	return s.exists() && (s.so.Fields == nil || len(s.so.Fields.Changes) == 0) && !s.so.Policy.Writes()
}

func ruleUnwritable(s subject) *Verdict {
	unwritable := s.so.Policy.Unwritable()
	if unwritable == "" || !s.idle() || s.heldBy() != "" {
		return nil
	}
	return leave(v1alpha1.ReasonInvalid, unwritable)
}

func ruleStoredOtherwise(s subject) *Verdict {
	otherwise := s.so.Policy.StoredOtherwise()
	if otherwise == "" || !s.idle() || s.heldBy() != "" {
		return nil
	}
	return leave(v1alpha1.ReasonNotApplied, otherwise)
}

func ruleWaits(s subject) *Verdict {
	p := s.so.Policy
	switch {
	case p == nil || !s.idle():
		return nil
	case p.NotAllowed() != "":
		return leave(v1alpha1.ReasonReferenceNotAllowed, p.NotAllowed())
	case p.Waits() != "":
		return leave(v1alpha1.ReasonAwaitingReference, "everything else is applied; waiting for "+p.Waits())
	}
	return nil
}

func ruleUpToDate(s subject) *Verdict {
	if len(s.so.Changes) > 0 {
		return nil
	}
	return leave(v1alpha1.ReasonUpToDate, s.so.UpToDate())
}

// UpToDate is what is said of a resource that there is nothing to do for.
func (a Assessment) UpToDate() string {
	said := UpToDate
	if a.restricted != "" {
		said += " (" + a.restricted + ")"
	}
	if lost := a.Policy.Lost(); lost != "" {
		said += "; " + lost
	}
	return said
}

// UpToDate says that there is no difference.
const UpToDate = "Google Cloud matches the manifest"

func ruleImmutable(s subject) *Verdict {
	if !s.exists() {
		return nil
	}
	var said []string
	for _, c := range s.so.Changes {
		if why := s.Kind.FieldTraits.Immutable(c.Path); why != "" {
			said = append(said, fmt.Sprintf("%s is %s and cannot be changed to %s: %s", c.Path, orUnset(c.From), orUnset(c.To), why))
		}
	}
	if len(said) == 0 {
		return nil
	}
	return leave(v1alpha1.ReasonImmutable, strings.Join(said, "; "))
}

func ruleGlass(s subject) *Verdict {
	held := s.heldBy()
	if held == "" {
		return nil
	}
	return leave(v1alpha1.ReasonBreakGlass, held+"; on hold: "+List(s.so.Changes.Paths()))
}

// hold is the verdict that a plan waits for approval, unless it has it.
func (s subject) hold(reason, why string) *Verdict {
	if why == "" || s.so.Approved {
		return nil
	}
	return &Verdict{Action: Hold, Reason: reason, Message: why}
}

// ruleAdoptUnseen keeps a person from approving the half of a difference.
func ruleAdoptUnseen(s subject) *Verdict {
	if s.seen.Policy.Err == nil || !s.exists() || s.so.Owned || s.spec().Adoption == v1alpha1.AdoptionAlways {
		return nil
	}
	return &Verdict{Action: Leave, Err: s.seen.Policy.Err, Doing: ReadingPolicy(s.Kind)}
}

func ruleAdoption(s subject) *Verdict {
	if !s.exists() || s.so.Owned || s.spec().Adoption == v1alpha1.AdoptionAlways || s.so.Granting {
		return nil
	}
	return s.hold(v1alpha1.ReasonAwaitingAdoption,
		fmt.Sprintf("%s %s and differs from the manifest in %s", s.name(), s.existedBefore(), List(DangerousFirst(s.Kind, s.so.Changes).Paths())))
}

// granting says that what differs is the IAM policy in Additive mode, and nothing else: granting is not taking over.
func (s subject) granting() bool {
	return (s.so.Fields == nil || len(s.so.Fields.Changes) == 0) && s.so.Policy.granting()
}

func ruleApprove(s subject) *Verdict {
	if s.management() != v1alpha1.ManagementApprove {
		return nil
	}
	return s.hold(v1alpha1.ReasonAwaitingApproval, s.managementIs())
}

func ruleFieldHold(s subject) *Verdict {
	if !s.exists() {
		return nil
	}
	for _, c := range s.so.Changes {
		if why := s.Kind.FieldTraits.Hold(c); why != "" {
			return s.hold(v1alpha1.ReasonAwaitingApproval, why)
		}
	}
	return nil
}

// ruleUnmanagedHold lets nothing be removed that no manifest can ask for, and whose meaning nobody here knows: a condition more makes a
// lifecycle rule delete fewer objects. Refusing for good would leave no way to a clean list but the console.
func ruleUnmanagedHold(s subject) *Verdict {
	if s.so.Fields == nil || len(s.so.Fields.Lost) == 0 {
		return nil
	}
	var lost []string
	for _, u := range s.so.Fields.Lost {
		lost = append(lost, fmt.Sprintf("%s (%s)", u.Path, text.Cut(u.Value, longestText)))
	}
	return s.hold(v1alpha1.ReasonAwaitingApproval, fmt.Sprintf("this removes %s, for which the spec has no field; to keep it, leave the field that it is in "+
		"out of the manifest", List(lost)))
}

func rulePolicyHold(s subject) *Verdict {
	if s.so.Policy == nil {
		return nil
	}
	return s.hold(v1alpha1.ReasonAwaitingApproval, s.so.Policy.Plan.Hold)
}

func ruleWrite(s subject) *Verdict {
	if s.exists() {
		return &Verdict{Action: Update}
	}
	return &Verdict{Action: Create}
}

// existedBefore says how it comes that a resource is there that the manifest does not own.
func (s subject) existedBefore() string {
	if s.record.Identity != "" {
		return "was deleted and recreated by somebody else"
	}
	return "already exists"
}
