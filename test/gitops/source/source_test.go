package source

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/holdfast-dev/holdfast/test/gitops/gitserver"
)

func TestPack(t *testing.T) {
	repositories, folder := t.TempDir(), t.TempDir()
	server, err := gitserver.Start(repositories)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	repository, err := server.New("shop")
	if err != nil {
		t.Fatal(err)
	}
	hash, err := repository.Commit("Add a file", map[string]string{"deploy/bucket.yaml": "kind: Bucket\n"})
	if err != nil {
		t.Fatal(err)
	}
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
