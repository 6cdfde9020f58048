package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-dev/holdfast/internal/preview"
	"github.com/holdfast-dev/holdfast/internal/text"
)

// Certificate says what would come of applying manifests. Its JSON is what import --verify -o json prints.
type Certificate struct {
	// Clean says that applying the manifests would write nothing to Google Cloud, and that every one would be Ready.
	Clean bool `json:"clean"`
	// Time is when that was found out.
	Time time.Time `json:"time"`
	// Manifests counts them; Namespaces are none of them. Effects counts them by what applying them would do.
	Manifests int                    `json:"manifests"`
	Effects   map[preview.Effect]int `json:"effects"`
	// SHA256 is the hash of the files, by Hash.
	SHA256 string `json:"sha256"`
	// Calls are the calls to Google Cloud that were made to find out, Reads and Writes how many of them read and wrote.
	Calls  []Call `json:"calls"`
	Reads  int    `json:"reads"`
	Writes int    `json:"writes"`
	// Findings are the manifests that would write, wait or be refused, or that could not be checked.
	Findings []Finding `json:"findings,omitempty"`
}

// Call counts the calls of one of Google's methods.
type Call struct {
	Service string `json:"service"`
	Method  string `json:"method"`
	Count   int    `json:"count"`
	// Writes says that the method changes something.
	Writes bool `json:"writes,omitempty"`
}

// Certify puts together what was found.
func Certify(now time.Time, effects map[preview.Effect]int, findings []Finding, hash string, calls []Call) Certificate {
	c := Certificate{
		Clean: len(findings) == 0, Time: now.UTC().Truncate(time.Second), Effects: effects, SHA256: hash, Calls: calls, Findings: findings,
	}
	for _, n := range effects {
		c.Manifests += n
	}
	for _, call := range calls {
		if call.Writes {
			c.Writes += call.Count
		} else {
			c.Reads += call.Count
		}
	}
	return c
}

// Hash is the SHA-256, in hexadecimal digits, of the manifests in a folder and those below it: of each YAML and JSON file in the order of
// their paths the path, the length in bytes and the contents, as in "shop/bucket/logs.yaml 123\n…". What begins with a dot is no manifest.
func Hash(folder fs.FS) (string, error) {
	h := sha256.New()
	err := fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error { // in the order of names
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(path.Base(name), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() || !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name)):
			return nil
		}
		contents, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %d\n", name, len(contents))
		h.Write(contents)
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// Print writes the certificate for people.
func (c Certificate) Print(out io.Writer) {
	for _, f := range c.Findings {
		fmt.Fprintf(out, "%s %s/%s: %s\n", f.Kind, f.Namespace, f.Name, strings.TrimSuffix(string(f.Effect)+": "+text.Visible(f.Message), ": "))
		for _, change := range f.Changes {
			fmt.Fprintf(out, "  %s: %s -> %s\n", text.Visible(change.Path), value(change.From), value(change.To))
		}
	}
	if len(c.Findings) > 0 {
		fmt.Fprintln(out)
	}
	verdict := "CERTIFIED: applying these manifests writes nothing to Google Cloud"
	if !c.Clean {
		verdict = "NOT CERTIFIED: applying these manifests would write, wait, be refused, or could not be checked"
	}
	fmt.Fprintf(out, "%s\n\n", verdict)
	fmt.Fprintf(out, "time:      %s\n", c.Time.Format(time.RFC3339))
	var effects []string
	for effect, n := range c.Effects {
		effects = append(effects, fmt.Sprintf("%d %s", n, effect))
	}
	slices.Sort(effects)
	fmt.Fprintf(out, "manifests: %d%s\n", c.Manifests, parenthesized(effects))
	fmt.Fprintf(out, "SHA-256:   %s\n", c.SHA256)
	var calls []string
	for _, call := range c.Calls {
		calls = append(calls, fmt.Sprintf("%d %s", call.Count, call.Method))
	}
	fmt.Fprintf(out, "calls:     %d reads, %d writes%s\n", c.Reads, c.Writes, parenthesized(calls))
}

func parenthesized(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

func value(json string) string {
	if json == "" {
		return "(none)"
	}
	return text.Visible(text.Cut(json, mostValue))
}
