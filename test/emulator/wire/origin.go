package wire

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// mockAgent is in the user agent of those who talk to a mock of Google Cloud.
const mockAgent = "(mockgcp)"

// mockPrefixes are the prefixes that the same mock has in every list of a
// bucket's objects, though nobody made them.
var mockPrefixes = []string{"testfolder", "testmanagedfolder"}

// MockSign returns what tells that a conversation was recorded from a mock and
// not from Google, or "" if nothing does.
func MockSign(conversation []Exchange) string {
	for i, x := range conversation {
		if agent := x.Header.Get("User-Agent"); strings.Contains(agent, mockAgent) {
			return fmt.Sprintf("the user agent %q of exchange %d", agent, i+1)
		}
		if prefix := mockPrefix(x); prefix != "" {
			return fmt.Sprintf("the prefix %q in the list of exchange %d", prefix, i+1)
		}
	}
	return ""
}

func mockPrefix(x Exchange) string {
	var list struct{ Prefixes []string }
	if !strings.HasSuffix(x.URL.Path, "/o") || json.Unmarshal([]byte(x.Answer), &list) != nil {
		return ""
	}
	i := slices.IndexFunc(list.Prefixes, func(prefix string) bool {
		return slices.Contains(mockPrefixes, strings.TrimSuffix(prefix, "/"))
	})
	if i < 0 {
		return ""
	}
	return list.Prefixes[i]
}
