package image_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sign signs and attests an image with a key, as a release does with the identity of its workflow, and has whoever pulls it verify that;
// nobody has signed the other one.
func sign(t *testing.T, signed, unsigned built) {
	t.Helper()
	cosign := os.Getenv("HOLDFAST_COSIGN")
	if cosign == "" {
		t.Fatal("HOLDFAST_COSIGN is to name the program cosign; make image-test sets it")
	}
	folder := t.TempDir()
	key, public := filepath.Join(folder, "release.key"), filepath.Join(folder, "release.pub")
	try := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), cosign, args...)
		cmd.Dir = folder
		cmd.Env = append(os.Environ(), "COSIGN_PASSWORD=none", "HOME="+folder, "DOCKER_CONFIG="+folder)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	pass := func(args ...string) {
		t.Helper()
		if out, err := try(args...); err != nil {
			t.Fatalf("cosign %s: %v:\n%s", strings.Join(args, " "), err, out)
		}
	}
	refused := func(args ...string) {
		t.Helper()
		if out, err := try(args...); err == nil {
			t.Errorf("cosign %s passed:\n%s", strings.Join(args, " "), out)
		}
	}
	predicate := filepath.Join(folder, "provenance.json")
	must(t, os.WriteFile(predicate, []byte(`{"buildDefinition":{"buildType":"https://holdfast.dev/make-image"},"runDetails":{"builder":{"id":"here"}}}`), 0o600))

	// There is no log of signatures on loopback: only its entry is left out.
	withKey := []string{"--key", key, "--tlog-upload=false", "--use-signing-config=false", "--allow-insecure-registry", "--yes"}
	known := []string{"--key", public, "--insecure-ignore-tlog", "--allow-insecure-registry"}
	pass("generate-key-pair", "--output-key-prefix", "release")
	refused(append(append([]string{"verify"}, known...), signed.name())...)
	pass(append(append([]string{"sign"}, withKey...), signed.name())...)
	pass(append(append([]string{"attest", "--type", "slsaprovenance1", "--predicate", predicate}, withKey...), signed.name())...)
	pass(append(append([]string{"verify"}, known...), signed.name())...)
	pass(append(append([]string{"verify-attestation", "--type", "slsaprovenance1"}, known...), signed.name())...)
	refused(append(append([]string{"verify"}, known...), unsigned.name())...)
	pass("generate-key-pair", "--output-key-prefix", "another")
	refused("verify", "--key", filepath.Join(folder, "another.pub"), "--insecure-ignore-tlog", "--allow-insecure-registry", signed.name())
}

// name is the image by its digest.
func (b built) name() string { return b.repository.Digest(b.descriptor.Digest.String()).Name() }
