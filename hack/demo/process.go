package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stopBound is how long a process may take to end by itself.
const stopBound = 15 * time.Second

// process is a program that runs for as long as the demo.
type process struct {
	name    string
	logFile string
	cmd     *exec.Cmd
	// done is closed when the program has ended; err says how.
	done chan struct{}
	err  error
}

// startProcess starts a program in a process group of its own, so that an interrupt typed at the terminal reaches the demo
// alone, which then stops everything in order. Both of its outputs go to the log file.
func startProcess(name, logFile, path string, args ...string) (*process, error) {
	if err := os.MkdirAll(filepath.Dir(logFile), 0o755); err != nil {
		return nil, err
	}
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the program has its own handle
	p := &process{name: name, logFile: logFile, cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// watch calls fail if the program ends before the context does.
func (p *process) watch(ctx context.Context, fail func(error)) {
	go func() {
		select {
		case <-ctx.Done():
		case <-p.done:
			fail(p.ended())
		}
	}()
}

// endedError says that a program ended before the demo did.
type endedError struct{ text string }

func (e *endedError) Error() string { return e.text }

// ended says how the program ended, with the last lines of its log.
func (p *process) ended() error {
	return &endedError{fmt.Sprintf("%s ended: %s; its last lines:\n%s", p.name, p.cmd.ProcessState, p.tail(15))}
}

// stop ends the program and whatever it started.
func (p *process) stop() error {
	group := -p.cmd.Process.Pid
	if err := syscall.Kill(group, syscall.SIGTERM); errors.Is(err, syscall.ESRCH) {
		return nil
	}
	select {
	case <-p.done:
	case <-time.After(stopBound):
	}
	_ = syscall.Kill(group, syscall.SIGKILL) // what is left of the group, if anything is
	<-p.done
	return nil
}

// tail returns the last lines of the log.
func (p *process) tail(lines int) string {
	text, err := os.ReadFile(p.logFile)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// freeAddress returns an address on loopback that nobody listens on.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}
