package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
)

// standInVariable makes the test's own binary a stand-in for Terraform.
const standInVariable = "HOLDFAST_TEST_TERRAFORM"

// terraforms are the Terraforms that there are, by what a shell calls them: the stand-in always, and a real one where it is installed.
func terraforms() (map[string]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	out := map[string]string{"stand-in": standInVariable + "=1 " + self}
	if path, err := exec.LookPath("terraform"); err == nil {
		out["real"] = path
	}
	return out, nil
}

// stateFile is where Terraform keeps its state unless it is told to keep it elsewhere.
const stateFile = "terraform.tfstate"

// Parts of the state that the stand-in looks at. What else there is it keeps.
type (
	state     = map[string]any
	resources = []any
)

// standIn does as `terraform state list`, `pull` and `rm` do, with a state in the current folder and addresses of single instances.
func standIn(args []string, out, errOut io.Writer) int {
	if len(args) < 2 || args[0] != "state" {
		fmt.Fprintln(errOut, "the stand-in has nothing but terraform state")
		return 1
	}
	file, err := os.OpenFile(stateFile, os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if args[1] == "pull" {
			return 0
		}
		fmt.Fprintln(errOut, "No state file was found!")
		return 1
	}
	var text []byte
	var whole state
	if err == nil {
		text, err = io.ReadAll(file)
	}
	if err = errors.Join(err, json.Unmarshal(text, &whole)); err != nil {
		fmt.Fprintln(errOut, err)
		return 1
	}
	switch args[1] {
	case "pull":
		fmt.Fprint(out, string(text))
	case "list":
		for _, address := range addresses(whole) {
			fmt.Fprintln(out, address)
		}
	case "rm":
		err = standInRemove(file, whole, args[2:], out)
	}
	if err != nil {
		fmt.Fprintln(errOut, "Error:", err)
		return 1
	}
	return 0
}

// standInRemove takes instances out of a state, all at once.
func standInRemove(file *os.File, whole state, named []string, out io.Writer) error {
	if err := lockState(file); err != nil {
		return fmt.Errorf("Error acquiring the state lock: %w", err)
	}
	removed := 0
	each(whole, func(address string) bool {
		if !slices.Contains(named, address) {
			return true
		}
		removed++
		fmt.Fprintln(out, "Removed", address)
		return false
	})
	if removed == 0 {
		return errors.New("Invalid target address: No matching objects found.") //nolint:revive // Terraform's words
	}
	text, err := json.Marshal(whole)
	return errors.Join(err, file.Truncate(0), writeAt(file, text))
}

func writeAt(file *os.File, text []byte) error {
	_, err := file.WriteAt(text, 0)
	return err
}

// lockState locks a state against other processes, as Terraform does, until the process ends or closes the file.
func lockState(file *os.File) error {
	return syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK})
}

// addresses are those of all instances of a state, sorted.
func addresses(whole state) []string {
	var out []string
	each(whole, func(address string) bool { out = append(out, address); return true })
	slices.Sort(out)
	return out
}

// each goes through the instances of a state, and keeps those of which it is told so.
func each(whole state, keep func(address string) bool) {
	all, _ := whole["resources"].(resources)
	whole["resources"] = slices.DeleteFunc(all, func(r any) bool {
		resource, _ := r.(map[string]any)
		module, _ := resource["module"].(string)
		address := strings.TrimPrefix(fmt.Sprintf("%s.%s.%s", module, resource["type"], resource["name"]), ".")
		if resource["mode"] == "data" {
			address = "data." + address
		}
		instances, _ := resource["instances"].([]any)
		resource["instances"] = slices.DeleteFunc(instances, func(i any) bool {
			instance, _ := i.(map[string]any)
			switch key := instance["index_key"].(type) {
			case string:
				return !keep(fmt.Sprintf("%s[%q]", address, key))
			case float64:
				return !keep(fmt.Sprintf("%s[%d]", address, int(key)))
			}
			return !keep(address)
		})
		return len(resource["instances"].([]any)) == 0
	})
}
