package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

func TestStopEndsTheWholeGroup(t *testing.T) {
	log := filepath.Join(t.TempDir(), "logs", "family.log")
	p, err := startProcess("a family", log, "sh", "-c", "sleep 600 & echo $!; wait")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.stop() })
	var child int
	if err := wait.PollUntilContextTimeout(t.Context(), 10*time.Millisecond, 10*time.Second, true, func(_ context.Context) (bool, error) {
		text, err := os.ReadFile(log)
		child, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return child > 0, err
	}); err != nil {
		t.Fatalf("waiting for the child's id: %v", err)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 10*time.Millisecond, 10*time.Second, true, func(_ context.Context) (bool, error) {
		return errors.Is(syscall.Kill(child, 0), syscall.ESRCH) || isZombie(child), nil
	}); err != nil {
		t.Errorf("the child of the process is still running")
	}
	if err := p.stop(); err != nil {
		t.Errorf("stopping again: %v", err)
	}
}

// isZombie says whether a process has ended and waits for whoever adopted it to take note.
func isZombie(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(text), ") Z ")
}

func TestEndedTellsHow(t *testing.T) {
	p, err := startProcess("a failure", filepath.Join(t.TempDir(), "failure.log"), "sh", "-c", "echo no such luck; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	p.watch(t.Context(), func(err error) { failed <- err })
	got := (<-failed).Error()
	for _, want := range []string{"a failure ended", "exit status 3", "no such luck"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q; want it to contain %q", got, want)
		}
	}
}
