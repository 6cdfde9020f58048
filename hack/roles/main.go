// The command roles writes the custom roles of Google Cloud that Holdfast needs into a folder: a file each in roles/, and the table of them in
// README.md.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/roles"
)

// The table is between these lines.
const (
	begin = "<!-- Written by make manifests, down to the end of the table. -->\n"
	end   = "<!-- The end of the table. -->\n"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: roles FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "roles:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	all, files := roles.All(), filepath.Join(folder, "roles")
	if err := os.RemoveAll(files); err != nil {
		return err
	}
	if err := os.Mkdir(files, 0o755); err != nil {
		return err
	}
	for _, r := range all {
		if err := os.WriteFile(filepath.Join(files, r.ID+".yaml"), []byte(r.YAML()), 0o644); err != nil {
			return err
		}
	}
	readme := filepath.Join(folder, "README.md")
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the table: it is between the lines\n%s%s", readme, begin, end)
	}
	return os.WriteFile(readme, []byte(before+begin+"\n"+roles.Table(all)+"\n"+end+after), 0o644)
}
