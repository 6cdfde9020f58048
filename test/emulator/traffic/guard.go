package traffic

import (
	"context"
	"strings"
)

// Guard tells who makes a call, and returns the refusal if he may not.
type Guard func(call Call, credentials Credentials) (Principal, *Refusal)

// Credentials are what a call carries.
type Credentials struct {
	// Token is an access token; empty for none.
	Token string
	// UserProject is the project that the caller names for its quota; empty for
	// none.
	UserProject string
}

// Principal is who makes a call.
type Principal interface {
	// Email is the address by which errors name him.
	Email() string
	// Has reports whether he has a permission for what the call is about, as
	// policies were when it arrived. Granting are the roles that the call
	// grants or revokes.
	Has(permission string, granting ...string) bool
	// HasOn reports whether he has a permission for what another call would be
	// about.
	HasOn(other Call, permission string) bool
}

// SetGuard has each call asked about that no fault decides. It is for the time
// before the first call.
func (c *Control) SetGuard(guard Guard) { c.guard = guard }

// ask asks the guard, if there is one.
func (c *Control) ask(a arrival) (Principal, *Refusal) {
	if c.guard == nil {
		return anybody{}, nil
	}
	return c.guard(a.Call, Credentials{Token: a.token, UserProject: a.userProject})
}

type principalKey struct{}

// PrincipalOf is who makes the call that a service carries out. Where nobody
// guards, and in the console, he may do anything.
func PrincipalOf(ctx context.Context) Principal {
	if p, ok := ctx.Value(principalKey{}).(Principal); ok {
		return p
	}
	return anybody{}
}

func (v verdict) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, principalKey{}, v.principal)
}

// anybody is the caller where nobody asks.
type anybody struct{}

func (anybody) Email() string { return Caller }

func (anybody) Has(string, ...string) bool { return true }

func (anybody) HasOn(Call, string) bool { return true }

// bearer is the token of an Authorization header, empty if it has none.
func bearer(authorization string) string {
	token, _ := strings.CutPrefix(authorization, "Bearer ")
	return token
}
