package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
)

// cloud is the emulated Google Cloud, reached through its own API: what somebody does in the console is not counted as a
// call.
type cloud struct {
	// url is where it listens, such as http://127.0.0.1:8080, and grpc is the address of its gRPC services.
	url, grpc string
}

// storageEndpoint is what a Cloud Storage client takes as its endpoint.
func (c *cloud) storageEndpoint() string { return c.url + "/storage/v1/" }

// document is a resource as Google's API shows it.
type document = map[string]any

// bucketPath is where the console has a bucket.
func bucketPath(name string) string { return "/emulator/storage/b/" + name }

// pathOf is where the console has the resource with a full name, such as //storage.googleapis.com/logs.
func pathOf(externalName string) (string, error) {
	if name, ok := strings.CutPrefix(externalName, "//storage.googleapis.com/"); ok {
		return bucketPath(strings.TrimPrefix(name, "projects/_/buckets/")), nil
	}
	if name, ok := strings.CutPrefix(externalName, "//pubsub.googleapis.com/"); ok {
		return "/emulator/pubsub/" + name, nil
	}
	if name, ok := strings.CutPrefix(externalName, "//iam.googleapis.com/"); ok {
		return "/emulator/iam/" + name, nil
	}
	if name, ok := strings.CutPrefix(externalName, "//cloudresourcemanager.googleapis.com/"); ok {
		return "/emulator/resourcemanager/" + name + "/policy", nil
	}
	return "", fmt.Errorf("no service of the emulator knows %q", externalName)
}

// get reads a resource; nil says that there is none.
func (c *cloud) get(ctx context.Context, path string) (document, error) {
	var doc document
	err := c.call(ctx, http.MethodGet, path, nil, &doc)
	if isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return doc, err
}

// mark returns the number of the newest call, for callsSince.
func (c *cloud) mark(ctx context.Context) (int64, error) {
	calls, err := c.callsSince(ctx, 0)
	if err != nil || len(calls) == 0 {
		return 0, err
	}
	return calls[len(calls)-1].Seq, nil
}

// callsSince returns the calls that reached Google Cloud after the mark, the console's aside.
func (c *cloud) callsSince(ctx context.Context, mark int64) ([]traffic.Entry, error) {
	var entries []traffic.Entry
	err := c.call(ctx, http.MethodGet, "/emulator/journal?since="+strconv.FormatInt(mark, 10), nil, &entries)
	return entries, err
}

// call makes one HTTP request with JSON both ways.
func (c *cloud) call(ctx context.Context, method, path string, body, into any) error {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, sent)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		text := fmt.Sprintf("%s %s: %s %s", method, path, response.Status, bytes.TrimSpace(answer))
		return &statusError{status: response.StatusCode, text: text}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// statusError is an HTTP answer that is none.
type statusError struct {
	status int
	text   string
}

func (e *statusError) Error() string { return e.text }

func isStatus(err error, status int) bool {
	var e *statusError
	return errors.As(err, &e) && e.status == status
}

// describeCall writes a call on one line, as the journal has it.
func describeCall(entry traffic.Entry) string {
	path := entry.Path
	if unescaped, err := url.QueryUnescape(path); err == nil {
		path = unescaped
	}
	line := strings.TrimSpace(entry.HTTPMethod + " " + path)
	if entry.Request != "" {
		line += " " + oneLine(entry.Request)
	}
	return line
}

// oneLine writes JSON without white space between its parts.
func oneLine(text string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return strings.TrimSpace(text)
	}
	return out.String()
}
