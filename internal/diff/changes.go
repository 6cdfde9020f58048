package diff

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// Change is one leaf, list or map key that differs.
type Change struct {
	// Path is the field.
	Path string
	// From is the live value as compact JSON; empty if there is none.
	From string
	// To is the desired value as compact JSON; empty if there should be none.
	To string
}

// Digest is the SHA-256 of the desired value, in hexadecimal digits.
func (c Change) Digest() string {
	sum := sha256.Sum256([]byte(c.To))
	return hex.EncodeToString(sum[:])
}

// Changes are sorted by path.
type Changes []Change

// Has says whether anything at or below one of the paths changes.
func (c Changes) Has(paths ...string) bool {
	for _, change := range c {
		for _, path := range paths {
			if under(change.Path, path) {
				return true
			}
		}
	}
	return false
}

// Paths lists the paths, in order.
func (c Changes) Paths() []string {
	paths := make([]string, len(c))
	for i, change := range c {
		paths[i] = change.Path
	}
	return paths
}

// under says whether path is the same as parent or lies below it.
func under(path, parent string) bool {
	rest, ok := strings.CutPrefix(path, parent)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Hash identifies a plan: these changes, of this object at this generation, after so many applied plans. It is a
// SHA-256 in hexadecimal digits, of which none may be left out: whoever writes manifests could make two plans whose hashes begin alike, and get
// the one approved for the other. Neither etags nor times are part of it, so an unchanged plan keeps its hash.
func Hash(uid types.UID, generation, sequence int64, changes Changes) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d\n%d\n", uid, generation, sequence)
	for _, c := range changes {
		fmt.Fprintf(h, "%q %q %q\n", c.Path, c.From, c.To)
	}
	return hex.EncodeToString(h.Sum(nil))
}
