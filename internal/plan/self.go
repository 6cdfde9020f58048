package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// pauseSelf is how often it is looked whether Holdfast's own identity has been found out.
const pauseSelf = time.Minute

// account is the e-mail of the resource that can be acted as; empty for any other, and for one that is not there.
func (s subject) account() string {
	if s.Kind.Principal == nil || !s.exists() || s.seen.Fields.Live.Object == nil {
		return ""
	}
	return s.Kind.Referent(s.seen.Fields.Live.Object)
}

// isOwnAccount says whether the resource is an account that Holdfast acts as, for whatever namespace.
func (s subject) isOwnAccount() bool {
	account := s.account()
	return account != "" && (s.env.Self.ActsAs(account) || s.env.Self.ActsAs(s.identity().UID))
}

// created says whether the manifest has created this very resource. What cannot be proven was adopted.
func (s subject) created() bool {
	uid := s.identity().UID
	return s.exists() && uid != "" && (s.record.CreatedIdentity == uid || s.createdUnrecorded())
}

// notAllowed is the verdict that the Namespace does not allow what the manifest asks for.
func (s subject) notAllowed(why, permission string) *Verdict {
	return leave(v1alpha1.ReasonNotAllowed, fmt.Sprintf("%s. An administrator can allow it to all objects in the namespace: %s",
		why, s.env.Binding.With(s.Object.GetNamespace(), permission)))
}

// ruleOwnAccount: whoever may act as an account that Holdfast acts as can do all that Holdfast can, and whoever may change its policy can keep
// Holdfast from it.
func ruleOwnAccount(s subject) *Verdict {
	account := s.account()
	if account == "" {
		return nil
	}
	disables := slices.ContainsFunc(s.so.Changes, func(c diff.Change) bool { return c.Path == s.Kind.Principal.Disabled && c.To == "true" })
	switch writes := s.so.Policy.Writes(); {
	case s.isOwnAccount() && disables:
		return s.keepSelf("disabling")
	case s.isOwnAccount() && writes && !s.env.Binding.Allow(v1alpha1.AllowPolicyOfOwnAccounts):
		return s.notAllowed(fmt.Sprintf("Holdfast itself acts as %s, so no manifest changes its IAM policy: leave %s out of this one",
			account, s.Kind.Policy.Path), v1alpha1.AllowPolicyOfOwnAccounts)
	case s.env.Self.Incomplete && (disables || writes && !s.so.Created):
		return s.unknownSelf(account + " may be it")
	default:
		return nil
	}
}

func (s subject) keepSelf(doing string) *Verdict {
	return leave(v1alpha1.ReasonInvalid, fmt.Sprintf(
		"Holdfast itself acts as %s, so %s it would lock Holdfast out: do it yourself once Holdfast acts as another account", s.account(), doing))
}

// unknownSelf keeps what may be about Holdfast's own account from being changed.
func (s subject) unknownSelf(doubt string) *Verdict {
	v := leave(v1alpha1.ReasonInvalid, fmt.Sprintf("Holdfast does not know its own identity, and %s: set --gcp-identity to Holdfast's own e-mail", doubt))
	v.After = pauseSelf
	return v
}

func ruleDeletionOwnAccount(s subject) *Verdict {
	switch account := s.account(); {
	case account == "":
		return nil
	case s.isOwnAccount():
		return s.sayingHowToLetGo(s.keepSelf("deleting"))
	case s.env.Self.Incomplete && !s.so.Created:
		return s.sayingHowToLetGo(s.unknownSelf(account + " may be it"))
	default:
		return nil
	}
}

func (s subject) sayingHowToLetGo(v *Verdict) *Verdict {
	v.Message += ". " + LettingGo(s.Manifest)
	return v
}

// ruleAdoptedAccount: who may act as an account that the manifest has created gains no more than whoever wrote the manifest gave to the
// account. One that was there before may have any rights.
func ruleAdoptedAccount(s subject) *Verdict {
	account, p := s.account(), s.so.Policy
	if account == "" || !p.Writes() || len(p.Plan.Add) == 0 || s.so.Created || s.isOwnAccount() ||
		s.env.Binding.Allow(v1alpha1.AllowGrantsOnAdoptedAccounts) {
		return nil
	}
	return s.notAllowed(fmt.Sprintf("this manifest has not created %s, as far as Holdfast knows, so it grants nothing on it: leave %s.bindings out, "+
		"or let it create an account of another name", account, s.Kind.Policy.Path), v1alpha1.AllowGrantsOnAdoptedAccounts)
}

// ruleOverOwnAccounts: what is granted on a project is granted on its service accounts, too.
func ruleOverOwnAccounts(s subject) *Verdict {
	p := s.so.Policy
	if !s.Kind.Shared() || !p.Writes() || s.env.Binding.Allow(v1alpha1.AllowGrantsOverOwnAccounts) {
		return nil
	}
	accounts := s.env.Self.AccountsIn(s.env.Ref.Project)
	var grants []string
	for _, g := range p.Plan.Add {
		if iampolicy.ReachesAccounts(g.Role) {
			grants = append(grants, g.String())
		}
	}
	switch {
	case len(grants) > 0 && len(accounts) == 0 && s.env.Self.Incomplete:
		return s.unknownSelf("it may be in project " + s.env.Ref.Project + ", where roles that are granted on the project reach it: " + List(grants))
	case len(accounts) == 0 || len(grants) == 0:
		return nil
	}
	return s.notAllowed(fmt.Sprintf("Holdfast itself acts as %s, which is in project %q, and roles that are granted on the project reach it: %s. "+
		"Grant a narrower role, or grant it on a single resource", List(accounts), s.env.Ref.Project, List(grants)),
		v1alpha1.AllowGrantsOverOwnAccounts)
}

// uses are what the resource uses already, by their names: to leave that as it is Google is asked for nothing.
func (s subject) uses() map[string]bool {
	has := map[string]bool{}
	if s.exists() && s.seen.Fields.Live.Object != nil {
		for _, use := range s.Kind.Uses(s.seen.Fields.Live.Object) {
			has[use.Value] = true
		}
	}
	return has
}

// ruleUses keeps the operator's rights in other projects from being everybody's. It decides by the manifest and the resource itself, so that it
// tells nothing of what there is elsewhere.
func ruleUses(s subject) *Verdict {
	if s.Kind.Uses == nil || s.so.Fields == nil || s.exists() && len(s.so.Fields.Changes) == 0 {
		return nil
	}
	reach, has := s.env.Binding.Reach, s.uses()
	for _, use := range s.Kind.Uses(s.Object) {
		if reach.Has(use.Project) || has[use.Value] {
			continue
		}
		hint := "use one in a project of the namespace, or ask an administrator to add the project to " + v1alpha1.AllowedProjectIDsAnnotation
		if use.Project == "" || strings.Trim(use.Project, "0123456789") == "" {
			hint = "name one by the ID of its project"
		}
		return leave(v1alpha1.ReasonNotAllowed, fmt.Sprintf("%s is %s, which is not known to be in a project that namespace %q is bound to: %s",
			use.Path, use.Value, s.Object.GetNamespace(), hint))
	}
	return nil
}
