// Command licences writes down, for each module that the given packages are built from on any platform, its licence and notices, and fails
// on a module that has none, or one that is not accepted. It runs in the module whose packages they are.
//
//	licences OUTPUT PLATFORM,… PACKAGE…
package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// accepted are the licences under which others' code may be in what is released. All of them permit that, under conditions that the list
// itself fulfils.
var accepted = map[string]bool{"Apache-2.0": true, "BSD-2-Clause": true, "BSD-3-Clause": true, "ISC": true, "MIT": true}

// enough is how much of a file must be the text of known licences, in percent. The rest are names of authors and the like.
const enough = 75

// What is told from a file's name.
var (
	licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying)`)
	notice  = regexp.MustCompile(`(?i)^(notice|authors|patents)`)
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: licences OUTPUT PLATFORM,… PACKAGE…")
		os.Exit(2)
	}
	if err := run(os.Args[1], strings.Split(os.Args[2], ","), os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(output string, platforms, packages []string) error {
	modules, err := builtFrom(platforms, packages)
	if err != nil {
		return err
	}
	var list bytes.Buffer
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		if err := write(&list, name, modules[name]); err != nil {
			wrong = append(wrong, err)
		}
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return err
	}
	fmt.Printf("%d modules, all under accepted licences; see %s\n", len(modules), output)
	return os.WriteFile(output, list.Bytes(), 0o644)
}

// builtFrom maps each module, by name and version, to its folder. Go's own library is one.
func builtFrom(platforms, packages []string) (map[string]string, error) {
	modules := map[string]string{}
	for _, platform := range platforms {
		system, processor, _ := strings.Cut(platform, "/")
		list := exec.Command("go", append([]string{"list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}"}, packages...)...)
		list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+processor)
		list.Stderr = os.Stderr
		lines, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("listing what is built for %s: %w", platform, err)
		}
		for line := range strings.Lines(string(lines)) {
			if name, folder, found := strings.Cut(strings.TrimSpace(line), "\t"); found {
				modules[name] = folder
			}
		}
	}
	root, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("asking for Go's own folder: %w", err)
	}
	folder, version, _ := strings.Cut(strings.TrimSpace(string(root)), "\n")
	modules["the Go library "+version] = folder
	return modules, nil
}

// write adds a module with its licences and notices to the list.
func write(list *bytes.Buffer, name, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var texts bytes.Buffer
	var kinds []string
	for _, entry := range entries {
		told := licence.MatchString(entry.Name())
		if !entry.Type().IsRegular() || filepath.Ext(entry.Name()) == ".go" || !told && !notice.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if told {
			found, err := kindsOf(text)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", name, entry.Name(), err)
			}
			kinds = append(kinds, found...)
		}
		fmt.Fprintf(&texts, "---- %s ----\n%s\n", entry.Name(), bytes.TrimSpace(text))
	}
	if len(kinds) == 0 {
		return fmt.Errorf("%s has no licence: nobody may pass it on", name)
	}
	slices.Sort(kinds)
	fmt.Fprintf(list, "==== %s: %s ====\n%s\n", name, strings.Join(slices.Compact(kinds), ", "), &texts)
	return nil
}

// kindsOf tells under which licences a text puts what it is about.
func kindsOf(text []byte) ([]string, error) {
	coverage := licensecheck.Scan(text)
	if coverage.Percent < enough {
		return nil, fmt.Errorf("only %.0f %% of it is the text of a known licence: read it", coverage.Percent)
	}
	var kinds []string
	for _, match := range coverage.Match {
		if !accepted[match.ID] {
			return nil, fmt.Errorf("%s is not an accepted licence", match.ID)
		}
		kinds = append(kinds, match.ID)
	}
	return kinds, nil
}
