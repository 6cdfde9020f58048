package preview

import (
	"context"

	"github.com/holdfast-dev/holdfast/internal/iampolicy"
)

// somebody stands for the operator where nobody knows whom it acts as: an account that no policy names.
const somebody = "unknown"

// SelfAs returns whom Google knows an operator as, by the e-mail of its own account and those of all accounts that it acts as for Namespaces. An
// empty e-mail is unknown. The operator finds out its own, so that what depends on it is planned as if it were no matter: see GapOperator.
func SelfAs(identity string, accounts []string) func(ctx context.Context, impersonate string) iampolicy.Self {
	if identity == "" {
		identity = somebody
	}
	all := iampolicy.NewAccounts(accounts...)
	return func(_ context.Context, impersonate string) iampolicy.Self {
		self := iampolicy.Self{Email: identity, Own: identity, Accounts: all}
		if impersonate != "" {
			self.Email = impersonate
		}
		return self
	}
}
