package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
)

// kubectl is what a person would type.
type kubectl struct {
	path, kubeconfig string
	show             *screen
}

// run types a command and shows it with its answer. The error has what kubectl wrote.
func (k *kubectl) run(ctx context.Context, args ...string) (string, error) {
	k.show.command(commandLine(args))
	out, err := k.quiet(ctx, args...)
	k.show.output(out)
	return out, err
}

// quiet runs a command without showing it.
func (k *kubectl) quiet(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, k.path, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+k.kubeconfig)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is the demo's to handle
	out, err := cmd.CombinedOutput()
	text := strings.TrimRight(string(out), "\n")
	if _, exited := errors.AsType[*exec.ExitError](err); exited {
		return text, fmt.Errorf("%s: %s", commandLine(args), text)
	}
	if err != nil {
		return text, fmt.Errorf("%s: %w", commandLine(args), err)
	}
	return text, nil
}

// plain are the words that a shell takes as they are.
var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// commandLine writes a command as one would type it.
func commandLine(args []string) string {
	words := []string{"kubectl"}
	for _, arg := range args {
		if !plain.MatchString(arg) {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}
