package manifests

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// place is where paths lead: on disk, or to what git has of them.
type place struct {
	filesys.FileSystem

	// dir is the working folder.
	dir string
	// resolve is where a path is that was given.
	resolve func(path string) (string, error)
	// close ends what serves the files.
	close func()
}

// placeOf is the place that options mean.
func placeOf(ctx context.Context, o Options) (*place, error) {
	dir := o.Dir
	if dir == "" {
		var err error
		if dir, err = os.Getwd(); err != nil {
			return nil, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if o.Revision != "" {
		return revision(ctx, dir, o.Revision)
	}
	resolve := func(path string) (string, error) {
		if filepath.IsAbs(path) {
			return filepath.Clean(path), nil
		}
		return filepath.Join(dir, path), nil
	}
	return &place{FileSystem: filesys.MakeFsOnDisk(), dir: dir, resolve: resolve, close: func() {}}, nil
}

// relative writes the paths of a message as seen from the working folder, in one line.
func (p *place) relative(message string) string {
	message = strings.ReplaceAll(message, p.dir+string(filepath.Separator), "")
	message = strings.ReplaceAll(message, p.dir, ".")
	return strings.Join(strings.Fields(message), " ")
}
