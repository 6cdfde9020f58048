package plugin

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/holdfast-dev/holdfast/test/readme"
)

// shell is where somebody types commands: the world's folder, with kubectl, the plugin and Terraform in the PATH. The plugin looks at the world's
// cloud, without being told in each command.
type shell struct {
	*world

	// real are programs, as a shell calls them, by their names.
	real map[string]string
}

// newShell makes one with a Terraform.
func (w *world) newShell(terraform string) *shell {
	w.t.Helper()
	looks := "case $1 in plan|import) set -- \"$@\" " + strings.Join(w.cloudArgs(), " ") + " ;; esac; "
	s := &shell{w, map[string]string{
		"kubectl":          filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"),
		"kubectl-holdfast": looks + binary,
		"terraform":        terraform,
	}}
	for name := range s.real {
		s.after(name, "")
	}
	return s
}

// after has a script run after each call of a program. In it $code is how the call ended, $@ are its arguments, and real calls the program.
func (s *shell) after(name, script string) {
	s.t.Helper()
	s.write("bin/"+name, fmt.Sprintf("#!/bin/sh\nreal() { %s \"$@\"; }\ncode=0\nreal \"$@\" || code=$?\n%s\nexit $code\n", s.real[name], script))
	s.must(os.Chmod(filepath.Join(s.folder, "bin", name), 0o755))
}

// interruptedAfter has the whole script killed once kubectl and Terraform have been called so many times.
func (s *shell) interruptedAfter(calls int) {
	s.t.Helper()
	s.write("left", strconv.Itoa(calls))
	left := filepath.Join(s.folder, "left")
	for _, name := range []string{"kubectl", "terraform"} {
		s.after(name, fmt.Sprintf("left=$(($(cat %[1]s) - 1)); echo $left >%[1]s; [ $left -ne 0 ] || kill -KILL 0", left))
	}
}

// uninterrupted lets scripts run to their end.
func (s *shell) uninterrupted() {
	s.t.Helper()
	s.after("kubectl", "")
	s.after("terraform", "")
}

// sh runs a script. Its code is -1 if it was killed.
func (s *shell) sh(script string, env ...string) result {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "sh", "-c", script)
	cmd.Dir = s.folder
	cmd.Env = append([]string{
		"PATH=" + filepath.Join(s.folder, "bin") + ":" + os.Getenv("PATH"), "HOME=" + s.folder, "KUBECONFIG=" + adminKubeconfig,
		"CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=/dev/null", // Terraform calls nobody, and reads nobody's settings
	}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that it is killed with all that it has started, and nothing else
	return s.finish(cmd)
}

// does runs a script that has to succeed.
func (s *shell) does(script string, env ...string) result {
	s.t.Helper()
	got := s.sh(script, env...)
	if got.code != 0 {
		s.t.Fatalf("%s\nended with %d\n%s%s", script, got.code, got.stdout, got.stderr)
	}
	return got
}

// stops runs a script that has to stop with a fault, and say something.
func (s *shell) stops(script, says string, env ...string) {
	s.t.Helper()
	if got := s.sh(script, env...); got.code != 1 || !strings.Contains(got.stderr, says) {
		s.t.Fatalf("%s\nended with %d, want 1, and to say %q\n%s%s", script, got.code, says, got.stdout, got.stderr)
	}
}

// followsReadme types what a section of the README shows.
func (s *shell) followsReadme(section string) {
	s.t.Helper()
	commands, err := readme.Commands(filepath.Join("..", ".."), section)
	s.must(err)
	s.does("set -eu\n" + commands)
}
