package traffic

import "strings"

// Guard decides whether the bearer of an access token may make a call, and
// returns the refusal if not. The token is empty for a call without one.
type Guard func(call Call, token string) *Refusal

// SetGuard has each call asked about that no fault decides. It is for the time
// before the first call.
func (c *Control) SetGuard(guard Guard) { c.guard = guard }

// bearer is the token of an Authorization header, empty if it has none.
func bearer(authorization string) string {
	token, _ := strings.CutPrefix(authorization, "Bearer ")
	return token
}
