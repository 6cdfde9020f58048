package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// digits are how many hexadecimal digits tell apart names that would otherwise be the same.
const digits = 6

// Name is the metadata.name of the manifest of a resource. That is the resource's own name where Kubernetes allows it. Any other name is
// made of it, and ends in digits of its hash: no two resources get the same name, whatever else there is, and a resource keeps its name
// when others come and go.
func Name(id string) string {
	if len(validation.IsDNS1123Subdomain(id)) == 0 {
		return id
	}
	return tame(id, ".", "resource", validation.DNS1123SubdomainMaxLength)
}

// Namespace is the name of the namespace for a project. That is the project's ID after a prefix, which may be empty, where Kubernetes
// allows it.
func Namespace(prefix, project string) string {
	if name := prefix + project; len(validation.IsDNS1123Label(name)) == 0 {
		return name
	}
	return tame(prefix+project, "", "project", validation.DNS1123LabelMaxLength)
}

var bad = regexp.MustCompile(`[^a-z0-9]+`)

// tame makes a name that Kubernetes allows, in which the separator stays where it stands alone. Where nothing is left of the old name it begins
// with a word instead.
func tame(name, separator, word string, most int) string {
	sum := sha256.Sum256([]byte(name))
	tail := "-" + hex.EncodeToString(sum[:])[:digits]
	tamed := bad.ReplaceAllStringFunc(strings.ToLower(name), func(run string) string {
		if run == separator {
			return run
		}
		return "-"
	})
	tamed = strings.Trim(tamed, "-.")
	tamed = strings.TrimRight(tamed[:min(len(tamed), most-len(tail))], "-.")
	if tamed == "" {
		tamed = word
	}
	return tamed + tail
}
