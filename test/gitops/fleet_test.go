package gitops

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-dev/holdfast/api/v1alpha1"
	"github.com/holdfast-dev/holdfast/test/emulator/traffic"
	"github.com/holdfast-dev/holdfast/test/installed"
)

// The fleet of scenario e.
const (
	fleetProjects = 50
	fleetBuckets  = 1000
)

// progress is the one command by which a fleet-wide edit is followed, as the README has it: the buckets that Google Cloud does
// not have so yet, and why.
const progress = `get buckets -A -o custom-columns='NAMESPACE:.metadata.namespace,NAME:.metadata.name,` +
	`REASON:.status.conditions[?(@.type=="Ready")].reason,SECONDS:.status.observed.softDeletePolicy.retentionSeconds' | grep -v `

// TestFleetWideEdit is scenario e: one commit changes soft-delete retention on a thousand buckets in fifty projects, of which
// three refuse. Progress and failures are followed by one command, and a revert reverts it. At last the API server stores another version.
func TestFleetWideEdit(t *testing.T) {
	t.Parallel()
	wanted(t)
	w, err := startWorld("fleet", worldOptions{sweep: 10 * time.Minute})
	if err != nil {
		t.Fatalf("starting the world: %v", err)
	}
	t.Cleanup(func() { // the others need what it takes
		if err := w.stop(); err != nil {
			t.Errorf("ending the world: %v", err)
		}
	})
	w.patience, w.pace = 10*time.Minute, 2*time.Second // each look lists a thousand
	s := newScene(t, w, "fleet", &flux{t, w, "fleet"})
	manifests, buckets := s.fleet()
	refusing := []string{buckets[7], buckets[333], buckets[fleetBuckets-1]}

	began := time.Now()
	revision := s.commit("Create a thousand buckets", manifests)
	s.tool.follow(s.repository.URL, "")
	s.until(revision, healthy)
	s.rolledOut("604800")
	s.t.Logf("%d buckets in %d projects were created or adopted within %s", fleetBuckets, fleetProjects, since(began))

	s.t.Log("one commit for all, and three refuse")
	var faults []string
	for _, name := range refusing {
		faults = append(faults, s.cloud.Traffic.Inject(traffic.Fault{Match: traffic.Call{Method: "buckets.patch", Resource: name}, Status: 403}))
	}
	mark := s.cloud.Traffic.Mark()
	recorded, err := s.audit.size()
	s.must(err)
	began = time.Now()
	edited := s.commit("Keep deleted objects for 30 days", map[string]string{"kustomization": fleetKustomization("2592000")})
	steps := s.rolledOut("2592000", refusing...)
	s.t.Logf("it was rolled out within %s; progress was seen in %d steps", since(began), steps)
	s.check(steps > 2, "progress was seen in %d steps", steps)
	s.logPace(recorded)
	v := s.until(edited, red)
	// Flux stops at the first that is stalled, so it names one of them.
	s.check(slices.ContainsFunc(refusing, func(name string) bool { return strings.Contains(v.Says, name) }), "%s names none: %s", s.tool, v)

	s.t.Log("the permission is granted, and a look at those three is asked for")
	for _, id := range faults {
		s.cloud.Traffic.Remove(id)
	}
	began = time.Now()
	out, err := s.kubectl(installed.Ada, "annotate", "bucket", "-A", "-l", "refuses=yes", "--overwrite", v1alpha1.ReconcileRequestedAtAnnotation+"="+began.String())
	s.check(err == nil, "%v %s", err, out)
	s.rolledOut("2592000")
	s.until(edited, healthy)
	s.t.Logf("the three followed within %s", since(began))
	s.check(s.changed(mark) == fleetBuckets, "%d buckets were changed, want each once", s.changed(mark))

	s.t.Log("revert, which shortens all of it at once: an administrator lets that through")
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for team := range fleetProjects {
		out, err = s.kubectl(installed.Ada, "annotate", "namespace", teamName(team), v1alpha1.AllowDestructiveUntilAnnotation+"="+until)
		s.check(err == nil, "%v %s", err, out)
	}
	mark = s.cloud.Traffic.Mark()
	began = time.Now()
	reverted := s.revert(edited)
	s.rolledOut("604800")
	s.t.Logf("it was reverted within %s", since(began))
	s.until(reverted, healthy)
	s.check(s.changed(mark) == fleetBuckets, "%d buckets were changed, want each once", s.changed(mark))
	for _, name := range buckets {
		if got := s.field(name, "softDeletePolicy", "retentionDurationSeconds"); got != "604800" {
			s.t.Errorf("%s has soft-delete retention %v", name, got)
		}
	}

	s.storedVersionChanges(fleetBuckets)
}

// fleet makes the namespaces, and the manifests of the buckets, by file; retention is a patch of them all.
func (s *scene) fleet() (manifests map[string]string, buckets []string) {
	s.t.Helper()
	manifests = map[string]string{"kustomization": fleetKustomization("604800")}
	for team := range fleetProjects {
		namespace, project := teamName(team), fmt.Sprintf("project-%02d", team)
		s.bind(namespace, project)
		var all []string
		for n := range fleetBuckets / fleetProjects {
			name := fmt.Sprintf("%s-bucket-%02d", namespace, n)
			labels := ""
			if len(buckets) == 7 || len(buckets) == 333 || len(buckets) == fleetBuckets-1 {
				labels = "\n  labels: {refuses: 'yes'}"
				// It was there before: of one that is new, a denial would be waited for to pass.
				s.must(s.cloud.Storage.CreateBucket(project, map[string]any{"name": name, "location": "EUROPE-WEST3", "labels": map[string]any{"team": namespace}}))
			}
			all = append(all, manifest("Bucket", name+"\n  namespace: "+namespace+labels, "location: EUROPE-WEST3", "labels: {team: "+namespace+"}"))
			buckets = append(buckets, name)
		}
		manifests[namespace] = strings.Join(all, "---\n")
	}
	return manifests, buckets
}

func teamName(team int) string { return fmt.Sprintf("team-%02d", team) }

// fleetKustomization is the file whose one line the commit changes.
func fleetKustomization(seconds string) string {
	text := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"
	for team := range fleetProjects {
		text += "- " + teamName(team) + ".yaml\n"
	}
	return text + "patches:\n- target: {group: gcp.holdfast.dev, kind: Bucket}\n  patch: |\n" +
		"    - op: add\n      path: /spec/softDeletePolicy\n      value: {retentionSeconds: " + seconds + "}\n"
}

// rolledOut runs the command until it shows only those that are refused, and returns how many different answers it gave.
func (s *scene) rolledOut(seconds string, refused ...string) (steps int) {
	s.t.Helper()
	last := -1
	s.eventually("the fleet to have followed", func() (bool, string) {
		left, err := command("bash", "-c", strings.Join(s.kubectlCommand(), " ")+" "+progress+seconds)
		s.must(err)
		lines := strings.Split(strings.TrimSpace(left), "\n")[1:] // the first is the heading
		if len(lines) != last {
			steps, last = steps+1, len(lines)
			s.t.Logf("%s: %d are left", time.Now().Format(time.TimeOnly), last)
		}
		if len(lines) != len(refused) {
			return false, left
		}
		for i, name := range refused {
			if row := strings.Fields(lines[i]); row[1] != name || row[2] != v1alpha1.ReasonDenied {
				return false, left
			}
		}
		return true, ""
	})
	return steps
}

// logPace tells how long Flux took to apply, and how soon after that of each object Holdfast had said Ready.
func (s *scene) logPace(recorded int64) {
	s.t.Helper()
	var namespaces []string
	for team := range fleetProjects {
		namespaces = append(namespaces, teamName(team))
	}
	deeds, err := s.audit.since(recorded, namespaces...)
	s.must(err)
	var applies []time.Time
	applied, lags := map[string]time.Time{}, map[string]time.Duration{}
	for _, deed := range deeds {
		switch deed.Resource {
		case "buckets":
			applies, applied[deed.Name] = append(applies, deed.Time), deed.Time
		case "buckets/status":
			lags[deed.Name] = deed.Time.Sub(applied[deed.Name])
		}
	}
	sorted := slices.Sorted(maps.Values(lags))
	s.t.Logf("Flux applied %d objects in %s, after dry runs of all; Holdfast followed each after %s (median), %s at most", len(applies),
		applies[len(applies)-1].Sub(applies[0]).Round(time.Second/10),
		sorted[len(sorted)/2].Round(time.Millisecond), sorted[len(sorted)-1].Round(time.Millisecond))
}

// changed is how many calls have changed a bucket since a mark.
func (s *scene) changed(mark int64) int {
	n := 0
	for _, entry := range s.cloud.Traffic.WritesSince(mark) {
		if entry.Method == "buckets.patch" && entry.Status == 200 {
			n++
		}
	}
	return n
}

func since(began time.Time) time.Duration { return time.Since(began).Round(time.Second / 10) }
