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
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kinds"
)

// How often it is tried whether manifests are taken in, and for how long.
const (
	takenPace  = 200 * time.Millisecond
	takenBound = time.Minute
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
// too; nothing here runs it. Root is the folder of the version: the repository's.
func (k Kubectl) Install(ctx context.Context, root string) error {
	if _, err := k.Run(ctx, "apply", "--server-side", "-k", filepath.Join(root, "config", "default")); err != nil {
		return err
	}
	established := []string{"wait", "--for=condition=Established", "--timeout=30s", "crd"}
	for _, each := range kinds.All(nil) {
		established = append(established, each.Plural+"."+v1alpha1.GroupVersion.Group)
	}
	if _, err := k.Run(ctx, established...); err != nil {
		return err
	}
	return k.untilTaken(ctx)
}

// untilTaken waits until manifests of all kinds are taken in. For some seconds after a definition is established the admission policies that
// write into manifests do not know it, and the API server answers 503 to whoever creates one.
func (k Kubectl) untilTaken(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", k.kubeconfig)
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return err
	}
	kube, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("creating a client: %w", err)
	}
	for _, each := range kinds.All(nil) {
		var answer error
		err := wait.PollUntilContextTimeout(ctx, takenPace, takenBound, true, func(ctx context.Context) (bool, error) {
			probe := each.New()
			probe.SetNamespace(metav1.NamespaceDefault)
			probe.SetName("probe")
			answer = kube.Create(ctx, probe, client.DryRunAll) // that it is no valid manifest is found later
			return !apierrors.IsServiceUnavailable(answer), nil
		})
		if err != nil {
			return fmt.Errorf("waiting until manifests of kind %s are taken in: %w; the last answer was: %w", each.Kind, err, answer)
		}
	}
	return nil
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
