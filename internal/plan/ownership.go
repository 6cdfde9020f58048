package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

var labelValue = regexp.MustCompile(`^[a-z0-9_-]{0,63}$`)

// Ownership returns the labels that mark a resource as owned by an object of this installation.
func Ownership(ownerID string, obj v1alpha1.Object) map[string]string {
	return map[string]string{
		v1alpha1.OwnerLabel:          asLabel(ownerID),
		v1alpha1.OwnerNamespaceLabel: asLabel(obj.GetNamespace()),
		v1alpha1.OwnerNameLabel:      asLabel(obj.GetName()),
	}
}

// asLabel writes any name as a label value that Google accepts. A name that does not fit is cut, and a hash of the whole
// keeps it apart from others.
func asLabel(name string) string {
	if labelValue.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	safe := make([]byte, 0, 63)
	for _, c := range []byte(name) {
		if len(safe) == 46 {
			break
		}
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			safe = append(safe, c)
		} else {
			safe = append(safe, '_')
		}
	}
	return string(safe) + "_" + hex.EncodeToString(sum[:8])
}

// mark says whose marks a live resource carries.
type mark int

const (
	markNone    mark = iota // nobody's, or a manifest's of this installation that is not this object
	markOwn                 // this object's
	markForeign             // another installation's
)

func readMark(live, own map[string]string) mark {
	owner, marked := live[v1alpha1.OwnerLabel]
	switch {
	case !marked:
		return markNone
	case owner != own[v1alpha1.OwnerLabel]:
		return markForeign
	case live[v1alpha1.OwnerNamespaceLabel] == own[v1alpha1.OwnerNamespaceLabel] &&
		live[v1alpha1.OwnerNameLabel] == own[v1alpha1.OwnerNameLabel]:
		return markOwn
	default:
		return markNone
	}
}

// foreignOwner describes another installation's marks.
func foreignOwner(live map[string]string) string {
	return fmt.Sprintf("%s %q (manifest %s/%s)", v1alpha1.OwnerLabel, live[v1alpha1.OwnerLabel],
		live[v1alpha1.OwnerNamespaceLabel], live[v1alpha1.OwnerNameLabel])
}

// Identities that are recorded where Google gives a resource nothing to tell it from a namesake.
const (
	identityMarked   = "by-labels" // it carried our marks, so one without them is another
	identityUnmarked = "by-name"   // adopted, not yet written to
)

// identityOf is what status.identity records of a live resource.
func identityOf(id kind.Identity, own map[string]string) string {
	switch {
	case id.UID != "":
		return id.UID
	case readMark(id.Labels, own) == markOwn:
		return identityMarked
	default:
		return identityUnmarked
	}
}

// isOwned says whether a live resource is the one that the object owns already: it was recorded, or carries the object's
// marks (a create or an update whose record was lost).
func isOwned(recorded string, id kind.Identity, own map[string]string) bool {
	if readMark(id.Labels, own) == markOwn {
		return true
	}
	if id.UID == "" {
		return recorded != ""
	}
	return recorded == id.UID
}

// isRecorded says whether a live resource is beyond doubt the one that was recorded, which deleting it demands. One that
// another installation has marked since is not, whatever else fits.
func isRecorded(recorded string, id kind.Identity, own map[string]string) bool {
	if readMark(id.Labels, own) == markForeign {
		return false
	}
	if id.UID != "" && recorded != "" {
		return recorded == id.UID
	}
	if recorded == identityUnmarked {
		return true
	}
	return readMark(id.Labels, own) == markOwn
}
