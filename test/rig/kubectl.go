package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// Kubectl runs kubectl for the administrator.
type Kubectl struct{ path, kubeconfig string }

// Kubectl returns the kubectl in a folder of assets, for the control plane.
func (c *ControlPlane) Kubectl(assets string) Kubectl {
	return Kubectl{path: filepath.Join(assets, "kubectl"), kubeconfig: c.Kubeconfig}
}

// Run runs a command and returns what it wrote. The error has that, too.
func (k Kubectl) Run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, k.path, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+k.kubeconfig)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is the caller's to handle
	out, err := cmd.CombinedOutput()
	text := strings.TrimRight(string(out), "\n")
	if _, exited := errors.AsType[*exec.ExitError](err); exited {
		return text, fmt.Errorf("%s: %s", CommandLine(args), text)
	}
	if err != nil {
		return text, fmt.Errorf("%s: %w", CommandLine(args), err)
	}
	return text, nil
}

// Install installs what a cluster gets: definitions, admission policies, the operator's service account and its roles. The Deployment,
// too; nothing here runs it.
func (k Kubectl) Install(ctx context.Context) error {
	if _, err := k.Run(ctx, "apply", "--server-side", "-k", "config/default"); err != nil {
		return err
	}
	established := []string{"wait", "--for=condition=Established", "--timeout=30s", "crd"}
	for _, each := range kinds.All(nil) {
		established = append(established, each.Plural+"."+v1alpha1.GroupVersion.Group)
	}
	_, err := k.Run(ctx, established...)
	return err
}

// plain are the words that a shell takes as they are.
var plain = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// CommandLine writes a command as one would type it.
func CommandLine(args []string) string {
	words := []string{"kubectl"}
	for _, arg := range args {
		if !plain.MatchString(arg) {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}
