// Package process runs programs beside a test or the demo: it starts them with a log, waits until they answer, notices when one
// ends too early, and stops them with all that they started.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// StopBound is how long a program may take to end after SIGTERM: as long as Kubernetes gives a pod by default.
const StopBound = 30 * time.Second

// tailLines are how many lines of the log an error has.
const tailLines = 15

// Program is how to run one.
type Program struct {
	// Name is what errors call it, as in "the operator".
	Name string
	// Path is the file, or its name if it is in PATH.
	Path string
	Args []string
	// As is the name the program is started under, for one that acts by its own name; empty means Path.
	As string
	// Env is added to the caller's environment, each entry as "NAME=value".
	Env []string
	// Log is the file that both outputs go to. It is created or truncated; its folder is created, too.
	Log string
}

// Process is a program that was started. All methods may be called at any time, even after it has ended.
type Process struct {
	// Name and Log are those of the program.
	Name, Log string

	cmd *exec.Cmd
	// done is closed when the program has ended.
	done chan struct{}
	// stopping says that the program is expected to end.
	stopping atomic.Bool
}

// Start starts a program in its own process group, so that an interrupt typed at the terminal reaches only the caller, which
// then stops everything in order. On Linux, the program is killed when the caller dies.
func Start(p Program) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(p.Log), 0o755); err != nil {
		return nil, fmt.Errorf("creating the folder for the log of %s: %w", p.Name, err)
	}
	log, err := os.Create(p.Log)
	if err != nil {
		return nil, fmt.Errorf("creating the log of %s: %w", p.Name, err)
	}
	defer func() { _ = log.Close() }() // the program has its own handle
	started := &Process{Name: p.Name, Log: p.Log, cmd: exec.Command(p.Path, p.Args...), done: make(chan struct{})}
	if p.As != "" {
		started.cmd.Args[0] = p.As
	}
	started.cmd.Env = append(os.Environ(), p.Env...)
	started.cmd.Stdout, started.cmd.Stderr = log, log
	started.cmd.SysProcAttr = attributes()
	if err := started.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.Name, err)
	}
	go func() {
		defer close(started.done)
		_ = started.cmd.Wait() // its state says more
	}()
	return started, nil
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// EndedError says that a program ended before it was stopped, and how.
type EndedError struct{ text string }

func (e *EndedError) Error() string { return e.text }

// Ended says how the program ended, once it has, with the last lines of its log.
func (p *Process) Ended() *EndedError {
	return &EndedError{fmt.Sprintf("%s ended: %s; its last lines:\n%s", p.Name, p.cmd.ProcessState, p.Tail(tailLines))}
}

// Signal sends the program a signal, such as SIGSTOP.
func (p *Process) Signal(signal os.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("sending %s to %s: %w", signal, p.Name, err)
	}
	return nil
}

// Kill kills the program and whatever it started.
func (p *Process) Kill() {
	p.stopping.Store(true)
	p.killGroup()
}

// Stop asks the program to end (SIGTERM), and kills what is left of it and of what it started once it has ended, or after
// [StopBound]. It returns an [*EndedError] if the program had already ended unasked, and an error if it had to be killed.
func (p *Process) Stop() error { return p.stop(StopBound) }

func (p *Process) stop(bound time.Duration) error {
	expected := p.stopping.Swap(true)
	defer p.killGroup()
	select {
	case <-p.done:
		if expected {
			return nil
		}
		return p.Ended()
	default:
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM) // fails if it has just ended, which is fine
	select {
	case <-p.done:
		return nil
	case <-time.After(bound):
		return fmt.Errorf("%s did not end within %s of SIGTERM and was killed; its last lines:\n%s", p.Name, bound, p.Tail(tailLines))
	}
}

// killGroup kills what is left of the program's group, if anything is.
func (p *Process) killGroup() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// Tail returns the last lines of the log, or why it cannot be read.
func (p *Process) Tail(lines int) string {
	text, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
