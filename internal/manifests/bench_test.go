package manifests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkRead reads and checks 1,000 manifests in 50 namespaces: the samples of all kinds, in full, each under a name of its own.
func BenchmarkRead(b *testing.B) {
	samples, err := filepath.Glob(filepath.Join("..", "..", "config", "samples", "*-full.yaml"))
	if err != nil || len(samples) == 0 {
		b.Fatalf("there are no samples: %v", err)
	}
	files := map[string]string{}
	for i := range 1000 {
		text, err := os.ReadFile(samples[i%len(samples)])
		if err != nil {
			b.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "metadata:\n  name: ")
		head, _, _ := strings.Cut(string(text), "metadata:")
		_, rest, _ = strings.Cut(rest, "\n")
		files[fmt.Sprintf("ns-%d/%d.yaml", i%50, i)] = fmt.Sprintf("%smetadata:\n  namespace: ns-%d\n  name: sample-%d\n%s", head, i%50, i, rest)
	}
	dir := folder(b, files)
	for b.Loop() {
		if tree := read(b, Options{Paths: []string{"."}, Dir: dir}); len(tree.Objects) != 1000 {
			b.Fatalf("%d objects, %v", len(tree.Objects), tree.Problems[:min(3, len(tree.Problems))])
		}
	}
}
