package gcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	raw "google.golang.org/api/storage/v1"
)

// StorageService is Cloud Storage's JSON API, as a service account. Unlike the client of Clients.Storage, it returns what a write
// answered, shows etags, and can clear a single field.
type StorageService struct {
	*raw.Service

	client *http.Client
	// contents is the handwritten client, for what is in buckets. Both have one token.
	contents *storage.Client
}

// NewStorageService makes the service whose root is at the endpoint, such as https://storage.googleapis.com/storage/v1/.
func NewStorageService(ctx context.Context, client *http.Client, endpoint string) (*StorageService, error) {
	reach := []option.ClientOption{option.WithHTTPClient(client), option.WithoutAuthentication(), option.WithEndpoint(endpoint)}
	service, err := raw.NewService(ctx, reach...)
	if err != nil {
		return nil, fmt.Errorf("making the client of Cloud Storage: %w", err)
	}
	contents, err := storage.NewClient(ctx, append(reach, storage.WithDisabledClientMetrics())...)
	if err != nil {
		return nil, fmt.Errorf("making the client of Cloud Storage: %w", err)
	}
	contents.SetRetry(storage.WithPolicy(storage.RetryNever))
	return &StorageService{Service: service, client: client, contents: contents}, nil
}

// StorageService returns the JSON API of Cloud Storage that is called as a service account (its e-mail; empty: as the
// manager).
func (c *Clients) StorageService(ctx context.Context, impersonate string) (*StorageService, error) {
	return c.storage.get(ctx, impersonate)
}

// Call makes a call whose answer is read as the JSON that Google sent. The library's own calls read it into types in which a
// number that is 0 is the same as none, so they are for answers where that makes no difference.
//
// The path is below the API's root, such as b/logs; a nil body is none.
func (s *StorageService) Call(ctx context.Context, method, path string, query url.Values, body, answer any) error {
	encoded := []byte{}
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return fmt.Errorf("writing the request: %w", err)
		}
	}
	query.Set("alt", "json")
	query.Set("prettyPrint", "false")
	req, err := http.NewRequestWithContext(ctx, method, s.BasePath+path+"?"+query.Encode(), bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("writing the request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	if err := googleapi.CheckResponse(resp); err != nil {
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}
