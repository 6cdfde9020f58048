package fleet

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
)

// Drift is how a resource differs from its manifest. Its fields are those of -o json.
type Drift struct {
	Line

	// Drift are the fields: from what Google Cloud has to what the manifest says.
	Drift []v1alpha1.Change `json:"drift"`
}

// Write writes it for people, with where it is if that is wide, or as one line of JSON.
func (d Drift) Write(out io.Writer, now time.Time, format string) error {
	if format == "json" {
		encoded, err := json.Marshal(d)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\n", encoded)
		return err
	}
	fmt.Fprintf(out, "%s: %s, %s", Title(d.Kind, d.Namespace, d.Name), d.State, d.Reason)
	if since := Age(now, d.Since); since != "" {
		fmt.Fprintf(out, " for %s", since)
	}
	fmt.Fprintln(out)
	if format == "wide" {
		fmt.Fprintf(out, "  %s\n  project %s, %s\n", d.Message, d.Project, d.ExternalName)
	}
	Changes(out, d.Drift)
	return nil
}
