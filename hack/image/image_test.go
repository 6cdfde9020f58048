// Package image_test builds the operator's image with ko, as a release does, onto an empty base in a registry of its own, and looks at what
// arrived there.
package image_test

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// What the image is stamped with.
const (
	version = "v9.9.9"
	commit  = "0123456789ab"
	date    = "2026-01-02T15:04:05Z"
	epoch   = "1767366245"
)

// largest is what an image may have in its layers, compressed, in MiB, without its base.
const largest = 64

// platforms are those that the image is built for: this machine's alone unless told otherwise, since another one's is a build from nothing.
func platforms() string {
	if told := os.Getenv("HOLDFAST_IMAGE_PLATFORMS"); told != "" {
		return told
	}
	return "linux/" + runtime.GOARCH
}

func TestImage(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	base := pushBase(t, host)

	first, again := build(t, host+"/first", base), build(t, host+"/again", base)
	if first.descriptor.Digest != again.descriptor.Digest {
		t.Errorf("two folders with the same files gave %s and %s", first.descriptor.Digest, again.descriptor.Digest)
	}
	for _, platform := range strings.Split(platforms(), ",") {
		t.Run(platform, func(t *testing.T) {
			image, sbom := first.of(t, platform)
			inspect(t, image)
			inspectSBOM(t, sbom)
		})
	}
	t.Run("signed", func(t *testing.T) { sign(t, first, again) })
}

// pushBase pushes an image of each platform with nothing in it, whose user is root.
func pushBase(t *testing.T, host string) string {
	t.Helper()
	index := v1.ImageIndex(empty.Index)
	for _, platform := range strings.Split(platforms(), ",") {
		system, processor, _ := strings.Cut(platform, "/")
		image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
			OS: system, Architecture: processor, Config: v1.Config{User: "0"}, RootFS: v1.RootFS{Type: "layers"},
		})
		must(t, err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: system, Architecture: processor}},
		})
	}
	base := host + "/base:latest"
	tag, err := name.ParseReference(base)
	must(t, err)
	must(t, remote.WriteIndex(tag, index))
	return base
}

// built is what a build pushed: an index, or an image if it is for one platform.
type built struct {
	repository name.Repository
	descriptor *remote.Descriptor
}

// build copies what git has, or would have, to a folder of its own and builds the image there.
func build(t *testing.T, repository, base string) built {
	t.Helper()
	root, err := filepath.Abs("../..")
	must(t, err)
	folder := t.TempDir()
	run(t, root, "sh", "-c", `git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$0"`, folder)
	run(t, folder, "env", "KO_DEFAULTBASEIMAGE="+base, "make", "image", "REPOSITORY="+repository, "IMAGE_PLATFORMS="+platforms(),
		"VERSION="+version, "COMMIT="+commit, "DATE="+date, "EPOCH="+epoch)

	at, err := name.ParseReference(repository + ":" + version)
	must(t, err)
	descriptor, err := remote.Get(at)
	must(t, err)
	return built{repository: at.Context(), descriptor: descriptor}
}

// of returns the image of a platform, with the SBOM that is attached to it.
func (b built) of(t *testing.T, platform string) (image, sbom v1.Image) {
	t.Helper()
	image, err := b.descriptor.Image()
	if b.descriptor.MediaType.IsIndex() {
		system, processor, _ := strings.Cut(platform, "/")
		image, err = remote.Image(b.repository.Digest(b.descriptor.Digest.String()),
			remote.WithPlatform(v1.Platform{OS: system, Architecture: processor}))
	}
	must(t, err)
	digest, err := image.Digest()
	must(t, err)
	sbom, err = remote.Image(b.repository.Tag(strings.Replace(digest.String(), ":", "-", 1) + ".sbom"))
	must(t, err)
	return image, sbom
}

func inspect(t *testing.T, image v1.Image) {
	t.Helper()
	config, err := image.ConfigFile()
	must(t, err)
	want := v1.Config{
		User:       "65532:65532",
		Entrypoint: []string{"/ko-app/manager"},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "holdfast",
			"org.opencontainers.image.source":   "https://github.com/holdfast-dev/holdfast",
			"org.opencontainers.image.licenses": "Apache-2.0",
			"org.opencontainers.image.version":  version,
			"org.opencontainers.image.revision": commit,
			"org.opencontainers.image.created":  date,
		},
	}
	got := v1.Config{User: config.Config.User, Entrypoint: config.Config.Entrypoint, Labels: config.Config.Labels}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if size := sizeOf(t, image) >> 20; size > largest {
		t.Errorf("the image has %d MiB, want at most %d", size, largest)
	}
	files := filesOf(t, image)
	if text := string(files["var/run/ko/LICENSES.txt"]); !strings.Contains(text, "==== cloud.google.com/go/storage v") {
		t.Errorf("the image has no list of licences with that of cloud.google.com/go/storage: %.200q", text)
	}
	if config.Architecture == runtime.GOARCH {
		said := version + " (commit " + commit + ", " + date + ", go"
		if out := runFile(t, files["ko-app/manager"], "--version"); !strings.Contains(out, said) {
			t.Errorf("manager --version: got %q, want it to have %q", out, said)
		}
	}
}

// inspectSBOM looks for what the program is made of.
func inspectSBOM(t *testing.T, sbom v1.Image) {
	t.Helper()
	layers, err := sbom.Layers()
	must(t, err)
	if len(layers) != 1 {
		t.Fatalf("the SBOM has %d layers, want one", len(layers))
	}
	content, err := layers[0].Uncompressed()
	must(t, err)
	defer content.Close()
	var document struct {
		Version  string `json:"spdxVersion"`
		Packages []struct {
			Name string `json:"name"`
		} `json:"packages"`
	}
	must(t, json.NewDecoder(content).Decode(&document))
	names := map[string]bool{}
	for _, each := range document.Packages {
		names[each.Name] = true
	}
	if !strings.HasPrefix(document.Version, "SPDX-") || !names["cloud.google.com/go/storage"] || !names["sigs.k8s.io/controller-runtime"] {
		t.Errorf("%s with %d packages: lacks modules that the program has", document.Version, len(names))
	}
}

func sizeOf(t *testing.T, image v1.Image) int64 {
	t.Helper()
	layers, err := image.Layers()
	must(t, err)
	total := int64(0)
	for _, layer := range layers {
		size, err := layer.Size()
		must(t, err)
		total += size
	}
	return total
}

// filesOf maps the regular files of an image, without the leading slash, to what is in them.
func filesOf(t *testing.T, image v1.Image) map[string][]byte {
	t.Helper()
	content := mutate.Extract(image)
	defer content.Close()
	files := map[string][]byte{}
	for archive := tar.NewReader(content); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		must(t, err)
		if header.Typeflag == tar.TypeReg {
			text, err := io.ReadAll(archive)
			must(t, err)
			files[strings.TrimPrefix(header.Name, "/")] = text
		}
	}
}

func runFile(t *testing.T, program []byte, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	must(t, os.WriteFile(path, program, 0o700))
	return run(t, "", path, args...)
}

func run(t *testing.T, folder, command string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command, args...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w:\n%s", cmd, err, out))
	}
	return string(out)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
