package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/holdfast-dev/holdfast/test/gitops/gitserver"
)

// newRepository is one with a commit, whose hash it returns.
func newRepository(t *testing.T) (repository *gitserver.Repository, hash string) {
	t.Helper()
	server, err := gitserver.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if repository, err = server.New("shop"); err != nil {
		t.Fatal(err)
	}
	if hash, err = repository.Commit("Add a file", map[string]string{"deploy/bucket.yaml": "kind: Bucket\n"}); err != nil {
		t.Fatal(err)
	}
	return repository, hash
}

// TestACommitIsPackedOnce, however often a look is asked for: somebody may be fetching it by its digest.
func TestACommitIsPackedOnce(t *testing.T) {
	repository, hash := newRepository(t)
	object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"url": repository.URL, "ref": map[string]any{"branch": gitserver.Branch}}}}
	object.SetGroupVersionKind(gitRepositories)
	object.SetNamespace("ns")
	object.SetName("shop")
	kube := fake.NewClientBuilder().WithObjects(object).WithStatusSubresource(object).Build()
	s := &StandIn{kube: kube, folder: t.TempDir(), url: "http://here"}
	serve := func() map[string]any {
		t.Helper()
		err := errors.Join(kube.Get(t.Context(), client.ObjectKeyFromObject(object), object), s.serve(t.Context(), object))
		if err != nil {
			t.Fatal(err)
		}
		status, _, err := unstructured.NestedMap(object.Object, "status")
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	packed := serve()
	tarball := filepath.Join(s.folder, "ns", "shop", hash+".tar.gz")
	if err := os.WriteFile(tarball, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	object.SetAnnotations(map[string]string{RequestedAt: "now"})
	if err := kube.Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	packed["lastHandledReconcileAt"] = "now"
	if d := cmp.Diff(packed, serve()); d != "" {
		t.Errorf("the status (-want +got):\n%s", d)
	}
	if text, err := os.ReadFile(tarball); err != nil || string(text) != "as it was" {
		t.Errorf("it was packed again (%v)", err)
	}
}

func TestPack(t *testing.T) {
	repository, hash := newRepository(t)
	folder := t.TempDir()
	s := &StandIn{folder: folder, url: "http://here"}

	artifact, err := s.pack(t.Context(), repository.URL, gitserver.Branch, hash, "ns/name/it.tar.gz")
	if err != nil {
		t.Fatal(err)
	}

	tarball := filepath.Join(folder, "ns", "name", "it.tar.gz")
	content, err := os.ReadFile(tarball)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(content)
	if artifact["digest"] != "sha256:"+hex.EncodeToString(digest[:]) || artifact["size"] != int64(len(content)) || artifact["url"] != "http://here/ns/name/it.tar.gz" {
		t.Errorf("the artifact is %v", artifact)
	}
	if out, err := exec.CommandContext(t.Context(), "tar", "-xzOf", tarball, "deploy/bucket.yaml").CombinedOutput(); err != nil || string(out) != "kind: Bucket\n" {
		t.Errorf("in the tarball is %q (%v)", out, err)
	}
	left, err := filepath.Glob(filepath.Join(folder, ".clone-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}
