package plan

import (
	"fmt"
	"strings"
)

// List names a few things and counts the rest.
func List(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

func orUnset(json string) string {
	if json == "" {
		return "unset"
	}
	return json
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }
