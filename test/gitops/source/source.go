// Package source stands in for Flux's source-controller, and does only what the tests here need: it packs the head of each
// GitRepository's branch as a tarball, serves that on loopback and says so in the status. It supports neither credentials nor
// includes nor signatures.
package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// RequestedAt is the annotation that asks for a look at the repository now, as `flux reconcile source git` does.
const RequestedAt = "reconcile.fluxcd.io/requestedAt"

// interval is how often all repositories are looked at, whatever their spec says.
const interval = 10 * time.Second

var gitRepositories = schema.GroupVersionKind{Group: "source.toolkit.fluxcd.io", Version: "v1", Kind: "GitRepository"}

// StandIn serves the heads of the cluster's GitRepositories.
type StandIn struct {
	kube   client.WithWatch
	folder string
	url    string
	http   *http.Server
	report func(error)
	cancel context.CancelFunc
	ended  chan error
}

// Start looks after all GitRepositories until Close. It keeps the tarballs in the folder. What fails with one of them is
// reported, and tried again.
func Start(kube client.WithWatch, folder string, report func(error)) (*StandIn, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &StandIn{
		kube: kube, folder: folder, url: "http://" + listener.Addr().String(), report: report, cancel: cancel, ended: make(chan error, 2),
		http: &http.Server{Handler: http.FileServer(http.Dir(folder)), ReadHeaderTimeout: time.Minute},
	}
	go func() { s.ended <- s.http.Serve(listener) }()
	go func() { s.ended <- s.run(ctx) }()
	return s, nil
}

// Close stops it.
func (s *StandIn) Close() error {
	s.cancel()
	err := s.http.Close()
	for range 2 {
		if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) && !errors.Is(ended, context.Canceled) {
			err = errors.Join(err, ended)
		}
	}
	return err
}

// run looks at every repository when one changes, and at every interval.
func (s *StandIn) run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := s.watch(ctx); err != nil && ctx.Err() == nil {
			s.report(err)
		}
	}
	return ctx.Err()
}

// watch does so until the watch ends.
func (s *StandIn) watch(ctx context.Context) error {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gitRepositories)
	changes, err := s.kube.Watch(ctx, list)
	if err != nil {
		return fmt.Errorf("watching GitRepositories: %w", err)
	}
	defer changes.Stop()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := s.serveAll(ctx); err != nil && ctx.Err() == nil {
			s.report(err)
		}
		select {
		case _, open := <-changes.ResultChan():
			if !open {
				return nil
			}
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *StandIn) serveAll(ctx context.Context) error {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gitRepositories)
	if err := s.kube.List(ctx, list); err != nil {
		return fmt.Errorf("listing GitRepositories: %w", err)
	}
	var errs []error
	for i := range list.Items {
		if err := s.serve(ctx, &list.Items[i]); err != nil {
			errs = append(errs, fmt.Errorf("serving GitRepository %q: %w", list.Items[i].GetName(), err))
		}
	}
	return errors.Join(errs...)
}

// serve brings the status of one to the head of its branch.
func (s *StandIn) serve(ctx context.Context, repository *unstructured.Unstructured) error {
	field := func(path ...string) string {
		text, _, _ := unstructured.NestedString(repository.Object, path...)
		return text
	}
	url, branch := field("spec", "url"), cmp.Or(field("spec", "ref", "branch"), "master")
	head, err := git(ctx, "ls-remote", url, "refs/heads/"+branch)
	if err != nil {
		return err
	}
	hash, _, found := strings.Cut(head, "\t")
	if !found {
		return fmt.Errorf("%s has no branch %q", url, branch)
	}
	revision, requested := branch+"@sha1:"+hash, repository.GetAnnotations()[RequestedAt]
	switch has := field("status", "artifact", "revision") == revision; {
	case has && field("status", "lastHandledReconcileAt") == requested:
		return nil
	case has: // packed anew it would have another digest than the one that somebody is just fetching it by
		before := repository.DeepCopy()
		if err := unstructured.SetNestedField(repository.Object, requested, "status", "lastHandledReconcileAt"); err != nil {
			return err
		}
		return s.kube.Status().Patch(ctx, repository, client.MergeFrom(before))
	}
	path := filepath.Join(repository.GetNamespace(), repository.GetName(), hash+".tar.gz")
	artifact, err := s.pack(ctx, url, branch, hash, path)
	if err != nil {
		return err
	}
	artifact["revision"] = revision
	before := repository.DeepCopy()
	repository.Object["status"] = map[string]any{
		"observedGeneration":     repository.GetGeneration(),
		"lastHandledReconcileAt": requested,
		"artifact":               artifact,
		"conditions": []any{map[string]any{
			"type": "Ready", "status": string(metav1.ConditionTrue), "reason": "Succeeded", "message": "stored artifact for revision " + revision,
			"observedGeneration": repository.GetGeneration(), "lastTransitionTime": now(),
		}},
	}
	return s.kube.Status().Patch(ctx, repository, client.MergeFrom(before))
}

// pack makes a tarball of a commit at a path below the folder, and describes it as an artifact.
func (s *StandIn) pack(ctx context.Context, url, branch, hash, path string) (map[string]any, error) {
	clone, err := os.MkdirTemp(s.folder, ".clone-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(clone) }() // it goes with the folder at the latest
	if _, err := git(ctx, "clone", "--quiet", "--bare", "--branch", branch, url, clone); err != nil {
		return nil, err
	}
	file := filepath.Join(s.folder, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	// Of a tree rather than a commit, which would begin with a header that Flux does not take.
	if _, err := git(ctx, "-C", clone, "archive", "--format", "tar.gz", "--output", file, hash+"^{tree}"); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(content)
	return map[string]any{
		"path": filepath.ToSlash(path), "url": s.url + "/" + filepath.ToSlash(path), "size": int64(len(content)),
		"digest": "sha256:" + hex.EncodeToString(digest[:]), "lastUpdateTime": now(),
	}, nil
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

// patience bounds one run of git.
const patience = time.Minute

func git(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
