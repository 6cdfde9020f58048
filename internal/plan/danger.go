package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/diff"
	"github.com/holdfast-dev/holdfast/internal/iampolicy"
	"github.com/holdfast-dev/holdfast/internal/kind"
)

// DangerousFirst are changes in the order in which a person should read them: what loses data or cannot be undone, who gets much, what is taken
// away, and the rest; by path among each other. It is for showing: hashes are of the changes by path.
func DangerousFirst(k kind.Kind, changes diff.Changes) diff.Changes {
	danger := make(map[diff.Change]int, len(changes))
	for _, c := range changes {
		danger[c] = dangerOf(k, c)
	}
	return slices.SortedStableFunc(slices.Values(changes), func(a, b diff.Change) int {
		return cmp.Or(danger[b]-danger[a], strings.Compare(a.Path, b.Path))
	})
}

// IsDangerous says whether a change loses data, cannot be undone, or gives somebody much.
func IsDangerous(k kind.Kind, c diff.Change) bool { return dangerOf(k, c) > int(iampolicy.Removes) }

// dangerOf is how dangerous a change is: the more the earlier it is to be read.
func dangerOf(k kind.Kind, c diff.Change) int {
	deletes := c.Path == WholeResource && c.To == ""
	if deletes || k.FieldTraits.Loses(c) != "" || k.FieldTraits.Hold(c) != "" {
		return int(iampolicy.LetsAll) + 1
	}
	return int(iampolicy.DangerOf(c))
}
