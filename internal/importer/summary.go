package importer

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/holdfast-dev/holdfast/internal/text"
)

// Summary is what an import did. Its JSON is what -o json prints.
type Summary struct {
	// Projects are all that were asked for, of which Complete are complete, and EarlierComplete were so before.
	Projects        int `json:"projects"`
	Complete        int `json:"complete"`
	EarlierComplete int `json:"earlierComplete"`
	// Resources are all that lists showed.
	Resources int `json:"resources"`
	// Written, Unchanged, Replaced and Kept count manifests, those of Namespaces included, by what became of them.
	Written   int `json:"written"`
	Unchanged int `json:"unchanged"`
	Replaced  int `json:"replaced"`
	Kept      int `json:"kept"`
	// Owned are passed over because they carry an ownership label, Declared because a manifest in the cluster declares them, Unselected
	// because their labels are not those that were asked for.
	Owned      int `json:"owned"`
	Declared   int `json:"declared"`
	Unselected int `json:"unselected"`
	// InitialGrants are left out because Google makes them by itself on every new resource of their kinds.
	InitialGrants int `json:"initialGrants"`
	// Notes are what there is to say of single resources, and Failures what could not be read, each sorted.
	Notes    []Note    `json:"notes,omitempty"`
	Failures []Failure `json:"failures,omitempty"`
}

// Note is what there is to say of a resource.
type Note struct {
	Project string `json:"project"`
	Kind    string `json:"kind"`
	// Name is the resource's name in Google Cloud; empty for what is known by its project alone.
	Name string `json:"name,omitempty"`
	// File is where its manifest is, below the folder of all; empty if there is none.
	File string `json:"file,omitempty"`
	// Refused says why there is no manifest of it.
	Refused string `json:"refused,omitempty"`
	// Differs are the fields in which a file that was kept differs from what would have been written.
	Differs []string `json:"differs,omitempty"`
	// Left is what its manifest does not say.
	Left []Left `json:"left,omitempty"`
}

// Failure is what could not be read.
type Failure struct {
	Project string `json:"project"`
	Kind    string `json:"kind"`
	// Name is the name of the one resource that could not be read; empty where that is the list of all.
	Name string `json:"name,omitempty"`
	// Message says why, and what to do.
	Message string `json:"message"`
}

// count counts a manifest by what became of it.
func (s *Summary) count(o Outcome) {
	switch o {
	case Written:
		s.Written++
	case Unchanged:
		s.Unchanged++
	case Replaced:
		s.Replaced++
	case Kept:
		s.Kept++
	}
}

// add adds what was done in one project, or of one kind.
func (s *Summary) add(part Summary) {
	s.Complete += part.Complete
	s.Resources += part.Resources
	s.Written += part.Written
	s.Unchanged += part.Unchanged
	s.Replaced += part.Replaced
	s.Kept += part.Kept
	s.Owned += part.Owned
	s.Declared += part.Declared
	s.Unselected += part.Unselected
	s.InitialGrants += part.InitialGrants
	s.Notes = append(s.Notes, part.Notes...)
	s.Failures = append(s.Failures, part.Failures...)
}

func (s *Summary) sort() {
	slices.SortFunc(s.Notes, func(a, b Note) int {
		return cmp.Or(strings.Compare(a.Project, b.Project), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
	slices.SortFunc(s.Failures, func(a, b Failure) int {
		return cmp.Or(strings.Compare(a.Project, b.Project), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name))
	})
}

// mostValue is how much of a value is printed, in bytes.
const mostValue = 120

// Print writes the summary for people.
func (s *Summary) Print(out io.Writer) {
	for _, n := range s.Notes {
		n.print(out)
	}
	for _, f := range s.Failures {
		subject := subjectOf(f.Kind, f.Name, f.Project)
		if f.Name == "" {
			subject = "every " + subject
		}
		fmt.Fprintf(out, "%s:\n  not imported: %s\n", text.Visible(subject), text.Visible(f.Message))
	}
	if len(s.Notes)+len(s.Failures) > 0 {
		fmt.Fprintln(out)
	}
	complete := fmt.Sprintf("%d of %d complete", s.Complete+s.EarlierComplete, s.Projects)
	if s.EarlierComplete > 0 {
		complete += fmt.Sprintf(", %d of them in an earlier run", s.EarlierComplete)
	}
	fmt.Fprintf(out, "projects:  %s\n", complete)
	fmt.Fprintf(out, "resources: %d%s\n", s.Resources, counted(" (", ", ", ")",
		count{s.Owned, "managed by an installation of Holdfast, passed over"}, count{s.Declared, "declared by manifests in the cluster, passed over"},
		count{s.Unselected, "with other labels, passed over"}))
	fmt.Fprintf(out, "manifests: %s\n", counted("", ", ", "", count{s.Written, "written"}, count{s.Unchanged, "unchanged"},
		count{s.Replaced, "overwritten"}, count{s.Kept, "kept though they differ: use --overwrite to replace them"}))
	if s.InitialGrants > 0 {
		fmt.Fprintf(out, "grants:    %d left out, which Google makes by itself on each new bucket\n", s.InitialGrants)
	}
}

type count struct {
	n    int
	what string
}

// counted lists the counts that are not zero; nothing where all are, or a zero where there is nothing around them.
func counted(before, between, after string, counts ...count) string {
	var said []string
	for _, c := range counts {
		if c.n > 0 {
			said = append(said, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	switch {
	case len(said) > 0:
		return before + strings.Join(said, between) + after
	case before == "":
		return "0"
	default:
		return ""
	}
}

func subjectOf(kind, name, project string) string {
	if name == "" {
		return fmt.Sprintf("%s of project %q", kind, project)
	}
	return fmt.Sprintf("%s %q of project %q", kind, name, project)
}

func (n Note) print(out io.Writer) {
	subject := subjectOf(n.Kind, n.Name, n.Project)
	if n.File != "" {
		subject += " (" + n.File + ")"
	}
	fmt.Fprintf(out, "%s:\n", text.Visible(subject))
	if n.Refused != "" {
		fmt.Fprintf(out, "  no manifest: %s\n", text.Visible(n.Refused))
	}
	if len(n.Differs) > 0 {
		fmt.Fprintf(out, "  the file was kept; it differs in %s\n", text.Visible(strings.Join(n.Differs, ", ")))
	}
	for _, left := range n.Left {
		said := left.Path
		if left.Value != "" {
			said += " " + text.Cut(left.Value, mostValue)
		}
		fmt.Fprintf(out, "  left out: %s: %s\n", text.Visible(said), text.Visible(left.Why))
	}
}
