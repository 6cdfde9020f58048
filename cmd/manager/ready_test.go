package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// TestReadiness: neither without caches nor without a token, and then for good.
func TestReadiness(t *testing.T) {
	steps, attempts := make(chan bool), make(chan error)
	r := newReadiness(
		func(context.Context) bool { return <-steps },
		func(context.Context) error { return <-attempts },
	)
	r.pauses = wait.Backoff{Duration: time.Millisecond, Factor: 1, Steps: 1 << 30}
	ended := make(chan error)
	go func() { ended <- r.Start(t.Context()) }()
	says := func(want string) {
		t.Helper()
		eventually(t, "the probe says "+want, func(context.Context) (bool, error) {
			err := r.check(nil)
			return err != nil && err.Error() == want, nil
		})
	}
	says("the caches are not synced yet")
	steps <- true
	says("there is no token of Google's yet")
	attempts <- errors.New("no metadata server")
	says("no metadata server")
	attempts <- nil
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := r.check(nil); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

// TestNotReadyWithoutCaches: a process that ends before it knows the cluster never was ready.
func TestNotReadyWithoutCaches(t *testing.T) {
	r := newReadiness(func(context.Context) bool { return false }, func(context.Context) error { return nil })
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.check(nil) == nil {
		t.Error("ready without caches")
	}
}
