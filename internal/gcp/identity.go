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
	// identityTimeout bounds the question who we are, which all have to wait for.
	identityTimeout = 10 * time.Second
	// identityPause is how long nobody is asked again after there was no answer.
	identityPause = time.Minute
)

// identity is who the manager is, as far as that was found out.
type identity struct {
	mu      sync.Mutex // held while somebody is asked: one question at a time, and all get its answer
	email   string
	err     error
	askedAt time.Time
	now     func() time.Time
}

// Identity returns the e-mail by which Google knows whoever makes the calls: the service account that is impersonated, or
// else, with impersonate empty, the manager: as Options.Identity has it, as its credentials say, or as Google says of them.
// What was found is remembered for good, and that it was not for a minute. The error says what to do if nobody knows.
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
		own.email, own.err = c.findIdentity(context.WithoutCancel(ctx)) // one caller's end is not the others'
	}
	if own.err != nil {
		return "", fmt.Errorf("finding out who Holdfast is to Google Cloud: %w; set --gcp-identity to its e-mail", own.err)
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

// impersonated finds whom credentials act as that say where to get a token:
// https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/E-MAIL:generateAccessToken
var impersonated = regexp.MustCompile(`/serviceAccounts/([^/:]+@[^/:]+):generateAccessToken$`)

// emailIn is whom a file of credentials says that it is for. Empty if it does not say.
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

// askMachine asks the metadata server. Its answer is no e-mail where a Kubernetes service account acts as itself.
func (c *Clients) askMachine(ctx context.Context) (string, error) {
	email, err := metadata.NewClient(c.counted(serviceMetadata, "email")).EmailWithContext(ctx, "default")
	switch {
	case err != nil:
		return "", fmt.Errorf("asking the metadata server: %w", err)
	case !strings.Contains(email, "@"):
		return "", fmt.Errorf("the metadata server says %q, which is no e-mail", email)
	}
	return email, nil
}

// tokenInfo tells whom a token is for, if it is one with the scope of e-mails.
const tokenInfo = "https://oauth2.googleapis.com/tokeninfo" //nolint:gosec // an address

// askGoogle asks whom the manager's token is for.
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
	resp, err := c.counted(serviceOAuth, "tokeninfo").Do(req)
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

// counted is a client without credentials whose calls go by one name.
func (c *Clients) counted(service, method string) *http.Client {
	name := func(*http.Request) string { return method }
	return &http.Client{Transport: introduced(c.opts.UserAgent, c.metrics.roundTripper(service, name, c.opts.base))}
}
