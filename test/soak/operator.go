package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/holdfast-dev/holdfast/test/process"
	"github.com/holdfast-dev/holdfast/test/rig"
)

// The election is quicker than the shipped one, in its proportions, so that the lease changes hands often.
const (
	leaseDuration, renewDeadline, retryPeriod = 9 * time.Second, 7 * time.Second, 800 * time.Millisecond
	sweepInterval                             = 15 * time.Second
)

// again is how long after its end an operator is started again, as kubelet does.
const again = time.Second

// operator is one of two that compete for the lease. Whenever its process ends, another one is started.
type operator struct {
	slot string
	w    *world

	mu      sync.Mutex
	process *process.Process
	starts  int
	// memory is what the next process may take, as GOMEMLIMIT has it; empty for no limit.
	memory string
	// profiles is where the process has its profiles, and health where it says whether it is ready.
	profiles, health string
}

func (o *operator) clock() string { return filepath.Join(o.w.folder, o.slot+".clock") }

// start starts a process.
func (o *operator) start() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	free, err := process.FreeAddresses(2)
	if err != nil {
		return err
	}
	health, profiles := free[0], free[1]
	o.health, o.profiles = "http://"+health+"/readyz", "http://"+profiles+"/debug/pprof/"
	o.starts++
	env := []string{clockFile + "=" + o.clock()}
	if o.memory != "" {
		env = append(env, "GOMEMLIMIT="+o.memory)
	}
	o.process, err = process.Start(process.Program{
		Name: o.slot, Path: filepath.Join(o.w.folder, o.slot), Env: env,
		Log: filepath.Join(o.w.logs, fmt.Sprintf("%s-%03d.log", o.slot, o.starts)),
		Args: []string{
			"--kubeconfig", o.w.kubeconfig, "--owner-id", owner,
			"--leader-elect", "--leader-elect-namespace", rig.OperatorNamespace,
			"--leader-elect-lease-duration", leaseDuration.String(), "--leader-elect-renew-deadline", renewDeadline.String(),
			"--leader-elect-retry-period", retryPeriod.String(),
			"--sweep-interval", sweepInterval.String(), "--policy-sweep-interval", sweepInterval.String(),
			"--gcp-insecure", "--gcp-identity", identity, "--gcp-quota-share", "1000", "--storage-endpoint", o.w.cloud.StorageEndpoint(),
			"--pubsub-endpoint", o.w.cloud.GRPCAddr(), "--iam-endpoint", o.w.cloud.GRPCAddr(), "--resourcemanager-endpoint", o.w.cloud.GRPCAddr(),
			"--health-probe-bind-address", health, "--pprof-address", profiles,
		},
	})
	return err
}

// keep starts the operator whenever it has ended, until the context is done.
func (o *operator) keep(ctx context.Context) {
	for ctx.Err() == nil {
		o.mu.Lock()
		running := o.process
		o.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-running.Done():
		}
		o.w.rules.crashed(o.slot, running)
		pause(ctx, again)
		if ctx.Err() == nil {
			if err := o.start(); err != nil {
				o.w.rules.breach("%s cannot be started: %v", o.slot, err)
				return
			}
		}
	}
}

// crash is how a log begins that tells of a fault of the program, and not of what it met.
var crash = regexp.MustCompile(`(?m)^(panic:|fatal error:|WARNING: DATA RACE)|Observed a panic`)

// crashed looks at how a process has ended.
func (r *rules) crashed(slot string, ended *process.Process) {
	log, err := os.ReadFile(ended.Log)
	if err != nil {
		r.breach("%s: %v", slot, err)
	} else if found := crash.Find(log); found != nil {
		r.breach("%s crashed: %s, see %s:\n%s", slot, found, ended.Log, ended.Tail(40))
	}
}

// signal sends the process a signal. That it has just ended is as good.
func (o *operator) signal(signal os.Signal) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.process.Signal(signal)
}

// stop ends the process.
func (o *operator) stop() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.process == nil {
		return nil
	}
	o.process.Kill()
	return nil
}

// mishaps are what happens to one of the operators.
func mishaps(nth int) []deed {
	return []deed{
		func(*rand.Rand, time.Duration) (string, time.Duration, func(context.Context, *world) error) {
			return "is killed", 0, func(_ context.Context, w *world) error { w.operators[nth].signal(syscall.SIGKILL); return nil }
		},
		func(*rand.Rand, time.Duration) (string, time.Duration, func(context.Context, *world) error) {
			return "is told to end", 0, func(_ context.Context, w *world) error { w.operators[nth].signal(syscall.SIGTERM); return nil }
		},
		func(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
			stands := between(r, time.Second, 2*leaseDuration)
			return fmt.Sprintf("stands still for %s, and goes on", stands), stands, func(ctx context.Context, w *world) error {
				w.operators[nth].signal(syscall.SIGSTOP)
				pause(ctx, stands)
				w.rules.wakes(w.operators[nth].slot)
				w.operators[nth].signal(syscall.SIGCONT)
				return nil
			}
		},
		func(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
			memory := fmt.Sprintf("%dMiB", 40+r.IntN(60))
			return "is killed, and may take " + memory + " from now on", 0, func(_ context.Context, w *world) error {
				o := w.operators[nth]
				o.mu.Lock()
				o.memory = memory
				o.mu.Unlock()
				o.signal(syscall.SIGKILL)
				return nil
			}
		},
		func(r *rand.Rand, _ time.Duration) (string, time.Duration, func(context.Context, *world) error) {
			by := between(r, -jumps, jumps).Truncate(time.Second)
			return fmt.Sprintf("has a clock that is %s wrong from now on", by), 0, func(_ context.Context, w *world) error {
				return w.operators[nth].setClock(by)
			}
		},
	}
}

// setClock sets by how much the clock is wrong, of the process that runs and of those after it.
func (o *operator) setClock(by time.Duration) error {
	written := o.clock() + ".new"
	if err := os.WriteFile(written, []byte(strconv.FormatInt(int64(by/time.Second), 10)), 0o600); err != nil {
		return err
	}
	return os.Rename(written, o.clock())
}
