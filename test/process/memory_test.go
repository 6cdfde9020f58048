package process

import (
	"os"
	"os/exec"
	"testing"
)

// skipUntold skips a test where the system does not tell what a process has.
func skipUntold(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("this system has no /proc")
	}
}

func TestMemory(t *testing.T) {
	skipUntold(t)
	if now, peak := Memory(os.Getpid()); now < 1 || peak < now {
		t.Errorf("%.1f MiB, at most %.1f", now, peak)
	}
	if now, peak := Memory(-1); now != 0 || peak != 0 {
		t.Errorf("nobody has %.1f MiB, at most %.1f", now, peak)
	}
}

// TestWatchMemory: what this process has is not taken for what it starts has.
func TestWatchMemory(t *testing.T) {
	skipUntold(t)
	const held = 256
	ours := make([]byte, held<<20)
	for i := range ours {
		ours[i] = 1
	}
	cmd := exec.Command("dd", "if=/dev/zero", "of=/dev/null", "bs=32M", "count=200")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	most := WatchMemory(cmd.Process.Pid)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if peak := most(); peak < 32 || peak > held {
		t.Errorf("a program with a buffer of 32 MiB had %.1f MiB", peak)
	}
	if _, ourPeak := Memory(os.Getpid()); ourPeak < held || ours[len(ours)-1] != 1 {
		t.Errorf("we had %.1f MiB", ourPeak)
	}
}
