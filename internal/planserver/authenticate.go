package planserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apiserver/pkg/authentication/user"
	kjson "sigs.k8s.io/json"
)

// errNotAccepted is the one answer to a token that is not accepted, whatever is wrong with it. The log says what.
var errNotAccepted = errors.New("the token is not accepted: it must be in force, and of an issuer and an audience that the server is configured for")

// notAccepted is errNotAccepted, with the reason for the log.
func notAccepted(format string, args ...any) error {
	return &because{errNotAccepted, fmt.Errorf(format, args...)}
}

// because is an error that is told to a caller, with the reason, which is not.
type because struct{ told, reason error }

// Error implements error.
func (b *because) Error() string { return b.told.Error() }

// Unwrap returns what is told.
func (b *because) Unwrap() error { return b.told }

// authenticator knows whose a token is. It answers errNotAccepted, or why it cannot tell.
type authenticator interface {
	authenticate(ctx context.Context, token string, says said) (user.Info, error)
}

// authenticators are those of all who issue tokens.
type authenticators struct {
	// issuers are those of configured issuers, by their URL.
	issuers map[string]authenticator
	// cluster is that of the cluster's own service accounts.
	cluster authenticator
}

// authenticate knows whose a token is. A token of a configured issuer is shown to nobody else.
func (a authenticators) authenticate(ctx context.Context, token string) (user.Info, error) {
	says, err := read(token)
	if err != nil {
		return nil, err
	}
	by, known := a.issuers[says.Issuer]
	if !known {
		by = a.cluster
	}
	who, err := by.authenticate(ctx, token, says)
	switch {
	case err != nil:
		return nil, err
	case who.GetName() == "":
		return nil, notAccepted("it is nobody's")
	case known && slices.ContainsFunc(append(who.GetGroups(), who.GetName()), isReserved):
		return nil, notAccepted("it maps to the name %q or the groups %q: those that begin with %s are Kubernetes' own", who.GetName(), who.GetGroups(), reserved)
	}
	return who, nil
}

func isReserved(name string) bool { return strings.HasPrefix(name, reserved) }

// said is what a token says of itself. None of it is true before the signature is verified.
type said struct {
	Issuer    string    `json:"iss"`
	Audiences audiences `json:"aud"`
}

// audiences are one or several.
type audiences []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audiences) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audiences{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// read reads what a token says of itself.
func read(token string) (said, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return said{}, notAccepted("it is no JSON Web Token")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return said{}, notAccepted("its payload is not encoded as one")
	}
	var says said
	// Only with the case of the letters is a claim the one that whoever verifies the token reads.
	if err := kjson.UnmarshalCaseSensitivePreserveInts(payload, &says); err != nil {
		return said{}, notAccepted("its payload cannot be read")
	}
	return says, nil
}

// onlyFor refuses a token that is good at anybody's but ours: whoever receives it could use it there.
func (s said) onlyFor(ours ...string) error {
	others := slices.DeleteFunc(slices.Clone(s.Audiences), func(audience string) bool { return slices.Contains(ours, audience) })
	if len(s.Audiences) == 0 || len(others) > 0 {
		return notAccepted("its audiences are %q: want none but %q", []string(s.Audiences), ours)
	}
	return nil
}
