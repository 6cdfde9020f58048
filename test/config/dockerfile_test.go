package config

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// copies are the lines of the Dockerfile that bring something of the project into the image that it is compiled in.
var copies = regexp.MustCompile(`(?m)^COPY ([^-\n].*) (\S+)$`)

// TestTheDockerfileCopiesAllThatIsCompiled: with what it copies, and nothing else, Go finds every package and every embedded file of the manager.
func TestTheDockerfileCopiesAllThatIsCompiled(t *testing.T) {
	t.Parallel()
	root, there := filepath.Join("..", ".."), t.TempDir()
	dockerfile, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range copies.FindAllStringSubmatch(string(dockerfile), -1) {
		for source := range strings.FieldsSeq(line[1]) {
			if !slices.Contains(strings.Split(string(ignored), "\n"), "!"+source) {
				t.Errorf("the Dockerfile copies %s, and .dockerignore leaves it out", source)
			}
			copyAll(t, filepath.Join(root, source), filepath.Join(there, source))
		}
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/manager")
	list.Dir = there
	var problems bytes.Buffer
	list.Stderr = &problems
	if err := list.Run(); err != nil {
		t.Errorf("the manager cannot be compiled of what the Dockerfile copies: %v\n%s", err, &problems)
	}
}

// copyAll copies a file, or a folder without the tests in it, as .dockerignore has it.
func copyAll(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		t.Fatal(err)
	}
	if !info.IsDir() {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "testdata" && !strings.HasSuffix(name, "_test.go") {
			copyAll(t, filepath.Join(from, name), filepath.Join(to, name))
		}
	}
}
