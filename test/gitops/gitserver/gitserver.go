// Package gitserver serves git repositories over HTTP on loopback, with git's own http-backend.
package gitserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Branch is the only branch of each repository.
const Branch = "main"

// Server serves the repositories in a folder, for reading.
type Server struct {
	folder string
	url    string
	http   *http.Server
	ended  chan error
}

// Start serves the repositories that New makes in the folder, which must exist, until Close.
func Start(folder string) (*Server, error) {
	programs, err := git("", "--exec-path")
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	backend := &cgi.Handler{
		Path: filepath.Join(programs, "git-http-backend"),
		Root: "/",
		Env:  []string{"GIT_PROJECT_ROOT=" + folder, "GIT_HTTP_EXPORT_ALL=1"},
	}
	s := &Server{
		folder: folder, url: "http://" + listener.Addr().String(),
		http: &http.Server{Handler: backend, ReadHeaderTimeout: time.Minute}, ended: make(chan error, 1),
	}
	go func() { s.ended <- s.http.Serve(listener) }()
	return s, nil
}

// Close stops serving. The repositories stay.
func (s *Server) Close() error {
	err := s.http.Close()
	if served := <-s.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Repository is a repository with one branch, which is written to by commits alone.
type Repository struct {
	// URL is where it can be cloned from.
	URL string

	mu   sync.Mutex
	tree string // a work tree, from which is pushed
}

// New makes an empty repository.
func (s *Server) New(name string) (*Repository, error) {
	bare, tree := filepath.Join(s.folder, name+".git"), filepath.Join(s.folder, name)
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "--initial-branch", Branch, bare},
		{"init", "--quiet", "--initial-branch", Branch, tree},
		{"-C", tree, "remote", "add", "origin", bare},
	} {
		if _, err := git("", args...); err != nil {
			return nil, err
		}
	}
	return &Repository{URL: s.url + "/" + name + ".git", tree: tree}, nil
}

// Commit writes files, by their paths in the repository, and returns the commit's hash. Empty content removes a file.
func (r *Repository) Commit(message string, files map[string]string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for path, content := range files {
		path = filepath.Join(r.tree, filepath.FromSlash(path))
		if content == "" {
			if err := os.Remove(path); err != nil {
				return "", err
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return "", err
		}
	}
	if _, err := git(r.tree, "add", "--all"); err != nil {
		return "", err
	}
	if _, err := git(r.tree, "commit", "--quiet", "--message", message); err != nil {
		return "", err
	}
	return r.push()
}

// Revert undoes a commit by another one, whose hash it returns.
func (r *Repository) Revert(revision string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := git(r.tree, "revert", "--no-edit", revision); err != nil {
		return "", err
	}
	return r.push()
}

func (r *Repository) push() (string, error) {
	if _, err := git(r.tree, "push", "--quiet", "origin", Branch); err != nil {
		return "", err
	}
	return git(r.tree, "rev-parse", "HEAD")
}

// patience bounds one run of git.
const patience = time.Minute

// git runs git in a folder, with nobody's configuration, and returns what it prints.
func git(folder string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=platform", "GIT_AUTHOR_EMAIL=platform@example.com",
		"GIT_COMMITTER_NAME=platform", "GIT_COMMITTER_EMAIL=platform@example.com")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
