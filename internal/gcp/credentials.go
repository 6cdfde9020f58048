package gcp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strconv"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/impersonate"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-dev/holdfast/internal/kind"
)

var scopes = []string{"https://www.googleapis.com/auth/cloud-platform"}

// unlogged is the log of whatever has to do with tokens: Google's libraries log requests and answers with all that they have, tokens included, if
// GOOGLE_SDK_GO_LOGGING_LEVEL asks for it.
var unlogged = slog.New(slog.DiscardHandler)

// NoCredentials says that there are no Google Cloud credentials, or none that can be read.
type NoCredentials struct{ err error }

func (e *NoCredentials) Error() string { return e.err.Error() }

// Unwrap returns what is wrong with them.
func (e *NoCredentials) Unwrap() error { return e.err }

// detectCredentials finds Application Default Credentials; an error is a *NoCredentials.
func detectCredentials() (*auth.Credentials, error) {
	found, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: scopes, Logger: unlogged})
	if err == nil {
		return found, nil
	}
	if file := os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"); file != "" {
		return nil, &NoCredentials{fmt.Errorf("reading the Google Cloud credentials in %s (GOOGLE_APPLICATION_CREDENTIALS): %w", file, pathless(err))}
	}
	return nil, &NoCredentials{fmt.Errorf("finding Google Cloud credentials: %w", err)}
}

// pathless removes the file name, which the message already has, from a file's error.
func pathless(err error) error {
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// mostTokens is of how many accounts tokens are kept, of those that were used last. A token is good for an hour.
const mostTokens = 4096

// impersonated returns the credentials of a service account that the manager acts as, which all clients share: they ask for a token once it is
// needed, and keep it.
func (c *Clients) impersonated(account string) (*auth.Credentials, error) {
	c.tokensMu.Lock()
	defer c.tokensMu.Unlock()
	if known, ok := c.tokens.Get(account); ok {
		return known.(*auth.Credentials), nil
	}
	client, err := c.tokenClient()
	if err != nil {
		return nil, err
	}
	made, err := impersonate.NewCredentials(&impersonate.CredentialsOptions{
		TargetPrincipal: account, Scopes: scopes, Client: client, Logger: unlogged,
	})
	if err != nil {
		return nil, fmt.Errorf("impersonating %q: %w", account, err)
	}
	c.tokens.Add(account, made)
	return made, nil
}

// credentials returns those of a service account (empty: the manager's own). Each caller gets its own copy: Google's transports write
// to them. Options.QuotaProject is the quota project of all; one that the manager's own credentials name is only theirs, since an account
// that is impersonated need not be allowed to use it.
func (c *Clients) credentials(account string) (*auth.Credentials, error) {
	found := c.base
	if account != "" {
		var err error
		if found, err = c.impersonated(account); err != nil {
			return nil, err
		}
	}
	return auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider: tokens{account, found},
		QuotaProjectIDProvider: auth.CredentialsPropertyFunc(func(ctx context.Context) (string, error) {
			if c.opts.QuotaProject != "" {
				return c.opts.QuotaProject, nil
			}
			return found.QuotaProjectID(ctx)
		}),
		UniverseDomainProvider: auth.CredentialsPropertyFunc(found.UniverseDomain),
	}), nil
}

// identifiedCredentials are those of whom each call is made as. Their quota project is that of all; ownQuotaProject has the manager's.
func (c *Clients) identifiedCredentials() *auth.Credentials {
	return auth.NewCredentials(&auth.CredentialsOptions{
		TokenProvider:          tokensOf(c.credentials),
		QuotaProjectIDProvider: auth.CredentialsPropertyFunc(func(context.Context) (string, error) { return c.opts.QuotaProject, nil }),
		UniverseDomainProvider: auth.CredentialsPropertyFunc(func(ctx context.Context) (string, error) {
			own, err := c.credentials(accountFrom(ctx))
			if err != nil {
				return "", err
			}
			return own.UniverseDomain(ctx)
		}),
	})
}

// tokensOf gets the token of whom a call is made as, given the credentials of an account.
type tokensOf func(account string) (*auth.Credentials, error)

// Token implements auth.TokenProvider.
func (of tokensOf) Token(ctx context.Context) (*auth.Token, error) {
	own, err := of(accountFrom(ctx))
	if err != nil {
		return nil, err
	}
	return own.Token(ctx)
}

// Authenticate gets a token of the manager's own, if any endpoint wants one.
func (c *Clients) Authenticate(ctx context.Context) error {
	if c.base == nil {
		return nil
	}
	_, err := tokens{next: c.base}.Token(ctx)
	return err
}

// newTokenClient makes the client that fetches tokens of impersonated accounts, as the manager.
func (c *Clients) newTokenClient() (*http.Client, error) {
	own, err := c.credentials("")
	if err != nil {
		return nil, err
	}
	callOf := always(serviceCredentials, methodToken)
	return c.authenticated(own, callOf, c.counted(callOf))
}

// tokens classifies failures to get a token.
type tokens struct {
	account string
	next    auth.TokenProvider
}

// Token implements auth.TokenProvider.
func (t tokens) Token(ctx context.Context) (*auth.Token, error) {
	token, err := t.next.Token(ctx)
	if err != nil {
		return nil, &tokenError{classifyToken(t.account, err)}
	}
	return token, nil
}

// tokenStatus is how the impersonation library reports an answer: "impersonate: status code 403: {…}".
var tokenStatus = regexp.MustCompile(`(?s)^impersonate: status code (\d{3}): (.*)`)

// classifyToken classifies a failure to get a token, which says nothing about the resource that the token was for.
func classifyToken(account string, err error) *Error {
	if own, ok := errors.AsType[*tokenError](err); ok { // the manager's own token, needed to get the account's
		return own.err
	}
	var refused *auth.Error
	classified := Classify(err)
	if match := tokenStatus.FindStringSubmatch(err.Error()); match != nil {
		code, _ := strconv.Atoi(match[1]) // three digits
		classified = Classify(googleapi.CheckResponseWithBody(&http.Response{StatusCode: code}, []byte(match[2])))
	} else if errors.As(err, &refused) && refused.Response != nil && !refused.Temporary() {
		classified = &Error{Class: kind.Denied, Message: tidy(refused.Error())}
	}
	whose := "the manager's Google Cloud credentials"
	if account != "" {
		whose = fmt.Sprintf("the token to act as %s", account)
	}
	token := &Error{
		Class: classified.Class, Permission: classified.Permission, Resource: classified.Resource, RetryAfter: classified.RetryAfter,
		Message: tidy("getting " + whose + ": " + classified.Message),
		Err:     fmt.Errorf("getting %s: %w", whose, err),
	}
	if token.Class != kind.Throttled && token.Class != kind.Unavailable {
		token.Class = kind.Denied
	}
	if token.Permission != "" {
		token.Resource = cmp.Or(token.Resource, account)
	}
	if token.Class == kind.Denied {
		token.Denial = tokenDenial(account, classified)
	}
	return token
}

// tokenDenial says why a token is denied: whatever is wrong with the call itself, such as a disabled API, comes first.
func tokenDenial(account string, refusal *Error) kind.Denial {
	switch {
	case refusal.Denial != (kind.Denial{}):
		return refusal.Denial
	case account == "":
		return deniedCredentials.say(nil)
	default:
		return deniedImpersonation.say(map[string]string{"resource": account})
	}
}

// tokenError carries an Error through gRPC, which flattens errors that have no status of their own.
type tokenError struct{ err *Error }

func (e *tokenError) Error() string { return e.err.Error() }

// Unwrap returns the *Error.
func (e *tokenError) Unwrap() error { return e.err }

// GRPCStatus implements the interface that gRPC asks errors for.
func (e *tokenError) GRPCStatus() *status.Status {
	switch e.err.Class {
	case kind.Denied:
		return status.New(codes.PermissionDenied, e.err.Message)
	case kind.Throttled:
		return status.New(codes.ResourceExhausted, e.err.Message)
	default: // A token's failure has no other class than these and Unavailable.
		return status.New(codes.Unavailable, e.err.Message)
	}
}
