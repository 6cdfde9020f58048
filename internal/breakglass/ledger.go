package breakglass

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Bounds of a BreakGlassRecord, which is for good. The size is in bytes of JSON.
const (
	mostEpisodes    = 10
	mostChangesKept = 16
	largestRecord   = 256 << 10
	longestPrefix   = 40
	longestValue    = 256
)

// RecordName is the metadata.name of the BreakGlassRecord of a resource, by its full name, as manifests of a project mean it: the end of
// that name, for people, and a hash of both. A manifest of another project that claims the same name has a record of its own, so that
// nobody crowds out, or reads, what is another project's.
func RecordName(externalName, project string) string {
	sum := sha256.Sum256([]byte(project + "\n" + externalName))
	readable := strings.ToLower(externalName[strings.LastIndex(externalName, "/")+1:])
	readable = strings.Trim(noNamePart.ReplaceAllString(readable, "-"), "-")
	readable = strings.TrimRight(readable[:min(len(readable), longestPrefix)], "-")
	return strings.TrimLeft(readable+"-"+hex.EncodeToString(sum[:]), "-")
}

var noNamePart = regexp.MustCompile(`[^a-z0-9]+`)

// Keep adds a manifest's own closed glasses to those of a BreakGlassRecord. The same again changes nothing. The oldest go first where
// there are too many, and where they are too long.
func Keep(recorded []v1alpha1.BreakGlassEpisode, of v1alpha1.BreakGlassManifest, history []v1alpha1.BreakGlassEpisode) []v1alpha1.BreakGlassEpisode {
	out := slices.Clone(recorded)
	for _, episode := range history {
		if episode.Manifest != nil { // which is from a record
			continue
		}
		episode = short(episode)
		episode.Manifest = &of
		if at := slices.IndexFunc(out, func(e v1alpha1.BreakGlassEpisode) bool { return same(e, episode) }); at >= 0 {
			out[at] = episode
		} else {
			out = append(out, episode)
		}
	}
	newestFirst(out)
	out = out[:min(len(out), mostEpisodes)]
	for len(out) > 1 && size(out) > largestRecord {
		out = out[:len(out)-1]
	}
	return out
}

// Recall adds the closed glasses of a BreakGlassRecord to a manifest's status, for as many as there is room for. Those of the manifest
// itself are there already.
func Recall(status *v1alpha1.CommonStatus, of v1alpha1.BreakGlassManifest, recorded []v1alpha1.BreakGlassEpisode) {
	own := func(e v1alpha1.BreakGlassEpisode) bool {
		isThere := func(there v1alpha1.BreakGlassEpisode) bool { return same(e, there) }
		return e.Manifest == nil || *e.Manifest == of || slices.ContainsFunc(status.BreakGlassHistory, isThere)
	}
	history := append(slices.Clone(status.BreakGlassHistory), slices.DeleteFunc(slices.Clone(recorded), own)...)
	newestFirst(history)
	if len(history) > 0 {
		status.BreakGlassHistory = history[:min(len(history), mostRecords)]
	}
}

// same says whether two records are of the same glass, broken on the same manifest.
func same(a, b v1alpha1.BreakGlassEpisode) bool {
	return a.Manifest != nil && b.Manifest != nil && a.Manifest.UID == b.Manifest.UID && a.Scope == b.Scope && a.Since.Equal(&b.Since)
}

func newestFirst(episodes []v1alpha1.BreakGlassEpisode) {
	slices.SortStableFunc(episodes, func(a, b v1alpha1.BreakGlassEpisode) int {
		return cmp.Or(b.ClosedAt.Compare(a.ClosedAt.Time), b.Since.Compare(a.Since.Time))
	})
}

// short cuts what may be long.
func short(e v1alpha1.BreakGlassEpisode) v1alpha1.BreakGlassEpisode {
	e.LastWrite = text.Cut(e.LastWrite, longestValue)
	e.Seen = slices.Clone(e.Seen[:min(len(e.Seen), mostChangesKept)])
	for i, c := range e.Seen {
		cut := func(s string) string { return text.Cut(s, longestValue) }
		e.Seen[i] = v1alpha1.Change{Path: cut(c.Path), From: cut(c.From), To: cut(c.To)}
	}
	return e
}

func size(episodes []v1alpha1.BreakGlassEpisode) int {
	data, err := json.Marshal(episodes)
	if err != nil { // an API type is always JSON
		return largestRecord + 1
	}
	return len(data)
}
