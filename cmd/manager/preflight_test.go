package main

import (
	"errors"
	"testing"

	"github.com/holdfast-dev/holdfast/internal/gcp"
)

// TestAdviceOnCredentialsIsForCredentials: what has nothing to do with them is told as it is.
func TestAdviceOnCredentialsIsForCredentials(t *testing.T) {
	other := errors.New("method storage buckets.get: no scope")
	if got := credentialsAdvice(other); got.Error() != other.Error() {
		t.Errorf("got %v", got)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/there/is/none")
	_, err := gcp.NewClients(gcp.Options{})
	if got := credentialsAdvice(err); got.Error() == err.Error() || !errors.Is(got, err) {
		t.Errorf("got %v of %v", got, err)
	}
}
