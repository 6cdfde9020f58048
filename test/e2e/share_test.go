package e2e

import (
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// sharing is the variable that divides this suite, which is long, in two: "one" has each test go through one of its kinds, or other cases, and
// "others" through all but that one, and leaves out the tests that have no such cases. By default all tests go through all; with -short, through
// one.
const sharing = "HOLDFAST_KINDS"

const (
	all    = ""
	one    = "one"
	others = "others"
)

// share is which cases are run.
func share(t *testing.T) string {
	t.Helper()
	switch share := os.Getenv(sharing); share {
	case all:
		if testing.Short() {
			return one
		}
		return all
	case one, others:
		return share
	default:
		t.Fatalf("%s is %q: must be %q, %q or empty", sharing, share, one, others)
		return ""
	}
}

// divided are the tests that go through cases, by the name of the test that each is part of, and undivided those with a world of their own.
var divided, undivided sync.Map

// root is the name of the test that a subtest is part of.
func root(t *testing.T) string {
	name, _, _ := strings.Cut(t.Name(), "/")
	return name
}

// divide takes note of a test that goes through cases. It must not have made a world before, where it would have been left out with the others.
func divide(t *testing.T) {
	t.Helper()
	divided.Store(root(t), true)
	for parts := strings.Split(t.Name(), "/"); len(parts) > 0; parts = parts[:len(parts)-1] {
		name := strings.Join(parts, "/")
		if _, ok := undivided.Load(name); ok {
			t.Fatalf("%s makes a world before it goes through cases: %s=%s would leave them out", name, sharing, others)
		}
	}
}

// shareOf returns those of a test's cases that are run. The one depends on the name of the test, so that the tests together go through all kinds.
func shareOf[T any](t *testing.T, cases []T) []T {
	t.Helper()
	divide(t)
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(t.Name()))
	n := int(hash.Sum32() % uint32(len(cases)))
	switch share(t) {
	case one:
		return cases[n : n+1]
	case others:
		return slices.Delete(slices.Clone(cases), n, n+1)
	}
	return cases
}

// skipUndivided leaves out a test that goes through no cases where only the others are run.
func skipUndivided(t *testing.T) {
	t.Helper()
	if _, ok := divided.Load(root(t)); ok {
		return
	}
	undivided.Store(t.Name(), true)
	if share(t) == others {
		t.Skip("it has no cases that would be the others")
	}
}
