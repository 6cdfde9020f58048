package manifests

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// stdin is the path that means standard input.
const stdin = "-"

// file is a file to be read, or a folder with a kustomization.
type file struct {
	// name is how it is shown, and path where it is.
	name, path string
	// template says that it is one of a Helm chart.
	template bool
	// kustomized is the file with the kustomization of a folder.
	kustomized string
}

// kustomization is how the file with the kustomization of a folder is shown.
func (f file) kustomization() string { return filepath.Join(f.name, f.kustomized) }

// found are what is below the paths that were given, in the order in which it is read.
type found struct {
	files          []file
	kustomizations []file
	problems       []Problem
}

// finder finds files.
type finder struct {
	fsys filesys.FileSystem
	// resolve is where a path as given is.
	resolve func(path string) (string, error)
	// revision says that they are those of a revision: a path that does not exist there has nothing below it.
	revision bool

	seen map[visit]bool
	found
}

// visit is a look at a path, or only at its kustomizations.
type visit struct {
	path       string
	kustomized bool
}

// url is what looks like an address.
var url = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// find finds all that is to be read below paths.
func (f *finder) find(paths []string) error {
	if len(paths) == 0 {
		return errors.New("nothing to read: give files, folders, or - for standard input")
	}
	var errs []error
	for _, path := range paths {
		errs = append(errs, f.given(path))
	}
	return errors.Join(errs...)
}

func (f *finder) given(name string) error {
	if name == stdin {
		if f.revision {
			return errors.New("-: standard input has no revision: give files or folders")
		}
		f.files = append(f.files, file{name: stdin})
		return nil
	}
	if url.MatchString(name) {
		return fmt.Errorf("%s: only files, folders and standard input are read, nothing from the network: download it, or pipe it to -f -", name)
	}
	path, err := f.resolve(name)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case f.fsys.IsDir(path):
		f.folder(filepath.Clean(name), path, false)
	case !f.fsys.Exists(path):
		if !f.revision {
			return fmt.Errorf("%s: there is no such file or folder", name)
		}
	case slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(path)):
		f.folder(filepath.Clean(filepath.Dir(name)), filepath.Dir(path), false)
	default:
		f.file(file{name: filepath.Clean(name), path: path})
	}
	return nil
}

// folder finds what is to be read in a folder and those below it. Where a kustomization is, files are its own: only other kustomizations
// are looked for from there on.
func (f *finder) folder(name, path string, kustomized bool) {
	if f.again(path, kustomized) {
		return
	}
	names, err := f.fsys.ReadDir(path)
	if err != nil {
		f.problems = append(f.problems, Problem{Origin: Origin{File: name}, Message: err.Error()})
		return
	}
	slices.Sort(names)
	if kustomization := kustomizationIn(names); kustomization != "" {
		kustomized = true
		if !f.again(filepath.Join(path, kustomization), false) {
			f.kustomizations = append(f.kustomizations, file{name: name, path: path, kustomized: kustomization})
		}
	}
	for _, entry := range names {
		below := file{name: filepath.Join(name, entry), path: filepath.Join(path, entry)}
		below.template = entry == "templates" && slices.Contains(names, "Chart.yaml")
		switch {
		case strings.HasPrefix(entry, "."):
		case f.fsys.IsDir(below.path):
			f.below(below, kustomized)
		case !kustomized && isManifest(entry):
			f.file(below)
		}
	}
}

// below is a folder in another.
func (f *finder) below(dir file, kustomized bool) {
	before := len(f.files)
	f.folder(dir.name, dir.path, kustomized)
	for i := range f.files[before:] {
		f.files[before+i].template = f.files[before+i].template || dir.template
	}
}

func (f *finder) file(found file) {
	if !f.again(found.path, false) {
		f.files = append(f.files, found)
	}
}

// again says whether a path was there before, under whatever name. A folder in which only kustomizations were looked for may still be given
// by itself.
func (f *finder) again(path string, kustomized bool) bool {
	if dir, base, err := f.fsys.CleanedAbs(path); err == nil {
		path = dir.Join(base)
	}
	visit := visit{path, kustomized}
	again := f.seen[visit]
	f.seen[visit] = true
	return again
}

// isManifest says whether files of such a name are read from a folder: as kubectl does.
func isManifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}

// kustomizationIn is the name of the kustomization among those of the files of a folder; empty if there is none.
func kustomizationIn(names []string) string {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if slices.Contains(names, name) {
			return name
		}
	}
	return ""
}
