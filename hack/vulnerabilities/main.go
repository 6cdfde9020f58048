// Command vulnerabilities judges what govulncheck found in a program, as JSON on its standard input. It fails on each known vulnerability of a
// module in the program, whether or not the program calls what is vulnerable, unless the list accepts it, with a reason; and on each that the
// list accepts for nothing. Those of Go's own library count unless the Go that releases are built with has the fix.
//
//	govulncheck -mode binary -format json PROGRAM | vulnerabilities GO-OF-RELEASES LIST
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: vulnerabilities GO-OF-RELEASES LIST")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(release, list string, in io.Reader, out io.Writer) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	var accepted map[string]string
	if err := yaml.UnmarshalStrict(text, &accepted); err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	found, err := read(in)
	if err != nil {
		return err
	}
	said, err := judge(found, accepted, release)
	for _, line := range said {
		fmt.Fprintln(out, line)
	}
	if err != nil {
		return fmt.Errorf("%w: raise the module, or accept it in %s with the reason why nobody can use it", err, list)
	}
	return nil
}

// What govulncheck writes, as far as it matters here: see its package internal/govulncheck.
type (
	message struct {
		OSV     *entry   `json:"osv"`
		Finding *finding `json:"finding"`
	}
	entry struct {
		ID      string `json:"id"`
		Summary string `json:"summary"`
	}
	finding struct {
		OSV   string  `json:"osv"`
		Fixed string  `json:"fixed_version"`
		Trace []frame `json:"trace"`
	}
	frame struct {
		Module   string `json:"module"`
		Version  string `json:"version"`
		Function string `json:"function"`
	}
)

// vulnerability is what is known of one in the program.
type vulnerability struct {
	id, summary, module, version, fixed string
	called                              bool
}

// read gathers the findings of each vulnerability: one says that its module is there, further ones that it is called.
func read(in io.Reader) ([]vulnerability, error) {
	summaries := map[string]string{}
	found := map[string]vulnerability{}
	decoder := json.NewDecoder(in)
	messages := 0
	for ; ; messages++ {
		var each message
		if err := decoder.Decode(&each); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading what govulncheck found: %w", err)
		}
		if each.OSV != nil {
			summaries[each.OSV.ID] = each.OSV.Summary
		}
		if f := each.Finding; f != nil && len(f.Trace) > 0 {
			at, known := f.Trace[0], found[f.OSV]
			if known.id == "" { // the first one says which module it is in; that of a function may be guessed by its name
				known = vulnerability{id: f.OSV, module: at.Module, version: at.Version, fixed: f.Fixed}
			}
			known.called = known.called || at.Function != ""
			found[f.OSV] = known
		}
	}
	if messages == 0 {
		return nil, errors.New("govulncheck said nothing")
	}
	vulnerabilities := slices.Collect(maps.Values(found))
	for i := range vulnerabilities {
		vulnerabilities[i].summary = summaries[vulnerabilities[i].id]
	}
	slices.SortFunc(vulnerabilities, func(a, b vulnerability) int { return strings.Compare(a.id, b.id) })
	return vulnerabilities, nil
}

// judge says of each vulnerability what becomes of it, and fails if one is neither fixed in releases nor accepted.
func judge(found []vulnerability, accepted map[string]string, release string) (said []string, err error) {
	fixed, open := 0, 0
	unused := maps.Clone(accepted)
	for _, each := range found {
		reason, fine := accepted[each.id]
		delete(unused, each.id)
		switch {
		case each.module == "stdlib" && each.fixed != "" && version.Compare(goVersion(each.fixed), goVersion(release)) <= 0:
			fixed++
		case fine && strings.TrimSpace(reason) != "":
			said = append(said, fmt.Sprintf("accepted: %s: %s", each, reason))
		default:
			open++
			said = append(said, fmt.Sprintf("open: %s", each))
		}
	}
	if fixed > 0 {
		said = append(said, fmt.Sprintf("%d in the library of the Go that built this are fixed in Go %s, which builds releases", fixed, release))
	}
	for _, id := range slices.Sorted(maps.Keys(unused)) {
		open++
		said = append(said, fmt.Sprintf("open: %s is accepted, and not there any more: take it off the list", id))
	}
	if open > 0 {
		return said, fmt.Errorf("known vulnerabilities left open: %d", open)
	}
	return said, nil
}

// goVersion writes a version as package go/version reads it.
func goVersion(number string) string { return "go" + strings.TrimPrefix(number, "v") }

func (v vulnerability) String() string {
	uses, fix := "not called", "no fix yet"
	if v.called {
		uses = "called"
	}
	if v.fixed != "" {
		fix = "fixed in " + v.fixed
	}
	return fmt.Sprintf("%s in %s %s (%s, %s): %s", v.id, v.module, v.version, uses, fix, v.summary)
}
