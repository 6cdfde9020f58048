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

	"cloud.google.com/go/compute/metadata"
	"google.golang.org/api/googleapi"
)

// Identity returns the e-mail by which Google knows whoever makes the calls: the service account that is impersonated, or
// else, with impersonate empty, the manager's own: Options.Identity, or what its credentials say, or what Google says of
// them. What was found is remembered for good. The error says what to do if nobody knows.
func (c *Clients) Identity(ctx context.Context, impersonate string) (email string, err error) {
	if impersonate != "" {
		return impersonate, nil
	}
	if c.opts.Identity != "" {
		return c.opts.Identity, nil
	}
	c.identityMu.Lock() // one question at a time; those who wait get the answer
	defer c.identityMu.Unlock()
	if c.identity == "" {
		if c.identity, err = c.findIdentity(ctx); err != nil {
			return "", fmt.Errorf("finding out who Holdfast is to Google Cloud: %w; set --gcp-identity to its e-mail", err)
		}
	}
	return c.identity, nil
}

func (c *Clients) findIdentity(ctx context.Context) (string, error) {
	if c.base == nil {
		return "", errors.New("there are no credentials")
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	file := c.base.JSON()
	switch email := emailInFile(file); {
	case email != "":
		return email, nil
	case file == nil && c.opts.credentials == nil: // as only Google's own machines have them
		return c.askMachine(ctx)
	default:
		return c.askGoogle(ctx)
	}
}

// impersonated finds whom credentials act as that say where to get a token:
// https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/E-MAIL:generateAccessToken
var impersonated = regexp.MustCompile(`/serviceAccounts/([^/:]+@[^/:]+):generateAccessToken$`)

// emailInFile is whom a file of credentials says that it is for. Empty if it does not say.
func emailInFile(file []byte) string {
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

// askMachine asks the metadata server, whose answer is no e-mail where a Kubernetes service account acts by itself.
func (c *Clients) askMachine(ctx context.Context) (string, error) {
	email, err := metadata.NewClient(&http.Client{Transport: c.opts.base}).EmailWithContext(ctx, "default")
	switch {
	case err != nil:
		return "", fmt.Errorf("asking the metadata server: %w", err)
	case !strings.Contains(email, "@"):
		return "", fmt.Errorf("the metadata server names %q, which is no e-mail", email)
	}
	return email, nil
}

// tokenInfo tells whom a token is for. https://developers.google.com/identity/sign-in/web/backend-auth
const tokenInfo = "https://oauth2.googleapis.com/tokeninfo" //nolint:gosec // no secret

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
	method := func(*http.Request) string { return "tokeninfo" }
	client := &http.Client{Transport: introduced(c.opts.UserAgent, c.metrics.roundTripper(serviceOAuth, method, c.opts.base))}
	resp, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("asking Google: %w", err)
	}
	defer resp.Body.Close()
	if err := googleapi.CheckResponse(resp); err != nil {
		return "", fmt.Errorf("asking Google: %w", err)
	}
	var says struct {
		Email string `json:"email"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&says); err != nil {
		return "", fmt.Errorf("asking Google: %w", err)
	}
	if says.Email == "" {
		return "", errors.New("Google does not tell whom the credentials are for")
	}
	return says.Email, nil
}
