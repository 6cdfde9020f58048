package gitops

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

	"k8s.io/apimachinery/pkg/util/wait"
)

// process is a program that runs for as long as the world.
type process struct {
	name, log string
	cmd       *exec.Cmd
	done      chan struct{}
}

// program is how to run one.
type program struct {
	path string
	args []string
	// as is what the program takes its name from, where it is not that of the file.
	as   string
	envs []string
	// answers is an address that it listens on when it is ready; empty for one that listens nowhere.
	answers string
}

// run starts a program, waits until it listens, and has it ended with the world. Should the tests be killed it is killed, too.
func (w *world) run(name string, p program) error {
	log, err := os.Create(filepath.Join(w.logs, name+".log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the program has its own handle
	started := &process{name: name, log: log.Name(), cmd: exec.Command(p.path, p.args...), done: make(chan struct{})}
	if p.as != "" {
		started.cmd.Args[0] = p.as
	}
	started.cmd.Env = append(os.Environ(), p.envs...)
	started.cmd.Stdout, started.cmd.Stderr = log, log
	started.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := started.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		defer close(started.done)
		_ = started.cmd.Wait() // its state says more
	}()
	w.later(started.stop)
	w.processes[name] = started
	if p.answers == "" {
		return nil
	}
	err = wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		select {
		case <-started.done:
			return false, fmt.Errorf("it ended: %s", started.cmd.ProcessState)
		default:
		}
		connection, err := net.Dial("tcp", p.answers)
		if err != nil {
			return false, nil
		}
		return true, connection.Close()
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w; its last lines:\n%s", name, err, started.tail(15))
	}
	return nil
}

// stopBound is how long a program may take to end by itself.
const stopBound = 10 * time.Second

// stop ends the program.
func (p *process) stop() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s had ended before: %s; its last lines:\n%s", p.name, p.cmd.ProcessState, p.tail(15))
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(stopBound):
		_ = p.cmd.Process.Kill() // it may have ended by now
		<-p.done
	}
	return nil
}

// tail returns the last lines of the log.
func (p *process) tail(lines int) string {
	text, err := os.ReadFile(p.log)
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
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}

// freeAddresses returns as many, all different.
func freeAddresses(n int) ([]string, error) {
	var addresses []string
	taken := map[string]bool{}
	for len(addresses) < n {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		if !taken[address] {
			taken[address] = true
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}
