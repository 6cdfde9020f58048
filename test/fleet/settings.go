package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// settings are what the command line says.
type settings struct {
	model

	phases []string
	// quotas says that Google's default quotas hold, in the emulator and in the operator; floor is how many resources its measure has.
	quotas bool
	floor  int
	// latency is how long each call takes beside what the emulator needs.
	latency time.Duration
	// sweep is the operator's interval; zero for what it is shipped with. sweeps are how many are waited for.
	sweep  time.Duration
	sweeps int
	// from is the folder of an earlier version, built, by which the fleet is created; empty for none.
	from string
	// identities is how many of the Namespaces have a service account of their own that is impersonated for them.
	identities int
	// edits are how many single edits are measured in each phase that does.
	edits int
	// appliers are how many manifests are applied at the same time.
	appliers int
	// folder keeps what is stored, for a later run; empty for nothing.
	folder string
	out    string
	// profiles is a folder for profiles of processor time in each phase, and of the operator's memory after it; empty for none.
	profiles string
	// check says that a count beyond its target is a failure.
	check bool
	// manager are further flags for it.
	manager []string
}

// The intervals that the operator is shipped with.
const (
	shippedSweep = 10 * time.Minute
	shippedShare = 0.8
)

// policySweeps is how many sweeps' time passes between two reads of what no list shows, as shipped and in any run.
const policySweeps = 6

// parse reads the command line. Help goes to usage and is returned as flag.ErrHelp.
func parse(args []string, usage io.Writer) (settings, error) {
	s := settings{}
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are one sentence, without the whole usage
	flags.IntVar(&s.resources, "resources", 50_000, "`number` of resources, the ProjectPolicies of the projects included")
	flags.IntVar(&s.projects, "projects", 3_000, "`number` of projects, and of Namespaces")
	phases := flags.String("phases", strings.Join(phaseNames(), ","), "which `phases` to run; they have this order")
	quotas := flags.String("quotas", "on", "on: Google's default quotas hold; off: none do (`on|off`)")
	flags.StringVar(&s.from, "from", "", "`folder` of an earlier version, with its config/ and bin/manager, which the fleet is created with; the phase upgrade goes on with this one")
	flags.IntVar(&s.identities, "identities", 0, "`number` of projects that the operator acts in as a service account of each")
	flags.IntVar(&s.floor, "floor", 5_000, "`number` of resources, at most, by which the floor is measured")
	flags.DurationVar(&s.latency, "latency", 50*time.Millisecond, "how `long` each call to Google Cloud takes")
	flags.DurationVar(&s.sweep, "sweep", 0, "the operator's --sweep-interval; policies are read at six times the `interval`. 0: as shipped")
	flags.IntVar(&s.sweeps, "sweeps", 10, "`number` of sweeps in the phase steady")
	flags.IntVar(&s.edits, "edits", 40, "`number` of single edits during sweeps, and during a mass change")
	flags.IntVar(&s.appliers, "appliers", 32, "`number` of manifests that are applied at the same time")
	flags.StringVar(&s.folder, "dir", "", "`folder` to keep the fleet in, so that later runs can go on with other phases; empty: not kept")
	flags.StringVar(&s.out, "out", "", "`file` for the figures as JSON")
	flags.StringVar(&s.profiles, "profiles", "", "`folder` for profiles, for go tool pprof: of each phase what kube-apiserver and the operator need the processor for, and the operator's memory after it")
	flags.BoolVar(&s.check, "check", false, "fail if a count misses its target")
	flags.Func("manager", "a further `flag` for the operator, such as --log-level=debug; may be repeated", func(arg string) error {
		s.manager = append(s.manager, arg)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(usage)
			flags.Usage()
		}
		return s, err
	}
	s.phases, s.quotas = strings.Split(*phases, ","), *quotas == "on"
	switch unknown := slices.IndexFunc(s.phases, func(name string) bool { return !slices.Contains(phaseNames(), name) }); {
	case flags.NArg() > 0:
		return s, fmt.Errorf("unexpected argument %q: everything is said by flags", flags.Arg(0))
	case unknown >= 0:
		return s, fmt.Errorf("--phases: %q is none; the phases are %s", s.phases[unknown], strings.Join(phaseNames(), ", "))
	case *quotas != "on" && *quotas != "off":
		return s, fmt.Errorf("--quotas %s: want on or off", *quotas)
	case s.projects < 2 || s.projects > 9_999:
		return s, fmt.Errorf("--projects %d: want 2 to 9999", s.projects)
	case s.resources < 4*s.projects:
		return s, fmt.Errorf("--resources %d: want at least four for each of the %d projects", s.resources, s.projects)
	case s.identities < 0 || s.identities > s.projects:
		return s, fmt.Errorf("--identities %d: want 0 to the %d projects", s.identities, s.projects)
	case s.sweeps < 2:
		return s, fmt.Errorf("--sweeps %d: want at least 2, of which the first is not counted", s.sweeps)
	}
	return s, nil
}

// sweepInterval is how often the operator sweeps.
func (s settings) sweepInterval() time.Duration {
	if s.sweep > 0 {
		return s.sweep
	}
	return shippedSweep
}

// policyInterval is how often it reads what no list shows.
func (s settings) policyInterval() time.Duration { return policySweeps * s.sweepInterval() }

// share is how much of the quotas the operator uses.
func (s settings) share() float64 { return shippedShare }
