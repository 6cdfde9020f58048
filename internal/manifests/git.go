package manifests

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// revision is what git has at a revision of the repository that a folder is in.
func revision(ctx context.Context, dir, name string) (*place, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, fmt.Errorf("reading the revision %s: the program git is missing: install it, or add it to $PATH", name)
	}
	top, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("reading the revision %s: %w", name, err)
	}
	prefix, err := git(ctx, dir, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, fmt.Errorf("reading the revision %s: %w", name, err)
	}
	tree, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{tree}")
	if err != nil {
		return nil, fmt.Errorf("git has no revision %s in %s: fetch it first; in CI, check out with history (fetch-depth: 0)", name, line(top))
	}
	list, err := git(ctx, dir, "ls-tree", "-r", "-z", "--full-tree", line(tree))
	if err != nil {
		return nil, fmt.Errorf("listing the files of the revision %s: %w", name, err)
	}
	files := &gitFiles{blobs: newBlobs(ctx, dir), files: map[string]string{}, links: map[string]string{}, dirs: map[string][]string{line(top): nil}}
	if err := files.list(line(top), list); err != nil {
		files.blobs.close()
		return nil, fmt.Errorf("listing the files of the revision %s: %w", name, err)
	}
	at := path.Join(line(top), line(prefix))
	resolve := func(name string) (string, error) { return inRepository(line(top), at, name) }
	return &place{FileSystem: files, dir: at, resolve: resolve, close: files.blobs.close}, nil
}

// line is the text of one line.
func line(text string) string { return strings.TrimRight(text, "\r\n") }

// inRepository is where a path is that is seen from a folder of the repository at top.
func inRepository(top, from, name string) (string, error) {
	at := filepath.Join(from, name)
	if filepath.IsAbs(name) {
		at = name
		if linked, err := filepath.EvalSymlinks(name); err == nil {
			at = linked
		}
	}
	if rel, err := filepath.Rel(top, at); err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("it is not in the git repository %s", top)
	}
	return at, nil
}

// git runs git in a folder and returns what it prints.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := gitCommand(ctx, dir, args...)
	var says bytes.Buffer
	cmd.Stderr = &says
	out, err := cmd.Output()
	var code *exec.ExitError
	if errors.As(err, &code) && says.Len() > 0 {
		return "", errors.New(strings.Join(strings.Fields(says.String()), " "))
	}
	return string(out), err
}

func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...) //nolint:gosec // a revision cannot be taken for a flag
	cmd.Env = append(os.Environ(), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	return cmd
}

// gitFiles are the files of a tree, under the paths that they would have on disk.
type gitFiles struct {
	readOnly

	blobs *blobs
	// files are the blobs by path, links what symbolic links lead to, and dirs the names in each folder.
	files map[string]string
	links map[string]string
	dirs  map[string][]string
}

// list takes in what git ls-tree -r -z prints: mode, type, object and path of each file.
func (g *gitFiles) list(top, tree string) error {
	for entry := range strings.SplitSeq(strings.TrimRight(tree, "\x00"), "\x00") {
		head, name, ok := strings.Cut(entry, "\t")
		fields := strings.Fields(head)
		if !ok || len(fields) != 3 || fields[1] != "blob" { // the commit of a submodule is no file
			continue
		}
		mode, blob, name := fields[0], fields[2], path.Join(top, name)
		g.enter(name)
		if mode != "120000" {
			g.files[name] = blob
			continue
		}
		target, err := g.blobs.read(blob)
		if err != nil {
			return err
		}
		g.links[name] = string(target)
	}
	return nil
}

// enter makes a file known to the folders that it is in.
func (g *gitFiles) enter(name string) {
	for name != "/" {
		dir, base := path.Dir(name), path.Base(name)
		_, known := g.dirs[dir]
		g.dirs[dir] = append(g.dirs[dir], base)
		if known {
			return
		}
		name = dir
	}
}

// follow is where a path leads: itself where there are no symbolic links. Those that lead in a circle lead nowhere.
func (g *gitFiles) follow(name string) string {
	at, rest := "/", path.Clean("/"+name)
	for range 1000 {
		next, more, _ := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
		within := at
		at, rest = path.Join(at, next), more
		if target, ok := g.links[at]; ok {
			if !path.IsAbs(target) {
				target = path.Join(within, target)
			}
			at, rest = "/", path.Join(target, rest)
		}
		if rest == "" {
			return at
		}
	}
	return ""
}

// IsDir implements filesys.FileSystem.
func (g *gitFiles) IsDir(name string) bool {
	_, ok := g.dirs[g.follow(name)]
	return ok
}

// Exists implements filesys.FileSystem.
func (g *gitFiles) Exists(name string) bool {
	_, ok := g.files[g.follow(name)]
	return ok || g.IsDir(name)
}

// ReadDir implements filesys.FileSystem.
func (g *gitFiles) ReadDir(name string) ([]string, error) {
	names, ok := g.dirs[g.follow(name)]
	if !ok {
		return nil, notThere(name)
	}
	return slices.Clone(names), nil
}

// CleanedAbs implements filesys.FileSystem.
func (g *gitFiles) CleanedAbs(name string) (dir filesys.ConfirmedDir, base string, err error) {
	leads := g.follow(name)
	switch {
	case g.IsDir(leads):
		return filesys.ConfirmedDir(leads), "", nil
	case g.Exists(leads):
		return filesys.ConfirmedDir(path.Dir(leads)), path.Base(leads), nil
	}
	return "", "", notThere(name)
}

// ReadFile implements filesys.FileSystem.
func (g *gitFiles) ReadFile(name string) ([]byte, error) {
	blob, ok := g.files[g.follow(name)]
	if !ok {
		return nil, notThere(name)
	}
	return g.blobs.read(blob)
}

func notThere(name string) error { return &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist} }

// blobs reads objects through one process of git, which begins with the first.
type blobs struct {
	begin  func() error
	cmd    *exec.Cmd
	ask    io.WriteCloser
	answer *bufio.Reader
}

func newBlobs(ctx context.Context, dir string) *blobs {
	b := &blobs{cmd: gitCommand(ctx, dir, "cat-file", "--batch")}
	b.begin = sync.OnceValue(func() error {
		answer, err := b.cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if b.ask, err = b.cmd.StdinPipe(); err != nil {
			return err
		}
		b.answer = bufio.NewReader(answer)
		return b.cmd.Start()
	})
	return b
}

// read reads an object. Git answers with its name, type and size in a line, and then with what it is.
func (b *blobs) read(object string) ([]byte, error) {
	if err := b.begin(); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintln(b.ask, object); err != nil {
		return nil, err
	}
	head, err := b.answer.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("reading from git: %w", err)
	}
	fields := strings.Fields(head)
	if len(fields) != 3 {
		return nil, fmt.Errorf("reading from git: %s", line(head))
	}
	size, err := strconv.Atoi(fields[2])
	if err != nil {
		return nil, fmt.Errorf("reading from git: %s", line(head))
	}
	text := make([]byte, size+1)
	if _, err := io.ReadFull(b.answer, text); err != nil {
		return nil, fmt.Errorf("reading from git: %w", err)
	}
	return text[:size], nil
}

// close ends the process.
func (b *blobs) close() {
	if b.cmd.Process != nil {
		_ = b.ask.Close()
		_ = b.cmd.Wait()
	}
}

// readOnly are the functions of a filesys.FileSystem that rendering does not use.
type readOnly struct{}

// Create implements filesys.FileSystem.
func (readOnly) Create(string) (filesys.File, error) { return nil, errors.ErrUnsupported }

// Mkdir implements filesys.FileSystem.
func (readOnly) Mkdir(string) error { return errors.ErrUnsupported }

// MkdirAll implements filesys.FileSystem.
func (readOnly) MkdirAll(string) error { return errors.ErrUnsupported }

// RemoveAll implements filesys.FileSystem.
func (readOnly) RemoveAll(string) error { return errors.ErrUnsupported }

// Open implements filesys.FileSystem.
func (readOnly) Open(string) (filesys.File, error) { return nil, errors.ErrUnsupported }

// Glob implements filesys.FileSystem.
func (readOnly) Glob(string) ([]string, error) { return nil, errors.ErrUnsupported }

// WriteFile implements filesys.FileSystem.
func (readOnly) WriteFile(string, []byte) error { return errors.ErrUnsupported }

// Walk implements filesys.FileSystem.
func (readOnly) Walk(string, filepath.WalkFunc) error { return errors.ErrUnsupported }
