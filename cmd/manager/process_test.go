package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// asManager, when set in the environment, makes the test binary the manager.
const asManager = "HOLDFAST_TEST_AS_MANAGER"

func TestMain(m *testing.M) {
	if os.Getenv(asManager) != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is the manager as a process of its own. Within the process of a test it could not run twice: the loggers of its libraries
// belong to the process, and what controller-runtime leaves running for a moment still uses the first when the second is set.
func program(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, os.Args[0], args...)
	command.Env = append(os.Environ(), asManager+"=yes")
	// The end of a test ends its manager, as the kubelet would.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = patience
	return command
}

// outcome runs the manager to its end.
func outcome(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, complaint bytes.Buffer
	command := program(ctx, args...)
	command.Stdout, command.Stderr = &out, &complaint
	if err := command.Run(); command.ProcessState == nil {
		t.Fatalf("starting the manager: %v", err)
	}
	return command.ProcessState.ExitCode(), out.String(), complaint.String()
}
