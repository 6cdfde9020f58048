package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Tokens returns a token that says who asks, one that is in force now. Errors do not have it.
type Tokens func(ctx context.Context) (string, error)

// Source says where tokens come from: the first that is set.
type Source struct {
	// File has the token; it is read for each question.
	File string
	// Variable is the environment variable that has it.
	Variable string
	// Audience is that of the token which GitHub Actions issues to a job with the permission id-token: write.
	Audience string
}

// The variables by which a job of GitHub Actions gets its token.
const (
	githubURL   = "ACTIONS_ID_TOKEN_REQUEST_URL"
	githubToken = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

// Tokens are those of the source, in an environment.
func (s Source) Tokens(getenv func(string) string) (Tokens, error) {
	switch {
	case s.File != "" && s.Variable != "":
		return nil, errors.New("--token-file and --token-env exclude each other")
	case s.File != "":
		return func(context.Context) (string, error) { return fromFile(s.File) }, nil
	case s.Variable != "":
		return func(context.Context) (string, error) {
			return single("$"+s.Variable, getenv(s.Variable))
		}, nil
	case getenv(githubURL) != "" && getenv(githubToken) != "":
		at, token := getenv(githubURL), getenv(githubToken)
		return func(ctx context.Context) (string, error) { return fromGitHub(ctx, at, token, s.Audience) }, nil
	}
	return nil, errors.New("no token says who asks the plan server: set --token-file or --token-env, or give the job of GitHub Actions the " +
		"permission id-token: write")
}

func fromFile(file string) (string, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the user names it
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	return single(file, string(text))
}

// single is the one token that there is in a text.
func single(from, text string) (string, error) {
	switch fields := strings.Fields(text); len(fields) {
	case 0:
		return "", fmt.Errorf("%s has no token", from)
	case 1:
		return fields[0], nil
	default:
		return "", fmt.Errorf("%s has more than a token", from)
	}
}

const (
	githubTimeout = 30 * time.Second
	mostToken     = 64 << 10
)

// fromGitHub gets the token of the job that this runs in.
// https://docs.github.com/en/actions/reference/security/oidc
func fromGitHub(ctx context.Context, at, token, audience string) (string, error) {
	where, err := url.Parse(at)
	if err != nil || where.Scheme != "https" && !isLoopback(where.Hostname()) {
		return "", fmt.Errorf("$%s is no URL with https", githubURL)
	}
	query := where.Query()
	query.Set("audience", audience)
	where.RawQuery = query.Encode()
	ctx, cancel := context.WithTimeout(ctx, githubTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), http.NoBody)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("getting a token of GitHub Actions: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	var says struct {
		Value string `json:"value"`
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("getting a token of GitHub Actions: %s", response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, mostToken)).Decode(&says); err != nil {
		return "", errors.New("getting a token of GitHub Actions: the answer has none")
	}
	return single("the answer of GitHub Actions", says.Value)
}
