// Package wire compares the emulator with recorded traffic of the real Google
// Cloud: it replays the requests of a conversation and compares the answers
// with the recorded ones.
package wire

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Exchange is one request and its answer.
type Exchange struct {
	Method string
	URL    *url.URL
	// Header and Body are the request's.
	Header http.Header
	Body   string
	Status int
	// AnswerHeader and Answer are the recorded answer's.
	AnswerHeader http.Header
	Answer       string
	// target is the URL as it was recorded.
	target string
}

// Name is how an exchange is called in reports.
func (x Exchange) Name() string { return x.Method + " " + x.URL.Path }

// With returns the exchange with values in the place of placeholders. One
// without a value is left as it is. An etag in the request becomes the one
// that was answered last.
func (x Exchange) With(values map[string]string) (Exchange, error) {
	x.target, x.Body, x.Answer = substitute(x.target, values), substitute(x.Body, values), substitute(x.Answer, values)
	if etag, answered := values[recordedEtag]; answered {
		x.Body = strings.ReplaceAll(x.Body, recordedEtag, etag)
	}
	var err error
	x.URL, err = url.Parse(x.target)
	return x, err
}

// Read reads a recorded conversation from a file. Values replace the
// placeholders, so that "projectId" stands for ${projectId}; a placeholder
// without a value is left as it is: it stands for what the first answer has in
// its place, see [Compare].
func Read(file string, values map[string]string) ([]Exchange, error) {
	recorded, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading a conversation: %w", err)
	}
	conversation, err := Parse(substitute(string(recorded), values))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	return conversation, nil
}

func substitute(text string, values map[string]string) string {
	for name, value := range values {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	return text
}

// Parse reads a conversation: exchanges separated by lines of three hyphens,
// each of them a request line, headers, an empty line and perhaps a body,
// then a status line, headers, an empty line and perhaps a body.
func Parse(text string) ([]Exchange, error) {
	var conversation []Exchange
	for i, part := range strings.Split(text, "\n---\n") {
		exchange, err := parseExchange(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("exchange %d: %w", i+1, err)
		}
		conversation = append(conversation, exchange)
	}
	return conversation, nil
}

var statusLine = regexp.MustCompile(`^[1-5][0-9][0-9] [A-Z][A-Za-z ]*$`)

func parseExchange(text string) (Exchange, error) {
	lines := strings.Split(text, "\n")
	answer := 1 + slices.IndexFunc(lines[1:], statusLine.MatchString)
	if answer == 0 {
		return Exchange{}, fmt.Errorf("no status line in %q", lines[0])
	}
	method, target, found := strings.Cut(lines[0], " ")
	if !found {
		return Exchange{}, fmt.Errorf("want a method and a URL, not %q", lines[0])
	}
	parsed, err := url.Parse(target)
	if err != nil {
		return Exchange{}, err
	}
	status, err := strconv.Atoi(lines[answer][:3])
	if err != nil {
		return Exchange{}, err
	}
	x := Exchange{Method: method, URL: parsed, Status: status, target: target}
	x.Header, x.Body = parseMessage(lines[1:answer])
	x.AnswerHeader, x.Answer = parseMessage(lines[answer+1:])
	return x, nil
}

// parseMessage splits headers from the body.
func parseMessage(lines []string) (http.Header, string) {
	header := http.Header{}
	for i, line := range lines {
		name, value, found := strings.Cut(line, ": ")
		if line == "" || !found {
			return header, strings.TrimSpace(strings.Join(lines[i:], "\n"))
		}
		header.Add(name, value)
	}
	return header, ""
}
