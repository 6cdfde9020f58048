package iampolicy

import (
	"regexp"
	"slices"
	"strings"
)

// Self is whom Google Cloud knows this installation as, and by whom it becomes that.
type Self struct {
	// Email is that of the identity that writes the policy. Empty: unknown.
	Email string
	// Own is that of the installation's own account. Empty: unknown.
	Own string
	// Accounts are all others that the installation acts as, in whatever namespace.
	Accounts *Accounts
	// Members are further members by which it has its access, as IAM writes them. In serviceAccount:POOL[NAMESPACE/NAME] the pool may be
	// AnyPool.
	Members []string
	// Incomplete says that the installation's own account is unknown.
	Incomplete bool
}

// ActsAs says whether the installation acts as a service account, which goes by its e-mail or its unique ID.
func (s Self) ActsAs(account string) bool {
	account = lower(account)
	return account != "" && (account == lower(s.Email) || account == lower(s.Own) || s.Accounts.has(account))
}

// accountProject finds the project in the e-mail of a service account: NAME@PROJECT.iam.gserviceaccount.com, where the ID of a project of a
// domain is written backwards, or PROJECT@appspot.gserviceaccount.com.
var accountProject = regexp.MustCompile(`^(?:[^@]+@([^@.]+)(?:\.([^@]+))?\.iam|([^@]+)@appspot)\.gserviceaccount\.com$`)

// ProjectOfAccount is the ID of the project that a service account is in, by its e-mail; empty if that does not tell.
func ProjectOfAccount(email string) string {
	match := accountProject.FindStringSubmatch(lower(email))
	switch {
	case match == nil:
		return ""
	case match[3] != "":
		return match[3]
	case match[2] != "":
		return match[2] + ":" + match[1]
	}
	return match[1]
}

// AccountsIn are those accounts of the installation that are in a project.
func (s Self) AccountsIn(project string) []string {
	var in []string
	for _, account := range append([]string{s.Email, s.Own}, s.Accounts.in(project)...) {
		if account = lower(account); ProjectOfAccount(account) == project && project != "" && !slices.Contains(in, account) {
			in = append(in, account)
		}
	}
	return in
}

// Accounts are service accounts by their e-mails, whatever the case: there may be as many as namespaces, and every policy asks for some of
// them. They do not change; nil has none.
type Accounts struct {
	all       map[string]bool
	byProject map[string][]string
}

// NewAccounts makes them of their e-mails.
func NewAccounts(emails ...string) *Accounts {
	a := &Accounts{map[string]bool{}, map[string][]string{}}
	for _, email := range emails {
		email = lower(email)
		if email == "" || a.all[email] {
			continue
		}
		a.all[email] = true
		project := ProjectOfAccount(email)
		a.byProject[project] = append(a.byProject[project], email)
	}
	return a
}

func (a *Accounts) has(email string) bool { return a != nil && a.all[email] }

func (a *Accounts) in(project string) []string {
	if a == nil {
		return nil
	}
	return a.byProject[project]
}

// normalSelf is Self in its normal form, for many questions.
type normalSelf struct {
	emails, members map[string]bool
	accounts        *Accounts
	workloads       []workload
}

func (s Self) normal() normalSelf {
	o := normalSelf{emails: map[string]bool{lower(s.Email): true, lower(s.Own): true}, members: map[string]bool{}, accounts: s.Accounts}
	delete(o.emails, "")
	for _, member := range s.Members {
		member = NormalMember(member)
		o.members[member] = true
		if w, ok := workloadOf(member); ok {
			o.workloads = append(o.workloads, w)
		}
	}
	return o
}

// carries says whether the installation has access through a member, which is in its normal form.
func (o normalSelf) carries(member string) bool {
	prefix, value, _ := strings.Cut(member, ":")
	if o.members[member] || (prefix == "user" || prefix == "serviceAccount") && (o.emails[value] || o.accounts.has(value)) {
		return true
	}
	if w, ok := workloadOf(member); ok {
		return slices.ContainsFunc(o.workloads, w.is)
	}
	if set, ok := workloadSetOf(member); ok {
		return slices.ContainsFunc(o.workloads, set.covers)
	}
	return false
}

// workload is an identity of a workload identity pool. Pools of GKE are named after their project, others have names of their project's own.
type workload struct{ pool, subject string }

func (w workload) is(other workload) bool {
	return w.subject == other.subject && samePool(w.pool, other.pool)
}

func samePool(a, b string) bool {
	return a == b || isGKE(a) && b == AnyPool || a == AnyPool && isGKE(b)
}

const gkePool = ".svc.id.goog"

// AnyPool stands for whatever pool of GKE.
const AnyPool = "*" + gkePool

func isGKE(pool string) bool { return strings.HasSuffix(pool, gkePool) }

var (
	// https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity
	kubernetesAccount = regexp.MustCompile(`^serviceAccount:([^\[\]]+)\[([^/\]]+)/([^\]]+)\]$`)
	// https://cloud.google.com/iam/docs/principal-identifiers
	poolMember = regexp.MustCompile(`^(principal|principalSet)://iam\.googleapis\.com/projects/([^/]+)/locations/global/workloadIdentityPools/([^/]+)/(.+)$`)
)

// workloadOf reads a member that is one identity of a pool. Google writes a Kubernetes service account in either of two ways.
func workloadOf(member string) (workload, bool) {
	if match := kubernetesAccount.FindStringSubmatch(member); match != nil {
		return workload{match[1], "ns/" + match[2] + "/sa/" + match[3]}, true
	}
	match := poolMember.FindStringSubmatch(member)
	if len(match) == 0 || match[1] != "principal" {
		return workload{}, false
	}
	subject, isSubject := strings.CutPrefix(match[4], "subject/")
	return workload{poolOf(match), subject}, isSubject
}

func poolOf(match []string) string {
	if isGKE(match[3]) {
		return match[3]
	}
	return match[2] + "/" + match[3]
}

// workloadSet is a set of identities of a pool: of a namespace, or by what cannot be told from the outside.
type workloadSet struct{ pool, which string }

func workloadSetOf(member string) (workloadSet, bool) {
	match := poolMember.FindStringSubmatch(member)
	if match == nil {
		return workloadSet{}, false
	}
	return workloadSet{poolOf(match), match[4]}, true
}

// covers says whether an identity is in the set, or may be.
func (s workloadSet) covers(w workload) bool {
	if !samePool(s.pool, w.pool) {
		return false
	}
	namespace, byNamespace := strings.CutPrefix(s.which, "namespace/")
	return !byNamespace || strings.HasPrefix(w.subject, "ns/"+namespace+"/")
}

// isPooled says whether a member, in its normal form, is of an identity pool.
func isPooled(member string) bool {
	return kubernetesAccount.MatchString(member) || poolMember.MatchString(member)
}
