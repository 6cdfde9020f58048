package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/holdfast-dev/holdfast/test/process"
)

// Cloud is the emulated Google Cloud, a process of its own, reached through its own API: what somebody does in the console is not
// counted as a call.
type Cloud struct {
	*process.Process

	// URL is where it listens, such as http://127.0.0.1:8080, and GRPC is the address of its gRPC services.
	URL, GRPC string
}

// StartCloud starts the emulator that `make build` has built. Awaiting it and stopping it are the caller's.
func StartCloud(log string, args ...string) (*Cloud, error) {
	free, err := process.FreeAddresses(2)
	if err != nil {
		return nil, err
	}
	web, rpc := free[0], free[1]
	started, err := process.Start(process.Program{
		Name: "the emulator", Log: log, Path: "bin/gcp-emulator", Args: append([]string{"--http", web, "--grpc", rpc}, args...),
	})
	return &Cloud{Process: started, URL: "http://" + web, GRPC: rpc}, err
}

// StorageEndpoint is what a Cloud Storage client takes as its endpoint.
func (c *Cloud) StorageEndpoint() string { return c.URL + "/storage/v1/" }

// ManagerArgs are the flags by which the operator uses it instead of Google Cloud.
func (c *Cloud) ManagerArgs() []string {
	return []string{
		"--gcp-insecure", "--storage-endpoint", c.StorageEndpoint(),
		"--pubsub-endpoint", c.GRPC, "--iam-endpoint", c.GRPC, "--resourcemanager-endpoint", c.GRPC,
	}
}

// Call makes one HTTP request with JSON both ways.
func (c *Cloud) Call(ctx context.Context, method, path string, body, into any) error {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.URL+path, sent)
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
		return &StatusError{status: response.StatusCode, text: text}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// StatusError is an HTTP answer that is none.
type StatusError struct {
	status int
	text   string
}

func (e *StatusError) Error() string { return e.text }

// IsStatus says whether an answer had that HTTP status.
func IsStatus(err error, status int) bool {
	var e *StatusError
	return errors.As(err, &e) && e.status == status
}
