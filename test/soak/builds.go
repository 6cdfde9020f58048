package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// The slots that an operator runs in. Its calls to Google Cloud carry the name.
const (
	slotA = "operator-a"
	slotB = "operator-b"
)

// clockFile is the variable that names the file that says by how many seconds the clock of an operator is wrong.
const clockFile = "HOLDFAST_SOAK_CLOCK"

// What Go's clock is made of in the operators of a soak: how far it is wrong is added to the wall clock. The monotonic clock, by which durations are
// measured, stays right, as it does where somebody sets the clock of a machine.
const (
	readsClock = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	addsJump   = "\tsec += WrongBy.Load()\n"
	jump       = `package time

import "sync/atomic"

// WrongBy is by how many seconds the wall clock is wrong.
var WrongBy atomic.Int64
`
	follow = `package main

import (
	"os"
	"strconv"
	"time"
)

func init() {
	go func() {
		for range time.Tick(50 * time.Millisecond) {
			text, _ := os.ReadFile(os.Getenv("` + clockFile + `"))
			seconds, _ := strconv.ParseInt(string(text), 10, 64)
			time.WrongBy.Store(seconds)
		}
	}()
}
`
)

// build builds the operator of each slot, with a clock that can be wrong. Both are of this tree but for that and for the name that they go by.
func build(ctx context.Context, folder string) error {
	overlay, err := wrongClock(folder)
	if err != nil {
		return err
	}
	for _, slot := range []string{slotA, slotB} {
		stamp := "-X github.com/holdfast-dev/holdfast/internal/version.Version=v0.0.0-" + slot + " -X github.com/holdfast-dev/holdfast/internal/version.Commit=soak"
		args := []string{"build", "-overlay", overlay, "-ldflags", "-s -w " + stamp, "-o", filepath.Join(folder, slot), "./cmd/manager"}
		cmd := exec.CommandContext(ctx, "go", args...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building the operator: %w\n%s", err, out)
		}
	}
	return nil
}

// wrongClock writes the sources that differ from those of Go and of the operator, and returns the file that says so to Go.
func wrongClock(folder string) (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("finding Go's sources: %w", err)
	}
	folderOfTime := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(folderOfTime, "time.go"))
	if err != nil {
		return "", fmt.Errorf("reading Go's clock: %w", err)
	}
	if !strings.Contains(string(source), readsClock) {
		return "", fmt.Errorf("%s does not read the clock as test/soak/builds.go has it: %q", runtime.Version(), readsClock)
	}
	main, err := filepath.Abs("cmd/manager")
	if err != nil {
		return "", err
	}
	replaced := map[string]string{}
	for _, file := range []struct{ path, text string }{
		{filepath.Join(folderOfTime, "time.go"), strings.Replace(string(source), readsClock, readsClock+addsJump, 1)},
		{filepath.Join(folderOfTime, "wrong.go"), jump},
		{filepath.Join(main, "wrong.go"), follow},
	} {
		copied := filepath.Join(folder, "source"+strings.ReplaceAll(file.path, string(filepath.Separator), "_"))
		if err := os.WriteFile(copied, []byte(file.text), 0o600); err != nil {
			return "", fmt.Errorf("writing the sources of a clock: %w", err)
		}
		replaced[file.path] = copied
	}
	encoded, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(folder, "overlay.json")
	return overlay, os.WriteFile(overlay, encoded, 0o600)
}
