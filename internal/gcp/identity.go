package gcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/compute/metadata"
	"google.golang.org/api/googleapi"
)

const (
	// identityTimeout bounds the lookup of our identity, which all have to wait for.
	identityTimeout = 10 * time.Second
	// identityPause is how long a failed lookup is not repeated.
	identityPause = time.Minute
)

// identity is the manager's identity, as far as it is known.
type identity struct {
	mu      sync.Mutex // locked during a lookup: one at a time, and all get its result
	email   string
	err     error
	askedAt time.Time
	now     func() time.Time
}

// Identity returns the e-mail by which Google knows whoever makes the calls: the service account that is impersonated, or, with
// impersonate empty, the manager: from Options.Identity, from its credentials, or from asking Google about them. A result is cached
// forever, a failure for a minute. The error says what to do.
func (c *Clients) Identity(ctx context.Context, impersonate string) (email string, err error) {
	if impersonate != "" {
		return impersonate, nil
	}
	if c.opts.Identity != "" {
		return c.opts.Identity, nil
	}
	own := &c.identity
	own.mu.Lock()
	defer own.mu.Unlock()
	if own.email == "" && !own.now().Before(own.askedAt.Add(identityPause)) {
		own.askedAt = own.now()
		own.email, own.err = c.findIdentity(context.WithoutCancel(ctx)) // the lookup outlives the caller: others wait for it
	}
	if own.err != nil {
		return "", fmt.Errorf("finding out Holdfast's own identity in Google Cloud: %w; set --gcp-identity to its e-mail", own.err)
	}
	return own.email, nil
}

func (c *Clients) findIdentity(ctx context.Context) (string, error) {
	if c.base == nil {
		return "", errors.New("there are no credentials")
	}
	ctx, cancel := context.WithTimeout(ctx, identityTimeout)
	defer cancel()
	file := c.base.JSON()
	if file == nil { // as Google's own machines have them
		return c.askMachine(ctx)
	}
	if email := emailIn(file); email != "" {
		return email, nil
	}
	return c.askGoogle(ctx)
}

// impersonated finds the service account in the URL at which credentials get their token:
// https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/E-MAIL:generateAccessToken
var impersonated = regexp.MustCompile(`/serviceAccounts/([^/:]+@[^/:]+):generateAccessToken$`)

// emailIn is the e-mail that a file of credentials names. Empty if it names none.
func emailIn(file []byte) string {
	var says struct {
		ClientEmail   string `json:"client_email"`
		Impersonation string `json:"service_account_impersonation_url"`
	}
	if json.Unmarshal(file, &says) != nil {
		return ""
	}
	if match := impersonated.FindStringSubmatch(says.Impersonation); match != nil {
		return match[1]
	}
	return says.ClientEmail
}

// askMachine asks the metadata server. Its answer is no e-mail if a Kubernetes service account acts as itself.
func (c *Clients) askMachine(ctx context.Context) (string, error) {
	email, err := metadata.NewClient(c.anonymous(always(serviceMetadata, methodEmail))).EmailWithContext(ctx, "default")
	switch {
	case err != nil:
		return "", fmt.Errorf("asking the metadata server: %w", err)
	case !strings.Contains(email, "@"):
		return "", fmt.Errorf("the metadata server answered %q, which is not an e-mail", email)
	}
	return email, nil
}

// tokenInfo says whose a token is, if the token's scopes include the e-mail.
const tokenInfo = "https://oauth2.googleapis.com/tokeninfo" //nolint:gosec // an address

// askGoogle asks whose the manager's token is.
func (c *Clients) askGoogle(ctx context.Context) (string, error) {
	token, err := c.base.Token(ctx)
	if err != nil {
		return "", classifyToken("", err)
	}
	form := url.Values{"access_token": {token.Value}}.Encode() // not in the URL, which ends up in logs
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenInfo, strings.NewReader(form))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.anonymous(always(serviceOAuth, methodTokenInfo)).Do(req)
	if err != nil {
		return "", fmt.Errorf("asking Google: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	if err := googleapi.CheckResponse(resp); err != nil {
		return "", fmt.Errorf("asking Google: %w", err)
	}
	var says struct {
		Email string `json:"email"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&says); err != nil {
		return "", fmt.Errorf("reading what Google says of the credentials: %w", err)
	}
	if says.Email == "" {
		return "", errors.New("asking Google: the answer has no e-mail")
	}
	return says.Email, nil
}
