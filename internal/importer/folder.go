package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/holdfast-dev/holdfast/internal/layout"
)

// Outcome is what became of a manifest.
type Outcome string

// The outcomes.
const (
	// Written: there was no such file.
	Written Outcome = "written"
	// Unchanged: the file says the same, byte for byte.
	Unchanged Outcome = "unchanged"
	// Kept: the file says something else, and was left as it is.
	Kept Outcome = "kept"
	// Replaced: the file said something else, and was overwritten, as asked for.
	Replaced Outcome = "replaced"
)

// Sink is where manifests go. It may be called concurrently.
type Sink interface {
	// Put stores a manifest, and says where it is and what became of it. Differs are the fields in which one that was there differs.
	Put(obj layout.Object) (file string, outcome Outcome, differs []string, err error)
}

// Folder is a Sink that has a file for each manifest.
type Folder struct {
	Path      string
	Layout    layout.Layout
	Overwrite bool
}

// Put implements Sink. A file is written as a whole or not at all.
func (f Folder) Put(obj layout.Object) (string, Outcome, []string, error) {
	file := f.Layout.File(obj)
	text, err := obj.YAML()
	if err != nil {
		return file, "", nil, err
	}
	outcome, there, err := WriteFile(filepath.Join(f.Path, filepath.FromSlash(file)), text, 0o644, f.Overwrite)
	if err != nil || outcome != Kept {
		return file, outcome, nil, err
	}
	return file, outcome, differing(there, text), nil
}

// WriteFile writes a file as a whole or not at all, with the folders that it is in. One that is there and says something else it keeps, unless it
// is to overwrite it. There is what the file said before.
func WriteFile(path string, text []byte, mode fs.FileMode, overwrite bool) (outcome Outcome, there []byte, err error) {
	outcome = Written
	there, err = os.ReadFile(path) //nolint:gosec // the user names it, or the folder that it is in
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", nil, err
	case bytes.Equal(there, text):
		return Unchanged, there, nil
	case !overwrite:
		return Kept, there, nil
	default:
		outcome = Replaced
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // manifests are for everybody who works on them
		return "", nil, err
	}
	return outcome, there, writeWhole(path, text, mode)
}

// writeWhole writes a file by renaming a finished one, so that nobody ever finds half of it.
func writeWhole(path string, text []byte, mode fs.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), ".holdfast-*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Chmod(mode), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // it is of no use, and its name says so
	}
	return err
}

// differing are the fields in which two manifests differ, sorted; one that cannot be read differs as a whole.
func differing(a, b []byte) []string {
	var left, right any
	if yaml.Unmarshal(a, &left) != nil || yaml.Unmarshal(b, &right) != nil {
		return []string{"the file as a whole"}
	}
	differs := differ("", left, right)
	if len(differs) == 0 {
		return []string{"layout or comments alone"}
	}
	slices.Sort(differs)
	return differs
}

func differ(path string, a, b any) []string {
	left, isMap := a.(map[string]any)
	right, areMaps := b.(map[string]any)
	if !isMap || !areMaps {
		if fmt.Sprint(a) == fmt.Sprint(b) {
			return nil
		}
		return []string{path}
	}
	var out []string
	for name := range left {
		out = append(out, differ(join(path, name), left[name], right[name])...)
	}
	for name := range right {
		if _, both := left[name]; !both {
			out = append(out, join(path, name))
		}
	}
	return out
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// Stream is a Sink that writes one manifest after another.
type Stream struct {
	mu    sync.Mutex
	out   io.Writer
	began bool
}

// NewStream makes one that writes to out.
func NewStream(out io.Writer) *Stream { return &Stream{out: out} }

// Put implements Sink.
func (s *Stream) Put(obj layout.Object) (string, Outcome, []string, error) {
	text, err := obj.YAML()
	if err != nil {
		return "", "", nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began {
		text = append([]byte("---\n"), text...)
	}
	s.began = true
	_, err = s.out.Write(text)
	return "", Written, nil, err
}
